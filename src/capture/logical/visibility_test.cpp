#include "capture/logical/visibility.hpp"

#include <gtest/gtest.h>

#include <random>
#include <string>

namespace cnx::capture {
namespace {

using change::Xid;

SnapshotVisibility snapshot(std::string_view text) {
  Result<SnapshotVisibility> parsed = SnapshotVisibility::parse(text);
  EXPECT_TRUE(parsed) << text;
  return parsed ? *parsed : SnapshotVisibility();
}

TEST(SnapshotVisibility, sees_what_had_ended_and_nothing_else) {
  const SnapshotVisibility some = snapshot("100:110:100,105,108");
  EXPECT_TRUE(some.sees(Xid(3)));
  EXPECT_TRUE(some.sees(Xid(99)));
  EXPECT_FALSE(some.sees(Xid(100)));
  EXPECT_TRUE(some.sees(Xid(101)));
  EXPECT_FALSE(some.sees(Xid(105)));
  EXPECT_TRUE(some.sees(Xid(107)));
  EXPECT_FALSE(some.sees(Xid(108)));
  EXPECT_TRUE(some.sees(Xid(109)));
  EXPECT_FALSE(some.sees(Xid(110)));
  EXPECT_FALSE(some.sees(Xid(2'000'000'000)));
}

TEST(SnapshotVisibility, knows_a_transaction_on_the_other_side_of_an_epoch) {
  // Epoch 2 began a moment ago.
  const SnapshotVisibility wrapped = snapshot("8589934590:8589934605:8589934591,8589934597");
  EXPECT_TRUE(wrapped.sees(Xid(4'294'967'290u)));
  EXPECT_TRUE(wrapped.sees(Xid(4'294'967'294u)));
  EXPECT_FALSE(wrapped.sees(Xid(4'294'967'295u)));
  EXPECT_TRUE(wrapped.sees(Xid(4)));
  EXPECT_FALSE(wrapped.sees(Xid(5)));
  EXPECT_TRUE(wrapped.sees(Xid(6)));
  EXPECT_FALSE(wrapped.sees(Xid(13)));
  EXPECT_FALSE(wrapped.sees(Xid(14)));
  // And the next epoch begins a moment later.
  const SnapshotVisibility before = snapshot("8589934580:8589934590:");
  EXPECT_TRUE(before.sees(Xid(4'294'967'285u)));
  EXPECT_FALSE(before.sees(Xid(4'294'967'294u)));
  EXPECT_FALSE(before.sees(Xid(5)));
}

TEST(SnapshotVisibility, sees_nothing_that_is_running_at_the_first_transactions) {
  const SnapshotVisibility first = snapshot("3:4:3");
  EXPECT_FALSE(first.sees(Xid(3)));
  EXPECT_FALSE(first.sees(Xid(4)));
  EXPECT_TRUE(first.sees(Xid(4'294'967'290u))) << "no such transaction was ever there";
}

TEST(SnapshotVisibility, refuses_what_postgresql_does_not_print) {
  for (const char* text : {"", ":", "1", "1:", "1:2", "x:2:", "0:2:", "3:2:", "1:2:3", "1:9:5,4", "1:9:5,5", "1:9:5,", "1:9:,5",
                           "1:9:5;6", "-1:9:", "1:9: 5", "99999999999999999999:1:", "1:9:0", "1:9:9"}) {
    Result<SnapshotVisibility> parsed = SnapshotVisibility::parse(text);
    ASSERT_FALSE(parsed) << text;
    EXPECT_EQ(parsed.error().kind(), ErrorKind::malformed) << text;
  }
}

TEST(SnapshotVisibility, survives_any_text) {
  std::mt19937_64 random(1);
  const std::string alphabet = "0123456789:,,: -x";
  for (int i = 0; i < 20'000; ++i) {
    std::string text;
    for (size_t length = random() % 24; length > 0; --length) text += alphabet[random() % alphabet.size()];
    if (Result<SnapshotVisibility> parsed = SnapshotVisibility::parse(text)) (void)parsed->sees(Xid(7));
  }
}

}  // namespace
}  // namespace cnx::capture
