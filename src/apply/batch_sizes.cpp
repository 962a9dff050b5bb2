#include "apply/batch_sizes.hpp"

#include <algorithm>

namespace cnx::apply {
namespace {

// From batch to batch, between rows_first and rows_target.
constexpr size_t kGrowth = 4;

}  // namespace

BatchSizes::BatchSizes(const BatchOptions& options)
    : rows_target_(options.rows_target),
      bytes_target_(options.bytes_target),
      transaction_elements_max_(options.transaction_elements_max),
      transaction_bytes_max_(options.transaction_bytes_max),
      piece_rows_(options.piece_rows),
      narrowing_(options.narrowing),
      rows_(std::min(options.rows_first, options.rows_target)) {}

size_t BatchSizes::rows(change::Position from) const {
  return is_narrow(from) ? std::min(narrowing_->rows, rows_target_) : rows_;
}

size_t BatchSizes::bytes(change::Position from) const {
  return is_narrow(from) ? std::min(narrowing_->bytes, bytes_target_) : bytes_target_;
}

bool BatchSizes::is_too_large(const RowsInHand& transaction, change::Position from) const {
  if (makes_pieces(from) && (transaction.rows > rows(from) || transaction.bytes > bytes(from))) return true;
  return transaction.elements >= transaction_elements_max_ || transaction.bytes >= transaction_bytes_max_;
}

size_t BatchSizes::piece_rows(change::Position from) const {
  return makes_pieces(from) ? std::min(rows(from), piece_rows_) : piece_rows_;
}

void BatchSizes::grow(change::Position from) {
  if (!is_narrow(from)) rows_ = std::min(rows_ * kGrowth, rows_target_);
}

}  // namespace cnx::apply
