#include "apply/batch_stage.hpp"

#include <gtest/gtest.h>

#include "apply/testing/counted_table.hpp"

namespace cnx::apply {
namespace {

using change::Lsn;
using change::Position;
using stream::Step;

LanePosition streaming(Lsn lsn, uint64_t ordinal = 0) {
  return {.position = {lsn, ordinal}, .phase = Phase::stream, .partial = ordinal > 0};
}

class BatchStageTest : public ::testing::Test {
 protected:
  void make(BatchOptions options, stream::QueueLimits batch_limits = {.items_max = 100}) {
    if (options.start == LanePosition{}) options.start = streaming(Lsn(500));
    events_.emplace(stream::QueueLimits{});
    batches_.emplace(batch_limits);
    stage_.emplace(*events_, *batches_, table_.model(), types_, options);
    end_ = options.start;
  }

  Step settle() {
    for (int i = 0; i < 1000; ++i) {
      Step step = stage_->step(TimePoint{});
      if (step.kind != Step::Kind::progressed) return step;
    }
    ADD_FAILURE() << "it never comes to rest";
    return Step::done();
  }

  void push(change::Event event) { ASSERT_TRUE(events_->try_push(std::move(event), 1)); }
  void begin(Lsn final_lsn) { push(change::Begin{final_lsn, change::Xid(7), 1000}); }
  void rows(Lsn final_lsn, uint64_t first, uint64_t last, const std::string& value = "1") {
    for (uint64_t i = first; i <= last; ++i) {
      push(table_.row({final_lsn, i}, static_cast<int64_t>(final_lsn.value() + i), value));
    }
  }
  // final_lsn, the end 48 bytes on, and so many rows.
  void transaction(Lsn final_lsn, uint64_t count, const std::string& value = "1") {
    begin(final_lsn);
    rows(final_lsn, 1, count, value);
    push(change::Commit{Lsn(final_lsn.value() + 48)});
  }
  // Keeps the lane busy: a batch waits in the queue. Takes it away again at the next take().
  void keep_lane_busy() {
    transaction(Lsn(900), 1);
    settle();
  }

  // The next batch; each begins where the one before it ended.
  Batch take() {
    std::optional<Batch> batch = batches_->try_pop();
    if (!batch) {
      ADD_FAILURE() << "no batch";
      return {};
    }
    EXPECT_EQ(batch->from, end_) << batch->from.position.to_string();
    EXPECT_LT(end_.position, batch->to.position);
    end_ = batch->to;
    return std::move(*batch);
  }
  static size_t upserts(const Batch& batch) {
    size_t count = 0;
    for (const mapping::NodeMutations& node : batch.mutations.nodes) count += node.upserts.size();
    return count;
  }

  testing::CountedTable table_;
  postgres::TypeCatalog types_ = postgres::TypeCatalog::built_in();
  std::optional<stream::Queue<change::Event>> events_;
  std::optional<stream::Queue<Batch>> batches_;
  std::optional<BatchStage> stage_;
  LanePosition end_;
};

TEST_F(BatchStageTest, a_row_alone_goes_on_at_once) {
  make({});
  transaction(Lsn(1000), 1);
  settle();
  Batch batch = take();
  EXPECT_EQ(batch.to, streaming(Lsn(1048)));
  EXPECT_EQ(batch.rows, 1u);
  EXPECT_EQ(batch.transactions, 1u);
  EXPECT_EQ(batch.commit_microseconds, 1000);
  EXPECT_EQ(upserts(batch), 1u);
}

TEST_F(BatchStageTest, behind_a_busy_lane_transactions_wait_for_company) {
  make({});
  keep_lane_busy();
  for (uint64_t i = 1; i <= 5; ++i) transaction(Lsn(1000 * i), 2);
  settle();
  take();
  EXPECT_FALSE(batches_->try_pop());
  settle();
  Batch batch = take();
  EXPECT_EQ(batch.transactions, 5u);
  EXPECT_EQ(batch.rows, 10u);
  EXPECT_EQ(batch.to, streaming(Lsn(5048)));
}

TEST_F(BatchStageTest, is_woken_when_the_lane_runs_low) {
  make({}, {.items_max = 1});
  int woken = 0;
  batches_->on_room([&] { ++woken; });
  keep_lane_busy();
  transaction(Lsn(1000), 1);
  EXPECT_EQ(settle().until, kNever);
  take();
  EXPECT_EQ(woken, 1);
}

TEST_F(BatchStageTest, is_cut_by_rows_between_transactions) {
  make({.rows_target = 10});
  keep_lane_busy();
  for (uint64_t i = 1; i <= 8; ++i) transaction(Lsn(1000 * i), 4);
  settle();
  take();
  EXPECT_EQ(take().rows, 8u) << "a third transaction would be more than ten rows";
  EXPECT_EQ(take().rows, 8u);
  EXPECT_EQ(take().to, streaming(Lsn(6048)));
}

TEST_F(BatchStageTest, is_cut_by_bytes) {
  make({.rows_target = 1000, .bytes_target = 1000});
  keep_lane_busy();
  for (uint64_t i = 1; i <= 8; ++i) transaction(Lsn(1000 * i), 1, std::string(18, '1'));
  for (uint64_t i = 9; i <= 14; ++i) transaction(Lsn(1000 * i), 20, std::string(18, '1'));
  settle();
  take();
  Batch first = take();
  EXPECT_GE(first.bytes, 1000u);
  EXPECT_LT(first.bytes, 1500u) << "closed by the transaction that reaches the target";
  EXPECT_GE(take().bytes, 1000u);
}

TEST_F(BatchStageTest, holds_whole_transactions_only) {
  make({.rows_target = 3});
  begin(Lsn(1000));
  rows(Lsn(1000), 1, 20);
  settle();
  EXPECT_FALSE(batches_->try_pop()) << "the transaction is open";
  push(change::Commit{Lsn(1048)});
  settle();
  EXPECT_EQ(take().rows, 20u);
}

TEST_F(BatchStageTest, takes_a_transaction_whose_commit_begins_where_the_one_before_it_ended) {
  make({});
  transaction(Lsn(1000), 1);
  settle();
  EXPECT_EQ(take().to, streaming(Lsn(1048)));
  transaction(Lsn(1048), 2);
  settle();
  Batch batch = take();
  EXPECT_EQ(batch.rows, 2u) << "its rows stand above the end of the transaction before it";
  EXPECT_EQ(batch.to, streaming(Lsn(1096)));
}

TEST_F(BatchStageTest, moves_the_position_where_nothing_of_a_transaction_is_mapped) {
  make({});
  begin(Lsn(1000));
  change::RowChange row = table_.row({Lsn(1000), 1}, 1, "1");
  row.relation = testing::CountedTable::described("elsewhere", 12);
  push(std::move(row));
  push(change::Commit{Lsn(1048)});
  settle();
  Batch batch = take();
  EXPECT_EQ(batch.rows, 0u);
  EXPECT_EQ(batch.to, streaming(Lsn(1048)));
  EXPECT_TRUE(batch.mutations.empty());
}

TEST_F(BatchStageTest, moves_the_position_of_an_idle_slot_forward_only) {
  make({});
  push(change::Idle{Lsn(700)});
  settle();
  Batch batch = take();
  EXPECT_EQ(batch.to, streaming(Lsn(700)));
  EXPECT_EQ(batch.commit_microseconds, 0);
  push(change::Idle{Lsn(600)});
  settle();
  EXPECT_FALSE(batches_->try_pop());
}

TEST_F(BatchStageTest, applies_a_large_transaction_in_numbered_pieces) {
  make({.transaction_elements_max = 10, .piece_rows = 4});
  transaction(Lsn(900), 1);
  transaction(Lsn(1000), 14);
  transaction(Lsn(2000), 1);
  settle();
  EXPECT_EQ(take().to, streaming(Lsn(948))) << "what came before it is no part of it";
  EXPECT_EQ(take().to, streaming(Lsn(1000), 4));
  EXPECT_EQ(take().to, streaming(Lsn(1000), 8));
  EXPECT_EQ(take().to, streaming(Lsn(1000), 12));
  Batch last = take();
  EXPECT_EQ(last.to, streaming(Lsn(1048)));
  EXPECT_EQ(last.rows, 2u);
  EXPECT_EQ(last.transactions, 1u);
  settle();
  EXPECT_EQ(take().to, streaming(Lsn(2048))) << "nor what comes after";
}

TEST_F(BatchStageTest, sends_pieces_before_the_commit_is_there) {
  make({.transaction_elements_max = 10, .piece_rows = 4});
  begin(Lsn(1000));
  rows(Lsn(1000), 1, 9);
  settle();
  EXPECT_FALSE(batches_->try_pop()) << "below the limit it may still be one transaction";
  rows(Lsn(1000), 10, 12);
  settle();
  EXPECT_EQ(take().to, streaming(Lsn(1000), 4));
  EXPECT_EQ(take().to, streaming(Lsn(1000), 8));
  EXPECT_FALSE(batches_->try_pop()) << "the last piece is the one that ends it";
  push(change::Commit{Lsn(1048)});
  settle();
  EXPECT_EQ(take().to, streaming(Lsn(1048)));
}

TEST_F(BatchStageTest, a_large_transaction_always_ends_with_a_piece_that_has_rows) {
  for (uint64_t count = 10; count <= 24; ++count) {
    make({.transaction_elements_max = 10, .piece_rows = 4});
    transaction(Lsn(1000), count);
    settle();
    size_t rows = 0;
    while (!(end_ == streaming(Lsn(1048)))) {
      Batch batch = take();
      ASSERT_GT(batch.rows, 0u);
      EXPECT_LE(batch.rows, 4u);
      rows += batch.rows;
      EXPECT_EQ(batch.to.position.ordinal, batch.to.partial ? rows : 0);
    }
    EXPECT_EQ(rows, count);
  }
}

TEST_F(BatchStageTest, cuts_pieces_by_bytes) {
  make({.bytes_target = 2'000, .transaction_bytes_max = 10'000});
  transaction(Lsn(1000), 100, std::string(18, '1'));
  settle();
  EXPECT_EQ(take().to.position.lsn, Lsn(1000));
  size_t pieces = 1;
  while (!(end_ == streaming(Lsn(1048)))) {
    EXPECT_LE(take().bytes, 2'100u);
    ++pieces;
  }
  EXPECT_GE(pieces, 2u);
}

TEST_F(BatchStageTest, a_row_heavier_than_a_piece_is_a_piece) {
  make({.bytes_target = 10, .transaction_bytes_max = 100});
  transaction(Lsn(1000), 3, std::string(18, '1'));
  settle();
  EXPECT_EQ(take().to, streaming(Lsn(1000), 1));
  EXPECT_EQ(take().to, streaming(Lsn(1000), 2));
  EXPECT_EQ(take().to, streaming(Lsn(1048)));
}

TEST_F(BatchStageTest, counts_a_truncate_among_the_rows_of_a_piece) {
  make({.transaction_elements_max = 6, .piece_rows = 2});
  begin(Lsn(1000));
  rows(Lsn(1000), 1, 1);
  push(change::Truncate{.position = {Lsn(1000), 2}, .relations = {table_.relation}});
  rows(Lsn(1000), 3, 8);
  push(change::Commit{Lsn(1048)});
  settle();
  Batch first = take();
  EXPECT_EQ(first.to, streaming(Lsn(1000), 2));
  ASSERT_EQ(first.mutations.nodes.size(), 1u);
  EXPECT_TRUE(first.mutations.nodes[0].truncated);
  EXPECT_TRUE(first.mutations.nodes[0].upserts.empty());
  EXPECT_EQ(take().to, streaming(Lsn(1000), 4));
}

TEST_F(BatchStageTest, goes_on_inside_a_transaction_of_which_pieces_are_applied) {
  make({.start = streaming(Lsn(1000), 3)});
  transaction(Lsn(1000), 5);
  settle();
  Batch batch = take();
  EXPECT_EQ(batch.rows, 2u);
  EXPECT_EQ(batch.to, streaming(Lsn(1048)));
}

TEST_F(BatchStageTest, goes_on_with_pieces_where_the_rest_is_large_too) {
  make({.start = streaming(Lsn(1000), 3), .transaction_elements_max = 10, .piece_rows = 4});
  transaction(Lsn(1000), 20);
  settle();
  EXPECT_EQ(take().to, streaming(Lsn(1000), 7));
  EXPECT_EQ(take().to, streaming(Lsn(1000), 11));
}

TEST_F(BatchStageTest, numbers_the_batches_of_a_copy_and_ends_it_with_a_batch_of_its_own) {
  make({.start = {.position = {}, .phase = Phase::snapshot}, .rows_target = 3});
  for (int64_t i = 1; i <= 4; ++i) push(table_.snapshot_row(i, "1"));
  push(change::SnapshotEnd{Lsn(800)});
  events_->close();
  EXPECT_EQ(settle().kind, Step::Kind::done);
  Batch first = take();
  EXPECT_EQ(first.to, (LanePosition{.position = {Lsn(), 1}, .phase = Phase::snapshot}));
  EXPECT_EQ(first.rows, 3u);
  Batch last = take();
  EXPECT_EQ(last.rows, 1u);
  EXPECT_EQ(last.to, streaming(Lsn(800))) << "with the last rows, in the same transaction";
  EXPECT_TRUE(batches_->drained());
}

TEST_F(BatchStageTest, promises_nothing_while_rows_are_being_copied) {
  make({.start = {.position = {}, .phase = Phase::snapshot}, .rows_target = 1});
  for (int64_t i = 1; i <= 5; ++i) {
    push(table_.snapshot_row(i, "1"));
    settle();
    Batch batch = take();
    EXPECT_EQ(batch.to.phase, Phase::snapshot);
    EXPECT_EQ(batch.to.position.lsn, Lsn());
  }
}

TEST_F(BatchStageTest, ends_a_copy_of_nothing) {
  make({.start = {.position = {}, .phase = Phase::snapshot}});
  push(change::SnapshotEnd{Lsn(800)});
  events_->close();
  EXPECT_EQ(settle().kind, Step::Kind::done);
  EXPECT_EQ(take().to, streaming(Lsn(800)));
}

TEST_F(BatchStageTest, hands_on_the_rest_when_no_more_comes) {
  make({}, {.items_max = 1});
  keep_lane_busy();
  transaction(Lsn(1000), 1);
  begin(Lsn(2000));
  rows(Lsn(2000), 1, 1);
  events_->close();
  EXPECT_EQ(settle().kind, Step::Kind::waiting) << "no room yet";
  take();
  EXPECT_EQ(settle().kind, Step::Kind::done);
  EXPECT_EQ(take().to, streaming(Lsn(1048))) << "half a transaction is left to the next start";
  EXPECT_TRUE(batches_->drained());
}

TEST_F(BatchStageTest, keeps_its_batches_while_there_is_no_room) {
  make({.rows_target = 1}, {.items_max = 1});
  for (uint64_t i = 1; i <= 6; ++i) transaction(Lsn(1000 * i), 1);
  for (uint64_t i = 1; i <= 6; ++i) {
    EXPECT_EQ(settle().kind, Step::Kind::waiting);
    EXPECT_EQ(take().to, streaming(Lsn(1000 * i + 48)));
    EXPECT_FALSE(batches_->try_pop());
  }
}

TEST_F(BatchStageTest, reads_no_more_than_it_can_hand_on) {
  make({.rows_target = 1}, {.items_max = 1});
  for (uint64_t i = 1; i <= 50; ++i) transaction(Lsn(1000 * i), 1);
  settle();
  EXPECT_FALSE(events_->empty_or_wakes()) << "memory is bounded: the rest waits in the queue";
}

TEST_F(BatchStageTest, ends_both_ends_where_a_row_is_not_as_its_relation_says) {
  make({});
  transaction(Lsn(1000), 1, "not a number");
  Step step = settle();
  ASSERT_EQ(step.kind, Step::Kind::failed);
  EXPECT_EQ(step.error->kind(), ErrorKind::malformed);
  ASSERT_TRUE(batches_->failure());
}

TEST_F(BatchStageTest, ends_with_the_reason_of_either_neighbour) {
  make({});
  events_->fail(Error(ErrorKind::state, "upstream"));
  EXPECT_EQ(settle().error->message(), "upstream");
  make({});
  batches_->fail(Error(ErrorKind::state, "downstream"));
  EXPECT_EQ(settle().error->message(), "downstream");
}

TEST_F(BatchStageTest, binds_a_relation_anew_where_it_was_described_anew) {
  make({});
  transaction(Lsn(1000), 1);
  settle();
  take();
  auto wider = std::make_shared<change::Relation>(*table_.relation);
  wider->columns.insert(wider->columns.begin(), {.name = "extra", .type = change::Oid(20)});
  change::RowChange row = table_.row({Lsn(2000), 1}, 7, "1");
  row.relation = wider;
  row.row.insert(row.row.begin(), {change::DatumView::Kind::text, "99"});
  begin(Lsn(2000));
  push(std::move(row));
  push(change::Commit{Lsn(2048)});
  settle();
  Batch batch = take();
  ASSERT_EQ(upserts(batch), 1u);
  EXPECT_EQ(batch.mutations.nodes[0].upserts[0].key, mapping::Key(int64_t{7}));
}

}  // namespace
}  // namespace cnx::apply
