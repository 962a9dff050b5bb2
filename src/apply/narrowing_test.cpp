#include "apply/narrowing.hpp"

#include <gtest/gtest.h>

namespace cnx::apply {
namespace {

using change::Lsn;
using stream::RetryClass;

Batch batch_of(size_t rows, size_t transactions, size_t kept = 0) {
  Batch batch;
  batch.from.position = {Lsn(500), 0};
  batch.to.position = {Lsn(900), 0};
  batch.rows = rows;
  batch.transactions = transactions;
  batch.bytes = rows * 100;
  for (size_t i = 0; i < kept; ++i) batch.kept.emplace_back(change::Truncate());
  return batch;
}

TEST(Narrowing, a_row_at_fault_is_looked_for_in_one_transaction_alone) {
  const std::optional<Narrowing> alone = narrower({}, batch_of(2000, 30), RetryClass::dead_letter);
  ASSERT_TRUE(alone);
  EXPECT_EQ(alone->until, (change::Position{Lsn(900), 0}));
  EXPECT_EQ(alone->rows, 1u);
  EXPECT_FALSE(alone->pieces);
  // Its rows are with it now.
  EXPECT_EQ(narrower(alone, batch_of(7, 1, 7), RetryClass::dead_letter), std::nullopt);
  // Also with transactions of no rows of ours.
  EXPECT_EQ(narrower(alone, batch_of(7, 3, 7), RetryClass::dead_letter), std::nullopt);
}

TEST(Narrowing, of_a_copy_many_rows_are_looked_through_at_a_time) {
  Batch batch = batch_of(2000, 0);
  batch.segment.emplace();
  const std::optional<Narrowing> next = narrower({}, batch, RetryClass::dead_letter);
  ASSERT_TRUE(next);
  EXPECT_EQ(next->rows, 500u);
  batch.kept.emplace_back(change::Truncate());
  EXPECT_EQ(narrower(next, batch, RetryClass::dead_letter), std::nullopt);
}

TEST(Narrowing, too_little_memory_halves_batches_then_cuts_transactions_into_pieces_down_to_one_row) {
  std::optional<Narrowing> now;
  size_t rows = 64;
  size_t steps = 0;
  for (size_t transactions = 4;; ++steps) {
    Batch batch = batch_of(rows, transactions, now ? rows : 0);
    std::optional<Narrowing> next = narrower(now, batch, RetryClass::in_pieces);
    if (!next) break;
    EXPECT_EQ(next->rows, rows / 2);
    EXPECT_LT(next->bytes, batch.bytes);
    EXPECT_EQ(next->pieces, transactions == 1) << rows;
    rows = next->rows;
    transactions = std::max<size_t>(transactions / 2, 1);
    now = next;
  }
  EXPECT_EQ(rows, 1u);
  EXPECT_EQ(steps, 6u);
}

TEST(Narrowing, a_transaction_beside_others_without_rows_goes_in_pieces_too) {
  const std::optional<Narrowing> next = narrower({}, batch_of(2, 2), RetryClass::in_pieces);
  ASSERT_TRUE(next);
  EXPECT_FALSE(next->pieces);
  EXPECT_TRUE(narrower(next, batch_of(2, 2, 2), RetryClass::in_pieces)->pieces);
}

TEST(Narrowing, a_deadlock_never_cuts_a_transaction) {
  EXPECT_EQ(narrower({}, batch_of(100, 10), RetryClass::smaller)->rows, 25u);
  EXPECT_FALSE(narrower({}, batch_of(100, 10), RetryClass::smaller)->pieces);
  EXPECT_EQ(narrower({}, batch_of(100, 1), RetryClass::smaller), std::nullopt);
}

TEST(Narrowing, nothing_else_narrows) {
  for (RetryClass retry : {RetryClass::stop, RetryClass::later, RetryClass::reconnect, RetryClass::at_once}) {
    EXPECT_EQ(narrower({}, batch_of(100, 10), retry), std::nullopt);
  }
}

}  // namespace
}  // namespace cnx::apply
