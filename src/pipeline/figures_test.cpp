#include "pipeline/figures.hpp"

#include <gtest/gtest.h>

namespace cnx::pipeline {
namespace {

using telemetry::Activity;

int64_t now_microseconds() {
  return std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::system_clock::now().time_since_epoch()).count();
}

class FiguresTest : public ::testing::Test {
 protected:
  // A line that stands, up to `lsn` of a log that ends there.
  void stream(uint64_t lsn) {
    figures_.begin_stream(change::Lsn(lsn), 0);
    figures_.set(Activity::streaming);
    figures_.consistent = true;
    figures_.capture.connected = true;
    figures_.capture.wal_end = lsn;
    figures_.capture.in_step = lsn;
    figures_.look();
  }
  void apply(uint64_t lsn, int64_t commit_microseconds, bool partial = false) {
    apply::Batch batch;
    batch.to.position = {change::Lsn(lsn), 0};
    batch.to.partial = partial;
    batch.commit_microseconds = batch.oldest_commit_microseconds = commit_microseconds;
    figures_.applied(batch, std::chrono::milliseconds(1));
  }
  telemetry::Readiness readiness(std::string_view state = "idle") {
    return figures_.readiness({.healthy = true, .state = state, .reason = "it was paused", .since = {}});
  }

  Figures figures_{telemetry::TelemetryOptions{}};
};

TEST_F(FiguresTest, what_was_handed_on_is_in_hand_until_the_graph_has_it) {
  stream(1000);
  EXPECT_FALSE(figures_.look().in_hand);
  figures_.capture.handed = 2000;
  EXPECT_TRUE(figures_.look().in_hand);
  apply(2000, now_microseconds());
  EXPECT_FALSE(figures_.look().in_hand);
  figures_.lane.under_way = true;
  EXPECT_TRUE(figures_.look().in_hand) << "a batch that was sent";
  figures_.begin_stream(change::Lsn(2000), 0);
  EXPECT_FALSE(figures_.look().in_hand) << "a new line begins with nothing";
}

TEST_F(FiguresTest, the_source_is_ahead_by_more_than_a_page_header) {
  stream(1000);
  figures_.source_wal_end = 1040;
  EXPECT_FALSE(figures_.look().source_ahead);
  EXPECT_EQ(figures_.lag_bytes(), 0u);
  figures_.source_wal_end = 1041;
  EXPECT_TRUE(figures_.look().source_ahead);
  EXPECT_EQ(figures_.lag_bytes(), 41u);
}

TEST_F(FiguresTest, lag_is_the_age_of_the_oldest_change_that_may_be_missing) {
  EXPECT_LT(figures_.lag_seconds(), 5) << "nothing is known: since the process began";
  stream(1000);
  EXPECT_EQ(figures_.lag_seconds(), 0);
  figures_.capture.wal_end = 9000;
  EXPECT_LT(figures_.lag_seconds(), 5) << "it had it all a moment ago, whenever the last change was";
  EXPECT_GE(figures_.lag_seconds(), 0);
}

TEST_F(FiguresTest, lag_after_a_start_is_counted_from_the_newest_transaction_that_the_graph_has) {
  figures_.begin_stream(change::Lsn(1000), now_microseconds() - 3'600'000'000);
  figures_.capture.wal_end = 9000;
  EXPECT_GE(figures_.lag_seconds(), 3600);
  apply(2000, now_microseconds() - 60'000'000, true);
  EXPECT_GE(figures_.lag_seconds(), 3600) << "of a transaction in pieces, none counts before the last";
  apply(3000, now_microseconds() - 60'000'000);
  EXPECT_LT(figures_.lag_seconds(), 100);
}

TEST_F(FiguresTest, a_commit_from_a_clock_ahead_of_ours_has_no_age) {
  stream(1000);
  apply(2000, now_microseconds() + 3'600'000'000);
  figures_.capture.wal_end = 9000;
  EXPECT_EQ(figures_.lag_seconds(), 0);
  EXPECT_EQ(figures_.commit_to_visible.read().cumulative.front(), 1u);
}

TEST_F(FiguresTest, it_is_ready_in_step_alone) {
  stream(1000);
  EXPECT_TRUE(readiness().ready);
  for (const char* state : {"starting", "waiting", "standby", "paused", "copying", "reconnecting", "stopping", "stalled"}) {
    EXPECT_FALSE(readiness(state).ready) << state;
    EXPECT_EQ(readiness(state).reason, "it was paused");
  }
  figures_.consistent = false;
  EXPECT_FALSE(readiness().ready);
  figures_.consistent = true;
  figures_.tables_held = 1;
  EXPECT_NE(readiness().reason.find("held"), std::string::npos);
  figures_.tables_held = 0;
  figures_.tables_copying = 2;
  EXPECT_NE(readiness().reason.find("read again"), std::string::npos);
  figures_.tables_copying = 0;
  figures_.begin_stream(change::Lsn(1000), now_microseconds() - 3'600'000'000);
  EXPECT_TRUE(readiness().ready) << "seen to have it all a moment ago";
}

TEST_F(FiguresTest, trouble_is_told_until_a_batch_is_applied) {
  stream(1000);
  figures_.retry(Side::graph, "Neo4j", Error(ErrorKind::unavailable, "refused"), std::chrono::seconds(1));
  EXPECT_EQ(figures_.look().trouble, "Neo4j: refused");
  EXPECT_EQ(figures_.retries(Side::graph), 1u);
  EXPECT_EQ(figures_.retries(Side::source), 0u);
  apply(2000, now_microseconds());
  EXPECT_EQ(figures_.look().trouble, "");
}

TEST_F(FiguresTest, of_the_source_it_is_told_until_that_is_heard_again) {
  stream(1000);
  figures_.retry(Side::source, "PostgreSQL", Error(ErrorKind::unavailable, "refused"), std::chrono::seconds(1));
  EXPECT_EQ(figures_.look().trouble, "PostgreSQL: refused");
  figures_.capture.heard += 1;
  EXPECT_EQ(figures_.look().trouble, "");
}

TEST_F(FiguresTest, a_removal_that_goes_in_pieces_is_no_failure) {
  tell_retry(figures_, Side::graph, "Neo4j")(Error(ErrorKind::server, std::string(apply::kTooLargeAtOnce), "too large"), Duration::zero());
  EXPECT_EQ(figures_.retries(Side::graph), 0u);
}

}  // namespace
}  // namespace cnx::pipeline
