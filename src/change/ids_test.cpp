#include "change/ids.hpp"

#include <gtest/gtest.h>

namespace cnx::change {
namespace {

TEST(Lsn, prints_and_reads_the_form_of_postgresql) {
  EXPECT_EQ(Lsn(0x16B374D848ull).to_string(), "16/B374D848");
  EXPECT_EQ(Lsn::parse("16/B374D848").value(), Lsn(0x16B374D848ull));
  EXPECT_EQ(Lsn::parse("0/0").value(), Lsn(0));
}

TEST(Lsn, refuses_everything_else) {
  for (const char* text : {"", "/", "1/", "/1", "1", "1/2/3", "g/1", "123456789/0", "1/ 2", "-1/2"}) {
    EXPECT_FALSE(Lsn::parse(text)) << text;
  }
}

TEST(Position, is_ordered_by_lsn_then_ordinal) {
  EXPECT_LT((Position{Lsn(5), 7}), (Position{Lsn(6), 0}));
  EXPECT_LT((Position{Lsn(5), 0}), (Position{Lsn(5), 1}));
  EXPECT_EQ((Position{Lsn(5), 3}).to_string(), "0/5+3");
}

}  // namespace
}  // namespace cnx::change
