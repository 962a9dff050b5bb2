#include "capture/logical/logical_stage.hpp"

#include <gtest/gtest.h>

#include "capture/logical/testing/logical_line.hpp"

namespace cnx::capture {
namespace {

using change::Lsn;
using change::Position;
using std::chrono::milliseconds;
using std::chrono::seconds;
using stream::Step;
using testing::kStart;
using testing::kTable;
using testing::lost;

class LogicalStageTest : public testing::LogicalLine {};

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

TEST_F(LogicalStageTest, asks_a_quiet_server_for_a_sign_of_life_and_leaves_one_that_gives_none) {
  make({});
  settle();
  after(slot_.status_interval);
  EXPECT_TRUE(slot_.statuses.back().update.reply_requested);
  slot_.keep_alive(kStart);
  settle();
  EXPECT_EQ(counters_.heard, 1u);
  EXPECT_EQ(counters_.received, 1u) << "how far its log goes, once";
  slot_.keep_alive(kStart);
  after(slot_.status_interval / 2);
  EXPECT_FALSE(slot_.statuses.back().update.reply_requested && slot_.statuses.size() > 1) << "it is not quiet";
  EXPECT_EQ(counters_.heard, 2u);
  EXPECT_EQ(counters_.received, 1u) << "the same again is nothing new";
  after(4 * slot_.status_interval);
  EXPECT_TRUE(slot_.connected);
  after(milliseconds(1));
  EXPECT_FALSE(slot_.connected);
  ASSERT_EQ(retries_.size(), 1u);
  EXPECT_EQ(retries_[0], "PostgreSQL gave no sign of life on the replication connection");
  settle();
  after(seconds(1));
  EXPECT_TRUE(slot_.connected) << "and comes back";
}

TEST_F(LogicalStageTest, does_not_take_its_own_full_line_for_the_servers_silence) {
  make({}, {.items_max = 2, .bytes_max = 1 << 20});
  say_transaction(Lsn(1000), Lsn(1048), 5);
  settle();
  for (int i = 0; i < 600; ++i) after(seconds(1));
  EXPECT_TRUE(slot_.connected);
  EXPECT_FALSE(slot_.statuses.back().update.reply_requested);
  while (!handed().empty()) settle();
  EXPECT_TRUE(slot_.connected);
  EXPECT_EQ(counters_.handed, 1048u);
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
  settle();
  Step step = after(milliseconds(100));
  EXPECT_EQ(step.until, now_ + seconds(10) - milliseconds(100));
  after(seconds(10) - milliseconds(101));
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

TEST_F(LogicalStageTest, says_soon_that_it_is_in_step_past_what_is_no_change_of_ours) {
  make({.passes_over = [](const change::RowChange&, std::string_view) { return true; }});
  settle();
  say_transaction(Lsn(1000), Lsn(1048));
  settle();
  after(milliseconds(100));
  EXPECT_EQ(handed(), "BC");
  EXPECT_EQ(written(), Lsn(1048)) << "all of it was our own";
  EXPECT_EQ(flushed(), kStart) << "the position in the graph has not moved";
  slot_.keep_alive(Lsn(2000));
  after(milliseconds(100));
  EXPECT_EQ(written(), Lsn(2000));
  const size_t statuses = slot_.statuses.size();
  for (int i = 0; i < 90; ++i) after(milliseconds(100));
  EXPECT_EQ(slot_.statuses.size(), statuses) << "once is enough";
  EXPECT_EQ(handed(), "") << "and none of it is worth a transaction in the graph";
  after(seconds(1));
  EXPECT_EQ(handed(), "W");
}

TEST_F(LogicalStageTest, is_not_in_step_past_what_the_graph_lacks) {
  make({});
  say_transaction(Lsn(1000), Lsn(1048));
  slot_.keep_alive(Lsn(5000), true);
  settle();
  after(milliseconds(100));
  EXPECT_EQ(written(), kStart);
  slot_.say(testing::begin(Lsn(6000)));
  settle();
  acknowledgement_->advance({Lsn(1048), 0});
  after(seconds(1));
  EXPECT_EQ(written(), Lsn(1048)) << "and not past a transaction that is open";
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

}  // namespace
}  // namespace cnx::capture
