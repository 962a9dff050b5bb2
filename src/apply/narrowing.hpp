// After a batch was refused: how the batches of the next pass are cut where it stood, until it is known which row is at fault,
// or the parts are small enough. Pure.
#pragma once

#include <optional>

#include "apply/batch.hpp"
#include "stream/error_table.hpp"

namespace cnx::apply {

struct Narrowing {
  // Batches that begin before it are cut so, and keep the rows that they are made of.
  change::Position until;
  // A batch is closed at so many rows; a transaction is not cut for that.
  size_t rows = 1;
  // Or at so many bytes of rows.
  size_t bytes = 0;
  // A transaction with more rows, or bytes, than that goes in numbered pieces (I3).
  bool pieces = false;
  friend bool operator==(const Narrowing&, const Narrowing&) = default;
};

// The next narrower one; nullopt: it cannot be cut any further, and its rows are with the batch. `now`: as it was cut.
// `retry`: the class of the error, smaller, in_pieces or dead_letter.
std::optional<Narrowing> narrower(const std::optional<Narrowing>& now, const Batch& refused, stream::RetryClass retry);

}  // namespace cnx::apply
