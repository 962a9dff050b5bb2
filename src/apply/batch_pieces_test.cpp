#include <gtest/gtest.h>

#include "apply/batch_stage.hpp"
#include "apply/testing/batch_line.hpp"

namespace cnx::apply {
namespace {

using change::Lsn;
using stream::Step;
using testing::streaming;

class BatchPiecesTest : public testing::BatchLine {};

TEST_F(BatchPiecesTest, applies_a_large_transaction_in_numbered_pieces) {
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

TEST_F(BatchPiecesTest, sends_pieces_before_the_commit_is_there) {
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

TEST_F(BatchPiecesTest, a_large_transaction_always_ends_with_a_piece_that_has_rows) {
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

TEST_F(BatchPiecesTest, cuts_pieces_by_bytes) {
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

TEST_F(BatchPiecesTest, a_row_heavier_than_a_piece_is_a_piece) {
  make({.bytes_target = 10, .transaction_bytes_max = 100});
  transaction(Lsn(1000), 3, std::string(18, '1'));
  settle();
  EXPECT_EQ(take().to, streaming(Lsn(1000), 1));
  EXPECT_EQ(take().to, streaming(Lsn(1000), 2));
  EXPECT_EQ(take().to, streaming(Lsn(1048)));
}

TEST_F(BatchPiecesTest, counts_a_truncate_among_the_rows_of_a_piece) {
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

TEST_F(BatchPiecesTest, goes_on_inside_a_transaction_of_which_pieces_are_applied) {
  make({.start = streaming(Lsn(1000), 3)});
  transaction(Lsn(1000), 5);
  settle();
  Batch batch = take();
  EXPECT_EQ(batch.rows, 2u);
  EXPECT_EQ(batch.to, streaming(Lsn(1048)));
}

TEST_F(BatchPiecesTest, goes_on_with_pieces_where_the_rest_is_large_too) {
  make({.start = streaming(Lsn(1000), 3), .transaction_elements_max = 10, .piece_rows = 4});
  transaction(Lsn(1000), 20);
  settle();
  EXPECT_EQ(take().to, streaming(Lsn(1000), 7));
  EXPECT_EQ(take().to, streaming(Lsn(1000), 11));
}

LanePosition copying(uint64_t batches) {
  return {.position = {Lsn(), batches}, .phase = Phase::snapshot, .partial = false};
}

TEST_F(BatchPiecesTest, numbers_the_batches_of_a_copy_and_says_how_far_its_segment_is) {
  make({.start = copying(0), .rows_target = 3});
  push(change::SegmentBegin{.key = "p/1", .key_columns = {0}});
  for (int64_t i = 1; i <= 4; ++i) push(table_.snapshot_row(i, "1"));
  push(change::SegmentEnd{});
  events_->close();
  EXPECT_EQ(settle().kind, Step::Kind::done);
  Batch first = take();
  EXPECT_EQ(first.from, copying(0));
  EXPECT_EQ(first.rows, 3u);
  EXPECT_EQ(first.segment, (SegmentProgress{"p/1", {"3"}, false}));
  Batch last = take();
  EXPECT_EQ(last.from, first.to);
  EXPECT_EQ(last.rows, 1u);
  EXPECT_EQ(last.segment, (SegmentProgress{"p/1", {"4"}, true})) << "with the last rows, in the same transaction";
  EXPECT_TRUE(batches_->drained());
}

TEST_F(BatchPiecesTest, a_batch_of_a_copy_holds_rows_of_one_segment_alone) {
  make({.start = copying(7)});
  for (const char* key : {"p/1", "p/2"}) {
    push(change::SegmentBegin{.key = key, .key_columns = {0}});
    push(table_.snapshot_row(5, "1"));
    push(change::SegmentEnd{});
  }
  events_->close();
  settle();
  Batch first = take();
  EXPECT_EQ(first.segment->key, "p/1");
  Batch second = take();
  EXPECT_EQ(second.from, first.to);
  EXPECT_EQ(second.segment->key, "p/2");
}

TEST_F(BatchPiecesTest, a_segment_of_nothing_is_done_all_the_same) {
  make({.start = copying(0)});
  push(change::SegmentBegin{.key = "p/1", .key_columns = {0}});
  push(change::SegmentEnd{});
  events_->close();
  EXPECT_EQ(settle().kind, Step::Kind::done);
  Batch batch = take();
  EXPECT_EQ(batch.rows, 0u);
  EXPECT_EQ(batch.segment, (SegmentProgress{"p/1", {}, true}));
}

TEST_F(BatchPiecesTest, a_read_that_does_not_count_is_not_done) {
  make({.start = copying(0)});
  push(change::SegmentBegin{.key = "p/1", .key_columns = {}});
  push(table_.snapshot_row(5, "1"));
  push(change::SegmentEnd{.whole = false});
  events_->close();
  settle();
  EXPECT_EQ(take().segment, (SegmentProgress{"p/1", {}, false}));
  EXPECT_TRUE(batches_->drained());
}

TEST_F(BatchPiecesTest, a_copy_that_is_stopped_keeps_what_it_has) {
  make({.start = copying(0)});
  push(change::SegmentBegin{.key = "p/1", .key_columns = {0}});
  push(table_.snapshot_row(5, "1"));
  events_->close();
  EXPECT_EQ(settle().kind, Step::Kind::done);
  EXPECT_EQ(take().segment, (SegmentProgress{"p/1", {"5"}, false}));
}

}  // namespace
}  // namespace cnx::apply
