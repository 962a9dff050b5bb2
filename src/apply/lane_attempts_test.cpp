// What a lane tells of each attempt at a batch, and when it waits for whoever is told.
#include "apply/testing/lane_line.hpp"

namespace cnx::apply {
namespace {

using change::Lsn;
using testing::at;
using Fate = testing::ScriptedGraph::Fate;

class LaneAttempts : public testing::LaneLine {
 protected:
  void SetUp() override {
    const char* const words[] = {"applied", "retried", "lost", "refused", "failed"};
    LaneOptions options{.start = graph_.stored};
    options.on_attempt = [this, words](Batch& batch, const Attempt& attempt) {
      told_.push_back(words[static_cast<int>(attempt.outcome)] + std::string(" ") + std::to_string(attempt.number));
      acknowledged_then_.push_back(acknowledged());
      ids_.insert(batch.correlation_id);
      if (attempt.error != nullptr) errors_.push_back(attempt.error->describe());
    };
    options.may_begin = [this] { return may_begin_; };
    options.source = {"7", "app"};
    stage_.emplace(*batches_, graph_, *acknowledgement_, counters_, options, [](const Error&, Duration) {});
  }

  std::vector<std::string> told_;
  std::vector<Lsn> acknowledged_then_;
  std::set<std::string> ids_;
  std::vector<std::string> errors_;
  bool may_begin_ = true;
};

using Told = std::vector<std::string>;

TEST_F(LaneAttempts, one_that_is_applied_is_told_before_its_position_is_acknowledged) {
  batch(at(600));
  settle();
  EXPECT_EQ(told_, Told{"applied 1"});
  EXPECT_EQ(acknowledged_then_, std::vector{Lsn(500)});
  EXPECT_EQ(acknowledged(), Lsn(600));
  EXPECT_EQ(ids_, std::set{change::correlation_id("7", "app", {Lsn(600), 0})});
}

TEST_F(LaneAttempts, each_failure_is_told_with_the_batchs_id) {
  graph_.fates = {Fate::transient, Fate::outdated, Fate::lost};
  batch(at(600));
  settle_in_time();
  EXPECT_EQ(told_, (Told{"retried 1", "retried 2", "lost 3", "applied 4"}));
  EXPECT_EQ(ids_.size(), 1u) << "a replay has the same";
  for (const std::string& error : errors_) EXPECT_NE(error.find("correlation_id=" + *ids_.begin()), std::string::npos) << error;
}

TEST_F(LaneAttempts, one_whose_answer_was_lost_turns_out_to_be_applied) {
  graph_.fates = {Fate::answer_lost};
  batch(at(600));
  settle_in_time();
  EXPECT_EQ(told_, (Told{"lost 1", "applied 1"}));
}

TEST_F(LaneAttempts, what_is_given_up_and_what_stops_the_line_are_told_apart) {
  graph_.fates = {Fate::row_refused};
  batch(at(600));
  EXPECT_EQ(settle().kind, stream::Step::Kind::failed);
  EXPECT_EQ(told_, Told{"refused 1"});
  make(at(500));
  SetUp();
  told_.clear();
  graph_.fates = {Fate::refused_for_good};
  batch(at(600));
  EXPECT_EQ(settle().kind, stream::Step::Kind::failed);
  EXPECT_EQ(told_, Told{"failed 1"});
}

TEST_F(LaneAttempts, a_connection_that_cannot_be_made_is_no_attempt) {
  graph_.open_failures = {Error(ErrorKind::unavailable, "away"), Error(ErrorKind::unavailable, "away")};
  batch(at(600));
  settle_in_time();
  EXPECT_EQ(told_, Told{"applied 1"});
}

TEST_F(LaneAttempts, removals_in_pieces_are_an_attempt_of_their_own) {
  graph_.removal_steps = 1;
  graph_.fates = {Fate::too_large};
  batch(at(600));
  settle_in_time();
  EXPECT_EQ(told_, (Told{"retried 1", "applied 2"}));
}

TEST_F(LaneAttempts, what_moves_the_position_alone_has_no_id) {
  batch(at(600), 0);
  settle();
  EXPECT_EQ(ids_, std::set<std::string>{""});
}

TEST_F(LaneAttempts, none_begins_while_there_is_no_room_to_tell_of_it) {
  may_begin_ = false;
  batch(at(600));
  batch(at(700));
  const stream::Step step = settle();
  EXPECT_EQ(step.kind, stream::Step::Kind::waiting);
  EXPECT_LT(step.until, now_ + std::chrono::seconds(1)) << "it asks again";
  EXPECT_EQ(graph_.submits, 0u);
  may_begin_ = true;
  now_ = step.until;
  settle();
  EXPECT_EQ(acknowledged(), Lsn(700));
}

TEST_F(LaneAttempts, a_line_that_ends_waits_for_nobody) {
  batch(at(600));
  settle();
  may_begin_ = false;
  batches_->close();
  EXPECT_EQ(settle().kind, stream::Step::Kind::done);
}

}  // namespace
}  // namespace cnx::apply
