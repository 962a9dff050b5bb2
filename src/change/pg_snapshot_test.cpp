#include "change/pg_snapshot.hpp"

#include <gtest/gtest.h>

#include <random>
#include <string>

namespace cnx::change {
namespace {

TEST(PgSnapshot, sees_what_was_committed_when_it_was_taken) {
  PgSnapshot snapshot = PgSnapshot::parse("100:110:100,104").value();
  EXPECT_TRUE(snapshot.sees(Xid(99)));
  EXPECT_FALSE(snapshot.sees(Xid(100)));
  EXPECT_TRUE(snapshot.sees(Xid(101)));
  EXPECT_FALSE(snapshot.sees(Xid(104)));
  EXPECT_TRUE(snapshot.sees(Xid(109)));
  EXPECT_FALSE(snapshot.sees(Xid(110)));
  EXPECT_FALSE(snapshot.sees(Xid(5'000)));
}

TEST(PgSnapshot, without_running_transactions_ends_at_xmax) {
  PgSnapshot snapshot = PgSnapshot::parse("110:110:").value();
  EXPECT_TRUE(snapshot.sees(Xid(109)));
  EXPECT_FALSE(snapshot.sees(Xid(110)));
}

TEST(PgSnapshot, compares_ids_across_the_epochs_end) {
  // Epoch 1, id 5: 4294967296 + 5.
  PgSnapshot snapshot = PgSnapshot::parse("4294967290:4294967301:4294967295,4294967298").value();
  EXPECT_TRUE(snapshot.sees(Xid(4'294'967'000u)));
  EXPECT_FALSE(snapshot.sees(Xid(4'294'967'295u)));
  EXPECT_TRUE(snapshot.sees(Xid(1)));
  EXPECT_FALSE(snapshot.sees(Xid(2)));
  EXPECT_TRUE(snapshot.sees(Xid(4)));
  EXPECT_FALSE(snapshot.sees(Xid(5)));
}

TEST(PgSnapshot, that_was_never_taken_sees_nothing) {
  EXPECT_FALSE(PgSnapshot().sees(Xid(3)));
}

TEST(PgSnapshot, prints_what_it_read) {
  for (const char* text : {"100:110:100,104", "7:7:", "4294967290:4294967301:4294967295"}) {
    EXPECT_EQ(PgSnapshot::parse(text).value().to_string(), text);
  }
}

TEST(PgSnapshot, refuses_everything_else) {
  for (const char* text :
       {"", ":", "::", "1:2", "1:2:3:4", "2:1:", "1:9:9", "5:9:4", "1:9:2,", "1:9:,2", "1:9: 2",
        "-1:9:2", "1:9:2;3", "x:9:", "1:99999999999999999999999:"}) {
    EXPECT_FALSE(PgSnapshot::parse(text)) << text;
  }
}

PgSnapshot snapshot(std::string_view text) {
  Result<PgSnapshot> parsed = PgSnapshot::parse(text);
  EXPECT_TRUE(parsed) << text;
  return parsed ? *parsed : PgSnapshot();
}

TEST(PgSnapshot, sees_what_had_ended_and_nothing_else) {
  const PgSnapshot some = snapshot("100:110:100,105,108");
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

TEST(PgSnapshot, knows_a_transaction_on_the_other_side_of_an_epoch) {
  // Epoch 2 began a moment ago.
  const PgSnapshot wrapped = snapshot("8589934590:8589934605:8589934591,8589934597");
  EXPECT_TRUE(wrapped.sees(Xid(4'294'967'290u)));
  EXPECT_TRUE(wrapped.sees(Xid(4'294'967'294u)));
  EXPECT_FALSE(wrapped.sees(Xid(4'294'967'295u)));
  EXPECT_TRUE(wrapped.sees(Xid(4)));
  EXPECT_FALSE(wrapped.sees(Xid(5)));
  EXPECT_TRUE(wrapped.sees(Xid(6)));
  EXPECT_FALSE(wrapped.sees(Xid(13)));
  EXPECT_FALSE(wrapped.sees(Xid(14)));
  // And the next epoch begins a moment later.
  const PgSnapshot before = snapshot("8589934580:8589934590:");
  EXPECT_TRUE(before.sees(Xid(4'294'967'285u)));
  EXPECT_FALSE(before.sees(Xid(4'294'967'294u)));
  EXPECT_FALSE(before.sees(Xid(5)));
}

TEST(PgSnapshot, sees_nothing_that_is_running_at_the_first_transactions) {
  const PgSnapshot first = snapshot("3:4:3");
  EXPECT_FALSE(first.sees(Xid(3)));
  EXPECT_FALSE(first.sees(Xid(4)));
  EXPECT_TRUE(first.sees(Xid(4'294'967'290u))) << "no such transaction was ever there";
}

TEST(PgSnapshot, refuses_what_postgresql_does_not_print) {
  for (const char* text : {"", ":", "1", "1:", "1:2", "x:2:", "0:2:", "3:2:", "1:2:3", "1:9:5,4", "1:9:5,5", "1:9:5,", "1:9:,5",
                           "1:9:5;6", "-1:9:", "1:9: 5", "99999999999999999999:1:", "1:9:0", "1:9:9"}) {
    Result<PgSnapshot> parsed = PgSnapshot::parse(text);
    ASSERT_FALSE(parsed) << text;
    EXPECT_EQ(parsed.error().kind(), ErrorKind::malformed) << text;
  }
}

TEST(PgSnapshot, survives_any_text) {
  std::mt19937_64 random(1);
  const std::string alphabet = "0123456789:,,: -x";
  for (int i = 0; i < 20'000; ++i) {
    std::string text;
    for (size_t length = random() % 24; length > 0; --length) text += alphabet[random() % alphabet.size()];
    if (Result<PgSnapshot> parsed = PgSnapshot::parse(text)) (void)parsed->sees(Xid(7));
  }
}

}  // namespace
}  // namespace cnx::change
