#include "capture/logical/logical_stage.hpp"

#include <gtest/gtest.h>

#include "capture/logical/testing/logical_line.hpp"

namespace cnx::capture {
namespace {

using change::Lsn;
using std::chrono::milliseconds;
using std::chrono::seconds;
using stream::Step;
using testing::kTable;
using testing::lost;
using testing::ScriptedSlot;

class LogicalStageEndsTest : public testing::LogicalLine {};

TEST_F(LogicalStageEndsTest, backs_off_between_connections_and_starts_anew_after_a_row) {
  make({});
  Duration longest{};
  for (int i = 0; i < 12; ++i) {
    slot_.fail_next(lost());
    Step step = settle();
    ASSERT_EQ(retries_.size(), static_cast<size_t>(i + 1));
    EXPECT_EQ(step.until, now_ + last_wait_);
    now_ += last_wait_ - milliseconds(1);
    settle();
    EXPECT_EQ(slot_.opened.size(), static_cast<size_t>(i + 1)) << "too early";
    now_ += milliseconds(1);
    longest = std::max(longest, last_wait_);
  }
  EXPECT_GE(longest, seconds(5));
  EXPECT_LE(longest, seconds(6));
  say_transaction(Lsn(1000), Lsn(1048));
  settle();
  slot_.fail_next(lost());
  settle();
  EXPECT_LE(last_wait_, milliseconds(60));
}

TEST_F(LogicalStageEndsTest, waits_at_the_end_for_no_word_of_a_transaction_that_is_our_own) {
  bool own = false;
  LogicalOptions options;
  options.passes_over = [&](const change::RowChange&, std::string_view) { return own; };
  make(options);
  say_transaction(Lsn(1000), Lsn(1048));
  settle();
  own = true;
  say_transaction(Lsn(1100), Lsn(1148));
  settle();
  stage_->stop();
  EXPECT_EQ(settle().kind, Step::Kind::waiting) << "the first one is not in the graph yet";
  acknowledgement_->advance({Lsn(1048), 0});
  EXPECT_EQ(after(seconds(1)).kind, Step::Kind::done);
  EXPECT_EQ(flushed(), Lsn(1048));
}

// Somebody writes down what was applied, and has not written all of it yet.
TEST_F(LogicalStageEndsTest, hands_on_again_what_the_graph_has_and_confirms_it_only_when_it_is_recorded) {
  std::atomic<uint64_t> recorded{1048};
  LogicalOptions options;
  options.start = {Lsn(1248), 0};
  options.hand_on_from = change::Position{Lsn(1048), 0};
  options.confirmed = Lsn(1048);
  make(options);
  acknowledgement_->confirm_up_to(recorded);
  say_transaction(Lsn(1000), Lsn(1048));
  say_transaction(Lsn(1100), Lsn(1148));
  say_transaction(Lsn(1200), Lsn(1248));
  settle();
  EXPECT_EQ(handed(), "BICBIC");
  after(seconds(11));
  EXPECT_EQ(flushed(), Lsn(1048));
  recorded = 1148;
  after(seconds(2));
  EXPECT_EQ(flushed(), Lsn(1148));
  stage_->stop();
  EXPECT_EQ(settle().kind, Step::Kind::waiting) << "the last is not recorded yet";
  recorded = 1248;
  EXPECT_EQ(after(seconds(1)).kind, Step::Kind::done);
  EXPECT_EQ(flushed(), Lsn(1248));
}

TEST_F(LogicalStageEndsTest, takes_the_servers_end_of_the_stream_as_a_lost_connection) {
  make({});
  slot_.end();
  settle();
  EXPECT_FALSE(slot_.connected);
  EXPECT_EQ(retries_.size(), 1u);
}

TEST_F(LogicalStageEndsTest, ends_the_line_with_what_no_retry_cures) {
  make({});
  slot_.fail_next(Error(ErrorKind::state, "the graph is behind the slot"));
  Step step = settle();
  ASSERT_EQ(step.kind, Step::Kind::failed);
  EXPECT_EQ(step.error->kind(), ErrorKind::state);
  ASSERT_TRUE(events_->failure());
  EXPECT_EQ(events_->failure()->message(), "the graph is behind the slot");
}

TEST_F(LogicalStageEndsTest, ends_with_the_reason_of_the_other_end) {
  make({});
  settle();
  events_->fail(Error(ErrorKind::internal, "downstream"));
  Step step = settle();
  ASSERT_EQ(step.kind, Step::Kind::failed);
  EXPECT_EQ(step.error->message(), "downstream");
}

// The conversation once for each of its calls, with that call failing.
TEST_F(LogicalStageEndsTest, hands_on_everything_once_whichever_call_fails) {
  size_t calls = SIZE_MAX;
  for (size_t failing = 0; failing <= calls; ++failing) {
    slot_ = ScriptedSlot();
    retries_.clear();
    make({});
    slot_.fail_at(failing, lost());
    std::string all;
    auto say_all = [&] {
      slot_.forget();
      say_transaction(Lsn(1000), Lsn(1048), 2);
      say_transaction(Lsn(1048), Lsn(1100), 1);
      slot_.keep_alive(Lsn(1100), true);
    };
    say_all();
    for (int i = 0; i < 30; ++i) {
      const size_t before = retries_.size();
      step();
      if (retries_.size() > before) say_all();  // A new connection hears it all again.
      now_ += milliseconds(100);
      all += handed();
    }
    EXPECT_EQ(all, "BIICBIC") << "call " << failing << " failed";
    EXPECT_EQ(retries_.size(), failing < slot_.calls() ? 1u : 0u);
    if (failing >= slot_.calls()) break;
    calls = slot_.calls();
  }
}

TEST_F(LogicalStageEndsTest, stops_once_what_it_handed_on_is_confirmed) {
  make({});
  say_transaction(Lsn(1000), Lsn(1048));
  settle();
  stage_->stop();
  Step step = settle();
  EXPECT_EQ(step.kind, Step::Kind::waiting);
  EXPECT_FALSE(step.readable) << "nothing new";
  EXPECT_EQ(handed(), "BIC");
  EXPECT_TRUE(events_->drained());
  acknowledgement_->advance({Lsn(1048), 0});
  step = after(milliseconds(100));
  EXPECT_EQ(step.kind, Step::Kind::done);
  EXPECT_EQ(flushed(), Lsn(1048));
  EXPECT_FALSE(slot_.connected);
}

TEST_F(LogicalStageEndsTest, waits_for_no_transaction_of_its_own_when_it_stops) {
  make({.passes_over = [](const change::RowChange&, std::string_view) { return true; }});
  say_transaction(Lsn(1000), Lsn(1048));
  settle();
  stage_->stop();
  EXPECT_EQ(after(milliseconds(100)).kind, Step::Kind::done) << "no position will ever reach its end";
  EXPECT_EQ(handed(), "BC");
}

TEST_F(LogicalStageEndsTest, stops_at_once_without_a_connection) {
  make({});
  slot_.fail_next(lost());
  settle();
  stage_->stop();
  EXPECT_EQ(settle().kind, Step::Kind::done);
  EXPECT_TRUE(events_->drained());
}

TEST_F(LogicalStageEndsTest, stops_inside_a_transaction_that_is_applied_in_pieces) {
  make({});
  say_transaction(Lsn(1000), Lsn(1048));
  slot_.say(testing::begin(Lsn(1048)));
  for (int i = 0; i < 3; ++i) slot_.say(testing::insert(kTable, {std::to_string(i), "1"}));
  settle();
  acknowledgement_->advance({Lsn(1048), 0});
  acknowledgement_->advance({Lsn(1048), 2});
  stage_->stop();
  EXPECT_EQ(after(milliseconds(100)).kind, Step::Kind::done);
  EXPECT_EQ(flushed(), Lsn(1048)) << "what came before it is in the graph";
}

TEST_F(LogicalStageEndsTest, does_not_wait_for_a_commit_that_it_did_not_hand_on) {
  make({}, {.items_max = 2, .bytes_max = 1 << 20});
  say_transaction(Lsn(1000), Lsn(1048));
  settle();
  stage_->stop();
  EXPECT_EQ(settle().kind, Step::Kind::done) << "the commit found no room, and was let go";
  EXPECT_EQ(handed(), "BI");
}

TEST_F(LogicalStageEndsTest, does_not_wait_for_the_rest_of_a_transaction_that_it_started_in) {
  make({.start = {Lsn(1000), 2}});
  settle();
  stage_->stop();
  EXPECT_EQ(settle().kind, Step::Kind::done);
}

}  // namespace
}  // namespace cnx::capture
