#include "capture/logical/logical_stage.hpp"

#include <gtest/gtest.h>

#include "capture/logical/testing/scripted_slot.hpp"

namespace cnx::capture {
namespace {

using change::Lsn;
using change::Position;
using std::chrono::milliseconds;
using std::chrono::seconds;
using stream::Step;
using testing::ScriptedSlot;

constexpr uint32_t kTable = 4711;
constexpr Lsn kStart(500);

Error lost() {
  return Error(ErrorKind::unavailable, "the connection was cut");
}

// The stage between a scripted slot and a queue that the test empties.
class LogicalStageTest : public ::testing::Test {
 protected:
  void make(LogicalOptions options, stream::QueueLimits limits = {}) {
    if (options.start == Position{}) options.start = {kStart, 0};
    events_.emplace(limits);
    acknowledgement_.emplace();
    acknowledgement_->advance(options.start);
    stage_.emplace(slot_, *events_, *acknowledgement_, counters_, options,
                   [this](const Error& error, Duration wait) {
                     retries_.push_back(error.message());
                     last_wait_ = wait;
                   });
  }

  Step step() {
    slot_.now = now_;
    return stage_->step(now_);
  }
  // Steps until there is nothing more to do now.
  Step settle() {
    for (int i = 0; i < 1000; ++i) {
      Step step = this->step();
      if (step.kind != Step::Kind::progressed) return step;
    }
    ADD_FAILURE() << "it never comes to rest";
    return Step::done();
  }
  Step after(Duration duration) {
    now_ += duration;
    return settle();
  }

  void say_transaction(Lsn final_lsn, Lsn end_lsn, int rows = 1) {
    slot_.say(testing::begin(final_lsn));
    slot_.say(testing::relation(kTable, "counted", {"id", "value"}));
    for (int i = 0; i < rows; ++i) slot_.say(testing::insert(kTable, {std::to_string(i), "1"}));
    slot_.say(testing::commit(final_lsn, end_lsn));
  }

  // What was handed on since the last call: B, I, C, or W for an idle advance.
  std::string handed() {
    std::string kinds;
    while (std::optional<change::Event> event = events_->try_pop()) {
      if (std::holds_alternative<change::Begin>(*event)) kinds += 'B';
      if (std::holds_alternative<change::RowChange>(*event)) kinds += 'I';
      if (std::holds_alternative<change::Commit>(*event)) kinds += 'C';
      if (const auto* idle = std::get_if<change::Idle>(&*event)) {
        kinds += 'W';
        idle_at_ = idle->wal_end;
      }
    }
    return kinds;
  }

  Lsn flushed() const {
    return slot_.statuses.empty() ? Lsn() : slot_.statuses.back().update.flushed;
  }

  ScriptedSlot slot_;
  std::optional<stream::Queue<change::Event>> events_;
  std::optional<stream::Acknowledgement> acknowledgement_;
  LogicalCounters counters_;
  std::optional<LogicalStage> stage_;
  TimePoint now_ = TimePoint(std::chrono::hours(1));
  std::vector<std::string> retries_;
  Duration last_wait_{};
  Lsn idle_at_;
};

TEST_F(LogicalStageTest, opens_the_slot_with_what_the_graph_holds) {
  make({.start = {Lsn(700), 3}});
  settle();
  ASSERT_EQ(slot_.opened.size(), 1u);
  EXPECT_EQ(slot_.opened[0], (Position{Lsn(700), 3}));
}

TEST_F(LogicalStageTest, confirms_what_the_graph_holds_and_not_what_was_read) {
  make({});
  say_transaction(Lsn(1000), Lsn(1048));
  settle();
  EXPECT_EQ(handed(), "BIC");
  after(slot_.status_interval);
  EXPECT_EQ(flushed(), kStart) << "read, and not in the graph";
  EXPECT_EQ(slot_.statuses.back().update.applied, kStart);
  acknowledgement_->advance({Lsn(1048), 0});
  after(seconds(1));
  EXPECT_EQ(flushed(), Lsn(1048));
}

TEST_F(LogicalStageTest, confirms_no_more_in_the_answer_to_a_keep_alive) {
  make({});
  say_transaction(Lsn(1000), Lsn(1048));
  slot_.keep_alive(Lsn(9000), true);
  settle();
  after(milliseconds(100));
  ASSERT_EQ(slot_.statuses.size(), 1u);
  EXPECT_EQ(flushed(), kStart);
}

TEST_F(LogicalStageTest, confirms_nothing_new_inside_a_transaction_that_is_applied_in_part) {
  make({});
  say_transaction(Lsn(1000), Lsn(1048), 3);
  settle();
  acknowledgement_->advance({Lsn(1000), 2});
  after(slot_.status_interval);
  EXPECT_EQ(flushed(), kStart);
}

TEST_F(LogicalStageTest, confirms_nothing_where_it_starts_inside_a_transaction) {
  make({.start = {Lsn(1000), 2}});
  settle();
  after(slot_.status_interval);
  EXPECT_EQ(flushed(), Lsn()) << "0/0 confirms nothing";
}

TEST_F(LogicalStageTest, says_where_it_is_every_quarter_of_the_servers_patience) {
  make({});
  settle();
  for (int i = 0; i < 600; ++i) after(milliseconds(100));
  ASSERT_EQ(slot_.statuses.size(), 4u) << "one in 15 s";
  EXPECT_EQ(slot_.statuses[1].at - slot_.statuses[0].at, slot_.status_interval);
}

TEST_F(LogicalStageTest, says_where_it_is_though_the_line_is_full) {
  make({}, {.items_max = 2, .bytes_max = 1 << 20});
  say_transaction(Lsn(1000), Lsn(1048), 5);
  Step step = settle();
  EXPECT_FALSE(step.readable) << "nothing is read while an event waits for room";
  EXPECT_EQ(step.until, now_ + slot_.status_interval);
  for (int i = 0; i < 60; ++i) after(seconds(1));
  EXPECT_EQ(slot_.statuses.size(), 4u);
  EXPECT_FALSE(slot_.all_read());
}

TEST_F(LogicalStageTest, answers_keep_alives_no_faster_than_every_tenth_of_a_second) {
  make({});
  settle();
  for (int i = 0; i < 300; ++i) {
    slot_.keep_alive(kStart, true);
    after(milliseconds(10));
  }
  EXPECT_LE(slot_.statuses.size(), 30u);
  EXPECT_GE(slot_.statuses.size(), 29u);
  for (size_t i = 1; i < slot_.statuses.size(); ++i) {
    EXPECT_GE(slot_.statuses[i].at - slot_.statuses[i - 1].at, milliseconds(100));
  }
  EXPECT_TRUE(slot_.connected) << "nothing is held: a server that asks is only answered";
}

TEST_F(LogicalStageTest, leaves_a_stopping_server_that_waits_for_work_that_is_held) {
  make({});
  say_transaction(Lsn(1000), Lsn(1048));
  settle();
  for (int i = 0; i < 4; ++i) {
    slot_.keep_alive(Lsn(1048), true);
    after(milliseconds(100));
    EXPECT_TRUE(slot_.connected);
  }
  slot_.keep_alive(Lsn(1048), true);
  Step step = after(milliseconds(100));
  EXPECT_FALSE(slot_.connected);
  EXPECT_EQ(retries_.size(), 1u);
  EXPECT_EQ(step.until, now_ + last_wait_);
  EXPECT_EQ(handed(), "BIC") << "what was read stays on its way";
  after(seconds(1));
  EXPECT_EQ(slot_.opened.size(), 2u);
}

TEST_F(LogicalStageTest, stays_where_a_server_asks_now_and_then) {
  make({});
  say_transaction(Lsn(1000), Lsn(1048));
  settle();
  for (int i = 0; i < 20; ++i) {
    slot_.keep_alive(Lsn(1048), true);
    after(milliseconds(300));
  }
  EXPECT_TRUE(slot_.connected);
  EXPECT_TRUE(retries_.empty());
}

TEST_F(LogicalStageTest, moves_an_idle_slot_after_ten_seconds_the_position_first) {
  make({});
  settle();
  slot_.keep_alive(Lsn(5000));
  Step step = settle();
  EXPECT_EQ(step.until, now_ + seconds(10));
  after(seconds(10) - milliseconds(1));
  EXPECT_EQ(handed(), "");
  after(milliseconds(1));
  EXPECT_EQ(handed(), "W");
  EXPECT_EQ(idle_at_, Lsn(5000));
  for (int i = 0; i < 30; ++i) after(seconds(1));
  EXPECT_EQ(flushed(), kStart) << "handed on, and not yet in the graph";
  acknowledgement_->advance({Lsn(5000), 0});
  after(seconds(1));
  EXPECT_EQ(flushed(), Lsn(5000));
}

TEST_F(LogicalStageTest, moves_an_idle_slot_at_once_past_sixteen_megabytes) {
  make({});
  settle();
  slot_.keep_alive(Lsn(kStart.value() + (16u << 20) - 1));
  settle();
  EXPECT_EQ(handed(), "");
  slot_.keep_alive(Lsn(kStart.value() + (16u << 20)));
  settle();
  EXPECT_EQ(handed(), "W");
}

TEST_F(LogicalStageTest, moves_an_idle_slot_at_once_while_somebody_waits_for_it) {
  make({.wanted = Lsn(6000)});
  settle();
  slot_.keep_alive(Lsn(5000));
  settle();
  EXPECT_EQ(handed(), "W");
  after(milliseconds(100));
  ASSERT_FALSE(slot_.statuses.empty());
  EXPECT_TRUE(slot_.statuses.back().update.reply_requested) << "how far is the server now?";
  slot_.keep_alive(Lsn(6000));
  settle();
  EXPECT_EQ(handed(), "W");
  slot_.keep_alive(Lsn(7000));
  after(seconds(9));
  EXPECT_EQ(handed(), "") << "nobody waits any more";
  after(seconds(6));
  EXPECT_FALSE(slot_.statuses.back().update.reply_requested);
}

TEST_F(LogicalStageTest, never_moves_past_a_transaction_that_is_open) {
  make({.wanted = Lsn(100'000'000)});
  slot_.say(testing::begin(Lsn(1000)));
  slot_.keep_alive(Lsn(90'000'000), true);
  settle();
  slot_.say(testing::relation(kTable, "counted", {"id", "value"}));
  slot_.say(testing::insert(kTable, {"1", "1"}));
  slot_.keep_alive(Lsn(90'000'000));
  after(seconds(20));
  EXPECT_EQ(handed(), "BI");
  slot_.forget();
  slot_.fail_next(lost());
  settle();
  after(seconds(1));
  slot_.keep_alive(Lsn(90'000'000));
  after(seconds(20));
  EXPECT_EQ(handed(), "") << "half of a transaction was handed on before the connection was lost";
}

TEST_F(LogicalStageTest, does_not_move_by_what_was_said_inside_a_transaction) {
  make({});
  slot_.say(testing::begin(Lsn(1000)));
  slot_.keep_alive(Lsn(90'000'000));
  slot_.say(testing::commit(Lsn(1000), Lsn(1048)));
  after(seconds(20));
  EXPECT_EQ(handed(), "BC");
}

TEST_F(LogicalStageTest, waits_in_peace_for_room_for_an_idle_advance) {
  make({}, {.items_max = 3, .bytes_max = 1 << 20});
  say_transaction(Lsn(1000), Lsn(1048));
  slot_.keep_alive(Lsn(5000));
  settle();
  Step step = after(seconds(11));
  EXPECT_EQ(step.kind, Step::Kind::waiting);
  EXPECT_GT(step.until, now_) << "it would ask again at once, for as long as the line is full";
  EXPECT_EQ(handed(), "BIC");
  settle();
  EXPECT_EQ(handed(), "W");
}

TEST_F(LogicalStageTest, backs_off_between_connections_and_starts_anew_after_a_row) {
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

TEST_F(LogicalStageTest, takes_the_servers_end_of_the_stream_as_a_lost_connection) {
  make({});
  slot_.end();
  settle();
  EXPECT_FALSE(slot_.connected);
  EXPECT_EQ(retries_.size(), 1u);
}

TEST_F(LogicalStageTest, ends_the_line_with_what_no_retry_cures) {
  make({});
  slot_.fail_next(Error(ErrorKind::state, "the graph is behind the slot"));
  Step step = settle();
  ASSERT_EQ(step.kind, Step::Kind::failed);
  EXPECT_EQ(step.error->kind(), ErrorKind::state);
  ASSERT_TRUE(events_->failure());
  EXPECT_EQ(events_->failure()->message(), "the graph is behind the slot");
}

TEST_F(LogicalStageTest, ends_with_the_reason_of_the_other_end) {
  make({});
  settle();
  events_->fail(Error(ErrorKind::internal, "downstream"));
  Step step = settle();
  ASSERT_EQ(step.kind, Step::Kind::failed);
  EXPECT_EQ(step.error->message(), "downstream");
}

// The conversation once for each of its calls, with that call failing.
TEST_F(LogicalStageTest, hands_on_everything_once_whichever_call_fails) {
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

TEST_F(LogicalStageTest, stops_once_what_it_handed_on_is_confirmed) {
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

TEST_F(LogicalStageTest, stops_at_once_without_a_connection) {
  make({});
  slot_.fail_next(lost());
  settle();
  stage_->stop();
  EXPECT_EQ(settle().kind, Step::Kind::done);
  EXPECT_TRUE(events_->drained());
}

TEST_F(LogicalStageTest, stops_inside_a_transaction_that_is_applied_in_pieces) {
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

TEST_F(LogicalStageTest, does_not_wait_for_a_commit_that_it_did_not_hand_on) {
  make({}, {.items_max = 2, .bytes_max = 1 << 20});
  say_transaction(Lsn(1000), Lsn(1048));
  settle();
  stage_->stop();
  EXPECT_EQ(settle().kind, Step::Kind::done) << "the commit found no room, and was let go";
  EXPECT_EQ(handed(), "BI");
}

TEST_F(LogicalStageTest, does_not_wait_for_the_rest_of_a_transaction_that_it_started_in) {
  make({.start = {Lsn(1000), 2}});
  settle();
  stage_->stop();
  EXPECT_EQ(settle().kind, Step::Kind::done);
}

}  // namespace
}  // namespace cnx::capture
