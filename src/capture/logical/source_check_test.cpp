#include "capture/logical/source_check.hpp"

#include <gtest/gtest.h>

namespace cnx::capture {
namespace {

class SourceCheck : public testing::Test {
 protected:
  SourceCheck() {
    held_ = {.position = {change::Lsn(500), 0},
             .system_identifier = "77",
             .timeline = 1,
             .database = "knowledge",
             .slot = "contextnexus"};
    system_ = {.system_identifier = 77,
               .timeline = 1,
               .wal_end = change::Lsn(1000),
               .database = "knowledge"};
    slot_.emplace();
    slot_->name = "contextnexus";
    slot_->plugin = "pgoutput";
    slot_->database = "knowledge";
    slot_->confirmed_flush = change::Lsn(400);
    slot_->wal_status = "reserved";
  }

  // The check must refuse, as a state with a cure, and say `words`.
  void expect_refused(const char* words) {
    Status checked = check_source(held_, system_, slot_);
    ASSERT_FALSE(checked) << words;
    EXPECT_EQ(checked.error().kind(), ErrorKind::state);
    EXPECT_FALSE(checked.error().advice().empty());
    EXPECT_NE(checked.error().describe().find(words), std::string::npos)
        << checked.error().describe();
  }

  HeldPosition held_;
  postgres::SystemIdentity system_;
  std::optional<postgres::SlotState> slot_;
};

TEST_F(SourceCheck, admits_a_position_at_or_ahead_of_the_slot) {
  EXPECT_TRUE(check_source(held_, system_, slot_));
  slot_->confirmed_flush = held_.position.lsn;
  EXPECT_TRUE(check_source(held_, system_, slot_));
}

TEST_F(SourceCheck, refuses_a_graph_behind_the_slot) {
  slot_->confirmed_flush = change::Lsn(501);
  expect_refused("behind the slot");
}

// The slot may stand at the end of the transaction before, and that may be where this one begins.
TEST_F(SourceCheck, judges_a_position_inside_a_transaction_by_its_lsn) {
  held_.position.ordinal = 3;
  slot_->confirmed_flush = held_.position.lsn;
  EXPECT_TRUE(check_source(held_, system_, slot_));
  slot_->confirmed_flush = change::Lsn(501);
  expect_refused("behind the slot");
}

TEST_F(SourceCheck, admits_a_slot_that_has_confirmed_nothing_yet) {
  slot_->confirmed_flush.reset();
  EXPECT_TRUE(check_source(held_, system_, slot_));
}

TEST_F(SourceCheck, refuses_a_graph_beyond_the_log) {
  system_.wal_end = change::Lsn(499);
  expect_refused("beyond the end");
}

TEST_F(SourceCheck, refuses_another_cluster_database_or_timeline) {
  system_.system_identifier = 78;
  expect_refused("another PostgreSQL cluster");
  system_.system_identifier = 77;
  system_.database = "other";
  expect_refused("another database");
  system_.database = "knowledge";
  system_.timeline = 2;
  expect_refused("another timeline");
}

TEST_F(SourceCheck, refuses_a_slot_that_is_gone_lost_or_foreign) {
  slot_->wal_status = "lost";
  expect_refused("lost");
  slot_->wal_status = "reserved";
  slot_->plugin = "wal2json";
  expect_refused("not the one");
  slot_.reset();
  expect_refused("gone");
}

}  // namespace
}  // namespace cnx::capture
