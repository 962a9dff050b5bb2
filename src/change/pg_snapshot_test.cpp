#include "change/pg_snapshot.hpp"

#include <gtest/gtest.h>

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

}  // namespace
}  // namespace cnx::change
