// What keeps a table from being written back: judged apart, without a server.
#include "record/sync_tables.hpp"

#include <gmock/gmock.h>

namespace cnx::record {
namespace {

using ::testing::HasSubstr;

UpdateTrigger marking() { return {.name = "row_version", .enabled = 'A', .before = true, .fires_at_ours = false, .marks = true}; }

TEST(SyncTables, a_trigger_that_always_marks_the_users_updates_is_as_it_has_to_be) {
  EXPECT_FALSE(judge_marking({marking()}));
}

TEST(SyncTables, a_trigger_that_is_missing_disabled_or_not_always_on_is_named_with_its_cure) {
  EXPECT_THAT(judge_marking({})->reason, HasSubstr("no trigger marks"));
  UpdateTrigger trigger = marking();
  trigger.enabled = 'D';
  EXPECT_THAT(judge_marking({trigger})->reason, HasSubstr("row_version is disabled"));
  EXPECT_EQ(judge_marking({trigger})->cure, "ENABLE ALWAYS TRIGGER \"row_version\"");
  trigger.enabled = 'O';
  EXPECT_THAT(judge_marking({trigger})->reason, HasSubstr("not ENABLE ALWAYS"));
  trigger = marking();
  trigger.before = false;
  EXPECT_THAT(judge_marking({trigger})->reason, HasSubstr("no trigger marks")) << "too late to set a column";
}

TEST(SyncTables, a_trigger_that_marks_our_own_update_too_would_never_come_to_rest) {
  UpdateTrigger trigger = marking();
  trigger.fires_at_ours = true;
  EXPECT_THAT(judge_marking({trigger})->reason, HasSubstr("own UPDATE"));
  trigger.enabled = 'D';
  EXPECT_FALSE(judge_marking({trigger, marking()})) << "it does not fire";
}

TEST(SyncTables, another_trigger_that_sees_our_update_before_it_is_written_may_change_more) {
  UpdateTrigger other{.name = "touch", .enabled = 'O', .before = true, .fires_at_ours = true, .marks = false};
  ASSERT_NE(find_meddling({marking(), other}), nullptr);
  EXPECT_EQ(find_meddling({marking()}), nullptr);
  other.enabled = 'D';
  EXPECT_EQ(find_meddling({other}), nullptr);
  other = {.name = "audit", .enabled = 'O', .before = false, .fires_at_ours = true, .marks = false};
  EXPECT_EQ(find_meddling({other}), nullptr) << "what it writes elsewhere are rows of their own";
  other = {.name = "touch", .enabled = 'O', .before = true, .fires_at_ours = false, .marks = false};
  EXPECT_EQ(find_meddling({other}), nullptr);
}

TEST(SyncTables, row_level_security_must_let_every_row_be_updated) {
  postgres::Table table;
  EXPECT_FALSE(may_update_all_rows(table));
  table.policies = {{.name = "read", .command = 'r', .applies_to_us = true, .condition = "true"}};
  EXPECT_FALSE(may_update_all_rows(table)) << "only to read";
  table.policies.push_back({.name = "all", .command = '*', .applies_to_us = true, .condition = "true"});
  EXPECT_TRUE(may_update_all_rows(table));
  table.policies.push_back({.name = "fewer", .command = 'w', .permissive = false, .applies_to_us = true, .condition = "id > 1"});
  EXPECT_FALSE(may_update_all_rows(table));
}

}  // namespace
}  // namespace cnx::record
