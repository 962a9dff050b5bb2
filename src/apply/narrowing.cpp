#include "apply/narrowing.hpp"

#include <algorithm>
#include <limits>

namespace cnx::apply {
namespace {

using stream::RetryClass;

// Rows of a copy hang on nothing that others of their batch do: they are looked through many at a time.
constexpr size_t kCopyRows = 500;
constexpr size_t kBytes = 4u << 20;

// A copy's positions count its batches and say nothing of its rows.
constexpr change::Position kEnd{change::Lsn(std::numeric_limits<uint64_t>::max()), 0};

// Of a batch that keeps its rows they are counted; what was read again counts twice in `rows`.
size_t rows_of(const Batch& batch) { return batch.kept.empty() ? batch.rows : batch.kept.size(); }

}  // namespace

std::optional<Narrowing> narrower(const std::optional<Narrowing>& now, const Batch& refused, RetryClass retry) {
  const bool copies = refused.segment.has_value();
  Narrowing next{.until = copies ? kEnd : refused.to.position, .rows = 1, .bytes = kBytes};
  if (now) next.pieces = now->pieces && now->until >= refused.to.position;
  const size_t rows = rows_of(refused);
  switch (retry) {
    case RetryClass::dead_letter:
      // Of one row, or more, of one transaction, where that was asked for.
      if (!refused.kept.empty() && (copies || (now && now->rows == 1))) return std::nullopt;
      if (copies) next.rows = std::clamp(rows, size_t{1}, kCopyRows);
      break;
    case RetryClass::smaller:
      if (!refused.may_be_cut()) return std::nullopt;
      next.rows = std::max<size_t>(rows / 4, 1);
      break;
    case RetryClass::in_pieces:
      if (rows <= 1 && !refused.kept.empty()) return std::nullopt;
      next.rows = std::max<size_t>(rows / 2, 1);
      next.bytes = std::max<size_t>(refused.bytes / 2, 1);
      // Larger than asked for is only what one transaction makes so.
      next.pieces = !copies && (next.pieces || refused.transactions <= 1 || (!refused.kept.empty() && now && rows > now->rows));
      break;
    default:
      return std::nullopt;
  }
  if (now == next) return std::nullopt;
  return next;
}

}  // namespace cnx::apply
