#include <gtest/gtest.h>

#include "postgres/replication.hpp"

namespace cnx::postgres {
namespace {

using change::Lsn;

TEST(TimelineHistory, is_read_line_by_line) {
  EXPECT_EQ(parse_timeline_history("1\t0/3000158\tno recovery target specified\n2\t1/A0\tbefore 2024-01-01\n"),
            (std::vector<TimelineSwitch>{{1, Lsn(0x3000158)}, {2, Lsn(0x1000000A0)}}));
}

TEST(TimelineHistory, passes_over_what_has_another_form) {
  EXPECT_EQ(parse_timeline_history("# a comment\n\n1\nx\t0/1\tno\n1\tnowhere\tno\n3\t0/5"),
            (std::vector<TimelineSwitch>{{3, Lsn(5)}}));
  EXPECT_TRUE(parse_timeline_history("").empty());
}

}  // namespace
}  // namespace cnx::postgres
