// What a lane does with a batch that the graph refuses: as its class says, and nothing of it is passed.
#include "apply/testing/lane_line.hpp"

namespace cnx::apply {
namespace {

using stream::Step;
using testing::at;
using testing::ScriptedGraph;
using Fate = ScriptedGraph::Fate;

class LaneRefusalTest : public testing::LaneLine {
 protected:
  void batch_of(size_t transactions) {
    Batch batch;
    batch.from = end_;
    batch.to = at(600);
    batch.rows = transactions;
    batch.transactions = transactions;
    end_ = batch.to;
    ASSERT_TRUE(batches_->try_push(std::move(batch), 1));
  }
};

TEST_F(LaneRefusalTest, rows_at_fault_end_the_pass_at_once_with_their_batch) {
  for (Fate fate : {Fate::row_refused, Fate::out_of_memory}) {
    make(at(500));
    graph_.fates = {fate};
    batch_of(3);
    Step step = settle_in_time();
    ASSERT_EQ(step.kind, Step::Kind::failed);
    EXPECT_EQ(graph_.submits, 1u) << "the same again would fail again";
    std::optional<RefusedBatch> refused = stage_->take_refused();
    ASSERT_TRUE(refused);
    EXPECT_EQ(refused->batch.to, at(600));
    EXPECT_EQ(refused->statement, "insert Counted");
    EXPECT_EQ(refused->error.code(), step.error->code());
    EXPECT_TRUE(graph_.committed.empty());
    EXPECT_EQ(acknowledged(), change::Lsn(500));
  }
}

TEST_F(LaneRefusalTest, a_deadlock_is_tried_again_with_back_off_then_the_batch_is_cut) {
  graph_.fates.assign(10, Fate::transient);
  batch_of(3);
  EXPECT_EQ(settle_in_time().kind, Step::Kind::failed);
  EXPECT_EQ(graph_.submits, 4u);
  EXPECT_EQ(retries_, 3u);
  EXPECT_TRUE(stage_->take_refused());
}

TEST_F(LaneRefusalTest, one_transaction_is_tried_until_the_deadlocks_end) {
  graph_.fates.assign(30, Fate::transient);
  batch_of(1);
  settle_in_time();
  EXPECT_EQ(graph_.committed, std::vector{at(600)});
  EXPECT_EQ(graph_.submits, 31u);
  EXPECT_FALSE(stage_->take_refused());
}

TEST_F(LaneRefusalTest, what_is_outdated_is_tried_at_once_and_then_with_back_off) {
  graph_.fates = {Fate::outdated};
  batch_of(1);
  settle();
  EXPECT_EQ(last_wait_, Duration::zero());
  graph_.fates = {};
  settle_in_time();
  EXPECT_EQ(graph_.committed, std::vector{at(600)});

  make(at(500));
  graph_.fates.assign(2, Fate::outdated);
  batch_of(1);
  settle_in_time();
  EXPECT_GT(last_wait_, Duration::zero());
  EXPECT_EQ(graph_.committed, std::vector{at(600)});
}

TEST_F(LaneRefusalTest, what_is_refused_for_good_is_no_rows_fault) {
  graph_.fates = {Fate::refused_for_good};
  batch_of(3);
  EXPECT_EQ(settle_in_time().kind, Step::Kind::failed);
  EXPECT_FALSE(stage_->take_refused());
}

}  // namespace
}  // namespace cnx::apply
