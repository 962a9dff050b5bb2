#include "apply/lane_stage.hpp"

#include <gtest/gtest.h>

#include "apply/testing/lane_line.hpp"

namespace cnx::apply {
namespace {

using change::Lsn;
using std::chrono::milliseconds;
using stream::Step;
using testing::at;
using testing::kEpoch;
using testing::LaneLine;
using testing::ScriptedGraph;
using Fate = ScriptedGraph::Fate;

TEST_F(LaneLine, applies_batches_in_order_and_acknowledges_each) {
  for (uint64_t lsn : {600u, 700u, 800u}) batch(at(lsn), 5);
  settle();
  EXPECT_EQ(graph_.committed, (std::vector{at(600), at(700), at(800)}));
  EXPECT_EQ(acknowledged(), Lsn(800));
  EXPECT_EQ(counters_.rows, 15u);
  EXPECT_EQ(counters_.batches, 3u);
}

TEST_F(LaneLine, acknowledges_nothing_before_the_commit) {
  graph_.fates = {Fate::never_ends};
  batch(at(600));
  Step step = settle();
  EXPECT_EQ(graph_.submits, 1u);
  EXPECT_EQ(acknowledged(), Lsn(500));
  EXPECT_EQ(step.descriptor, ScriptedGraph::kDescriptor);
  EXPECT_TRUE(step.readable);
}

TEST_F(LaneLine, prepares_the_next_batch_while_one_is_under_way) {
  graph_.fates = {Fate::never_ends};
  for (uint64_t lsn : {600u, 700u, 800u}) batch(at(lsn));
  settle();
  EXPECT_EQ(graph_.submits, 1u);
  EXPECT_EQ(graph_.prepares, 2u);
}

TEST_F(LaneLine, does_not_repeat_a_batch_whose_answer_alone_was_lost) {
  graph_.fates = {Fate::answer_lost};
  batch(at(600));
  batch(at(700));
  settle_in_time();
  EXPECT_EQ(graph_.committed, (std::vector{at(600), at(700)}));
  EXPECT_EQ(graph_.submits, 2u);
  EXPECT_EQ(acknowledged(), Lsn(700));
}

TEST_F(LaneLine, repeats_a_batch_that_was_lost) {
  graph_.fates = {Fate::lost, Fate::transient, Fate::lost};
  batch(at(600));
  settle_in_time();
  EXPECT_EQ(graph_.committed, (std::vector{at(600)}));
  EXPECT_EQ(graph_.submits, 4u);
  EXPECT_EQ(graph_.prepares, 1u);
  EXPECT_EQ(retries_, 3u);
}

TEST_F(LaneLine, shows_that_the_graph_answers_once_for_each_answer_however_often_it_is_asked) {
  graph_.fates = {Fate::answers_first, Fate::answers_first, Fate::answers_first, Fate::never_ends};
  batch(at(600));
  settle_in_time();
  EXPECT_EQ(graph_.submits, 4u);
  EXPECT_EQ(counters_.answers, 3u) << "the same three again are no movement";
  EXPECT_TRUE(counters_.under_way);
}

TEST_F(LaneLine, tells_of_each_batch_that_was_committed_and_how_long_it_took) {
  std::vector<std::pair<LanePosition, Duration>> told;
  stage_.emplace(*batches_, graph_, *acknowledgement_, counters_,
                 LaneOptions{.start = graph_.stored,
                             .on_batch = [&](const Batch& batch, Duration took) { told.emplace_back(batch.to, took); }},
                 nullptr);
  graph_.fates = {Fate::transient, Fate::answer_lost};
  batch(at(600));
  const TimePoint begun = now_;
  settle_in_time();
  ASSERT_EQ(told.size(), 1u);
  EXPECT_EQ(told[0], std::pair(at(600), now_ - begun)) << "with what was tried again";
  EXPECT_FALSE(counters_.under_way);
  EXPECT_EQ(counters_.answers, 1u);
}

// The position that is read does not show a transaction that still runs on the server: the
// compare-and-set waits for it, and finds it out.
TEST_F(LaneLine, finds_out_a_transaction_that_outlived_its_connection) {
  graph_.fates = {Fate::late};
  batch(at(600));
  batch(at(700));
  settle_in_time();
  EXPECT_EQ(graph_.committed, (std::vector{at(600), at(700)}));
  EXPECT_EQ(acknowledged(), Lsn(700));
}

TEST_F(LaneLine, stops_where_another_instance_has_taken_over) {
  settle();
  graph_.stored.epoch = kEpoch + 1;
  batch(at(600));
  Step step = settle_in_time();
  ASSERT_EQ(step.kind, Step::Kind::failed);
  EXPECT_EQ(step.error->kind(), ErrorKind::state);
  EXPECT_NE(step.error->message().find("taken over"), std::string::npos);
  EXPECT_TRUE(graph_.committed.empty());
  EXPECT_EQ(acknowledged(), Lsn(500));
}

TEST_F(LaneLine, stops_where_the_position_is_another) {
  settle();
  for (LanePosition other : {at(400), at(550), at(601)}) {
    make(at(500));
    settle();
    graph_.stored.lane = other;
    batch(at(600));
    Step step = settle_in_time();
    ASSERT_EQ(step.kind, Step::Kind::failed);
    EXPECT_EQ(step.error->kind(), ErrorKind::state);
    EXPECT_EQ(acknowledged(), Lsn(500));
  }
}

TEST_F(LaneLine, stops_where_the_position_is_another_before_the_first_batch) {
  graph_.stored.lane = at(400);
  Step step = settle();
  ASSERT_EQ(step.kind, Step::Kind::failed);
  EXPECT_FALSE(step.error->advice().empty());
}

TEST_F(LaneLine, a_position_in_another_phase_is_another_position) {
  LanePosition copying = at(500);
  copying.phase = Phase::snapshot;
  graph_.stored.lane = copying;
  EXPECT_EQ(settle().kind, Step::Kind::failed);
}

TEST_F(LaneLine, stops_at_what_no_retry_cures) {
  graph_.fates = {Fate::refused_for_good};
  batch(at(600));
  Step step = settle();
  ASSERT_EQ(step.kind, Step::Kind::failed);
  EXPECT_EQ(step.error->code(), "Neo.ClientError.Statement.SyntaxError");
  EXPECT_EQ(retries_, 0u);
}

TEST_F(LaneLine, stops_where_the_graph_has_no_position) {
  graph_.open_failures.push_back(Error(ErrorKind::state, "the graph has no position"));
  EXPECT_EQ(settle().kind, Step::Kind::failed);
}

TEST_F(LaneLine, backs_off_between_connections_and_starts_anew_after_a_commit) {
  for (int i = 0; i < 10; ++i) {
    graph_.open_failures.push_back(Error(ErrorKind::unavailable, "nobody answers"));
  }
  batch(at(600));
  Duration longest{};
  for (size_t i = 1; i <= 10; ++i) {
    Step step = settle();
    ASSERT_EQ(step.until, now_ + last_wait_);
    EXPECT_EQ(graph_.opened.size(), i);
    now_ = step.until - milliseconds(1);
    settle();
    EXPECT_EQ(graph_.opened.size(), i) << "too early";
    now_ += milliseconds(1);
    longest = std::max(longest, last_wait_);
  }
  EXPECT_GE(longest, std::chrono::seconds(5));
  EXPECT_LE(longest, std::chrono::seconds(6));
  settle();
  EXPECT_EQ(acknowledged(), Lsn(600));
  graph_.fates = {Fate::lost};
  batch(at(700));
  settle();
  EXPECT_LE(last_wait_, milliseconds(60));
}

TEST_F(LaneLine, a_copy_is_acknowledged_once_it_is_whole) {
  make({.position = {}, .phase = Phase::snapshot});
  batch({.position = {Lsn(), 1}, .phase = Phase::snapshot});
  batch({.position = {Lsn(), 2}, .phase = Phase::snapshot});
  settle();
  EXPECT_EQ(graph_.committed.size(), 2u);
  EXPECT_EQ(acknowledgement_->position(), change::Position{}) << "nothing may be confirmed yet";
  batch(at(800));
  settle();
  EXPECT_EQ(acknowledged(), Lsn(800));
}

TEST_F(LaneLine, counts_updates_that_the_graph_refused_as_older) {
  graph_.refused = 2;
  batch(at(600));
  settle();
  EXPECT_EQ(counters_.refused, 2u);
}

TEST_F(LaneLine, finishes_what_is_queued_and_ends) {
  graph_.fates = {Fate::answer_lost, Fate::lost};
  batch(at(600));
  batch(at(700));
  batches_->close();
  EXPECT_EQ(settle_in_time().kind, Step::Kind::done);
  EXPECT_EQ(acknowledged(), Lsn(700));
}

TEST_F(LaneLine, needs_no_connection_to_end_with_nothing_in_hand) {
  batches_->close();
  EXPECT_EQ(settle().kind, Step::Kind::done);
  EXPECT_TRUE(graph_.opened.empty());
}

TEST_F(LaneLine, ends_with_the_reason_of_the_queue) {
  graph_.fates = {Fate::never_ends};
  batch(at(600));
  settle();
  batches_->fail(Error(ErrorKind::timeout, "given up"));
  Step step = settle();
  ASSERT_EQ(step.kind, Step::Kind::failed);
  EXPECT_EQ(step.error->message(), "given up");
}

// Every fate for each of three batches: each takes effect once, in order.
TEST_F(LaneLine, applies_each_batch_once_whatever_happens_to_it) {
  const std::vector kFates = {Fate::done, Fate::lost, Fate::answer_lost, Fate::late,
                              Fate::transient};
  for (Fate first : kFates) {
    for (Fate second : kFates) {
      for (Fate third : kFates) {
        make(at(500));
        graph_.fates = {first, second, third};
        for (uint64_t lsn : {600u, 700u, 800u}) batch(at(lsn));
        batches_->close();
        ASSERT_EQ(settle_in_time().kind, Step::Kind::done);
        ASSERT_EQ(graph_.committed, (std::vector{at(600), at(700), at(800)}));
        ASSERT_EQ(acknowledged(), Lsn(800));
      }
    }
  }
}

// Removals that are too many for one transaction.

using Kind = Part::Kind;

std::vector<std::pair<Kind, size_t>> kinds(const std::vector<Part>& parts) {
  std::vector<std::pair<Kind, size_t>> all;
  for (const Part& part : parts) all.emplace_back(part.kind, part.step);
  return all;
}

TEST_F(LaneLine, what_was_refused_together_is_tried_apart_once) {
  graph_.fates = {Fate::together};
  batch(at(600));
  batch(at(700));
  settle_in_time();
  std::vector<bool> apart;
  for (const Part& part : graph_.parts) apart.push_back(part.apart);
  EXPECT_EQ(apart, (std::vector<bool>{false, true, false}));
  EXPECT_EQ(graph_.stored.lane, at(700));
  EXPECT_EQ(counters_.removals_in_pieces, 0u);
}

TEST_F(LaneLine, removes_in_pieces_what_is_too_large_at_once) {
  graph_.removal_steps = 2;
  graph_.fates = {Fate::too_large};
  graph_.pieces_remove = {10, 10, 0, 5, 0};
  batch(at(600));
  batch(at(700));
  settle_in_time();
  EXPECT_EQ(kinds(graph_.parts),
            (std::vector<std::pair<Kind, size_t>>{{Kind::whole, 0},
                                                  {Kind::piece, 0},
                                                  {Kind::piece, 0},
                                                  {Kind::piece, 0},
                                                  {Kind::piece, 1},
                                                  {Kind::piece, 1},
                                                  {Kind::rest, 0},
                                                  {Kind::whole, 0}}));
  EXPECT_EQ(graph_.stored.lane, at(700));
  EXPECT_EQ(acknowledgement_->position(), (change::Position{Lsn(700), 0}));
  EXPECT_EQ(counters_.batches, 2u);
}

TEST_F(LaneLine, says_partial_and_until_where_while_a_removal_is_in_pieces) {
  graph_.removal_steps = 1;
  graph_.fates = {Fate::too_large};
  graph_.pieces_remove = {10, 0};
  batch(at(600));
  settle_in_time();
  ASSERT_EQ(graph_.committed.size(), 3u);
  LanePosition half = at(500);
  half.partial = true;
  half.partial_until = Lsn(600);
  EXPECT_EQ(graph_.committed[0], half);
  EXPECT_EQ(graph_.committed[1], half);
  EXPECT_EQ(graph_.committed[2], at(600));
}

TEST_F(LaneLine, goes_on_with_the_pieces_after_each_way_to_lose_the_connection) {
  for (Fate fate : {Fate::lost, Fate::answer_lost, Fate::late, Fate::transient}) {
    for (size_t before = 0; before < 4; ++before) {
      make(at(500));
      graph_.removal_steps = 2;
      graph_.fates = {Fate::too_large};
      graph_.fates.insert(graph_.fates.end(), before, Fate::done);
      graph_.fates.push_back(fate);
      graph_.pieces_remove = {10};
      batch(at(600));
      settle_in_time();
      EXPECT_EQ(graph_.stored.lane, at(600)) << static_cast<int>(fate) << " after " << before;
      EXPECT_EQ(graph_.committed.back(), at(600));
    }
  }
}

TEST_F(LaneLine, does_not_confirm_a_batch_of_which_only_pieces_are_done) {
  graph_.removal_steps = 1;
  graph_.fates = {Fate::too_large, Fate::done, Fate::never_ends};
  graph_.pieces_remove = {10};
  batch(at(600));
  settle();
  EXPECT_EQ(acknowledgement_->position(), (change::Position{Lsn(500), 0}));
  EXPECT_EQ(counters_.batches, 0u);
}

TEST_F(LaneLine, stops_where_even_the_pieces_are_too_large) {
  graph_.removal_steps = 1;
  graph_.fates = {Fate::too_large, Fate::too_large};
  batch(at(600));
  EXPECT_EQ(settle_in_time().kind, Step::Kind::failed);
}

}  // namespace
}  // namespace cnx::apply
