#include "pipeline/slot_wait.hpp"

#include <gtest/gtest.h>

namespace cnx::pipeline {
namespace {

OpenTransaction session(int64_t pid, bool waited_for) {
  return {.pid = pid, .user = "app", .application = "psql", .database = "shop", .seconds = 32, .waited_for = waited_for};
}

TEST(OpenTransactions, are_told_with_who_is_waited_for_first) {
  EXPECT_EQ(describe({session(12, true)}), "pid 12 (user app, application psql, database shop, open for 32 s)");
  EXPECT_EQ(describe({session(12, true), session(13, false)}),
            "pid 12 (user app, application psql, database shop, open for 32 s); also open: "
            "pid 13 (user app, application psql, database shop, open for 32 s)");
  EXPECT_EQ(describe({session(13, false)}),
            "one of these: pid 13 (user app, application psql, database shop, open for 32 s)");
  EXPECT_EQ(describe(std::vector<OpenTransaction>()), "transactions that have just ended");
}

TEST(OpenTransactions, that_are_prepared_are_told_by_their_name) {
  OpenTransaction prepared{.gid = "job 7", .user = "app", .database = "shop", .seconds = 90, .waited_for = true};
  EXPECT_EQ(describe({prepared}), "prepared transaction 'job 7' (owner app, database shop, prepared 90 s ago)");
}

TEST(OpenTransactions, of_which_little_may_be_seen_say_who_sees_more) {
  OpenTransaction hidden{.pid = 12, .user = "app", .waited_for = true};
  EXPECT_EQ(describe({hidden}), "pid 12 (user app, since when is shown to members of pg_read_all_stats)");
}

}  // namespace
}  // namespace cnx::pipeline
