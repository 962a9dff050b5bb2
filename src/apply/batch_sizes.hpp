// How large the batches of a pass are made: first small ones, then larger ones, and where one was refused as narrow as that asks.
#pragma once

#include <cstddef>

#include "apply/batch_options.hpp"

namespace cnx::apply {

// What is in hand of an open transaction.
struct RowsInHand {
  size_t rows = 0;
  size_t bytes = 0;
  size_t elements = 0;
};

// One thread. `from` is where the batch that is being made begins.
class BatchSizes {
 public:
  explicit BatchSizes(const BatchOptions& options);

  bool is_narrow(change::Position from) const { return narrowing_ && from < narrowing_->until; }
  // A batch is closed at so many rows, or bytes of rows.
  size_t rows(change::Position from) const;
  size_t bytes(change::Position from) const;
  // Whether a transaction is too large for one of Neo4j; and of one that is, of how many rows a piece is.
  bool is_too_large(const RowsInHand& transaction, change::Position from) const;
  size_t piece_rows(change::Position from) const;
  // A batch that begins there was made.
  void grow(change::Position from);

 private:
  bool makes_pieces(change::Position from) const { return is_narrow(from) && narrowing_->pieces; }

  size_t rows_target_;
  size_t bytes_target_;
  size_t transaction_elements_max_;
  size_t transaction_bytes_max_;
  size_t piece_rows_;
  std::optional<Narrowing> narrowing_;
  size_t rows_;  // Grows until rows_target_ is reached.
};

}  // namespace cnx::apply
