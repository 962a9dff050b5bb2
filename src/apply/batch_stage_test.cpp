#include "apply/batch_stage.hpp"

#include <gtest/gtest.h>

#include "apply/testing/batch_line.hpp"

namespace cnx::apply {
namespace {

using change::Lsn;
using stream::Step;
using testing::streaming;

class BatchStageTest : public testing::BatchLine {};

TEST_F(BatchStageTest, counts_its_rows_by_table_and_knows_its_oldest_and_newest_commit) {
  make({});
  keep_lane_busy();
  for (const auto& [lsn, count, committed] : {std::tuple(1000u, 3u, 5000), std::tuple(2000u, 4u, 6000)}) {
    push(change::Begin{Lsn(lsn), change::Xid(7), committed});
    rows(Lsn(lsn), 1, count);
    push(change::Commit{Lsn(lsn + 48)});
  }
  settle();
  take();
  settle();
  const Batch batch = take();
  EXPECT_EQ(batch.rows, 7u);
  EXPECT_EQ(batch.oldest_commit_microseconds, 5000);
  EXPECT_EQ(batch.commit_microseconds, 6000);
  ASSERT_EQ(batch.table_rows.size(), 1u);
  EXPECT_EQ(batch.table_rows[0].second, 7u);
  EXPECT_TRUE(batch.tenant_rows.empty()) << "not asked for";
}

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

TEST_F(BatchStageTest, the_first_batches_are_small) {
  make_as_it_is({.rows_target = 40, .rows_first = 1});
  keep_lane_busy();
  for (uint64_t i = 1; i <= 200; ++i) transaction(Lsn(1000 * i), 1);
  settle();
  std::vector<size_t> rows;
  for (int i = 0; i < 6; ++i) rows.push_back(take().rows);
  EXPECT_EQ(rows, (std::vector<size_t>{1, 4, 16, 40, 40, 40}));
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
  EXPECT_EQ(step.error->code(), kRowsRefused);
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
