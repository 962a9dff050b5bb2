#include "change/correlation.hpp"

#include <gtest/gtest.h>

namespace cnx::change {
namespace {

const Position kRow{Lsn(0x100000002A), 3};

// Python's uuid.uuid5 of the same namespace and name: whoever keeps ids outside may make them.
TEST(CorrelationId, it_is_the_standards_version_five) {
  EXPECT_EQ(correlation_id("7012345678901234567", "app", {Lsn(0x10000002A), 3}), "8d3a64c1-98be-57b2-9470-a7b04da1fc8a");
}

TEST(CorrelationId, it_is_the_same_for_a_replay_and_another_for_another_change) {
  EXPECT_EQ(correlation_id("1", "app", kRow), correlation_id("1", "app", kRow));
  EXPECT_NE(correlation_id("1", "app", kRow), correlation_id("1", "app", {kRow.lsn, 4}));
  EXPECT_NE(correlation_id("1", "app", kRow), correlation_id("2", "app", kRow));
  EXPECT_NE(correlation_id("1", "app", kRow), correlation_id("1", "app 2", kRow));
}

TEST(CorrelationId, rows_of_a_copy_and_of_an_unknown_source_have_none) {
  EXPECT_EQ(correlation_id({"1", "app"}, {Lsn(0), 3}), "");
  EXPECT_EQ(correlation_id({}, kRow), "");
  EXPECT_EQ(correlation_id({"1", "app"}, kRow), correlation_id("1", "app", kRow));
}

}  // namespace
}  // namespace cnx::change
