// Consecutive whole transactions (or one numbered piece of a transaction that is too large),
// merged: what becomes one Neo4j transaction.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "apply/refetched_rows.hpp"
#include "change/event.hpp"
#include "change/ids.hpp"
#include "mapping/applied_rows.hpp"
#include "mapping/audited_rows.hpp"
#include "mapping/mutation.hpp"

namespace cnx::apply {

// Where a lane stands, as the graph says it.
enum class Phase {
  initial,   // Made by init; nothing was copied yet.
  snapshot,  // Rows that were there before are being copied; `ordinal` counts the batches of the
             // copy.
  stream,    // Changes are being applied in order.
};

struct LanePosition {
  change::Position position;
  Phase phase = Phase::stream;
  // Part of what follows the position is in the graph: a transaction, or a removal, that is applied
  // in pieces.
  bool partial = false;
  // Of a removal in pieces: `partial` stays until the position is here, also where the next start
  // cuts its batches elsewhere. 0/0: until the transaction's end.
  change::Lsn partial_until;
  friend bool operator==(const LanePosition&, const LanePosition&) = default;
};

// Whether the two are one place in the stream; what is said there of pieces aside.
inline bool same_place(const LanePosition& x, const LanePosition& y) {
  return x.position == y.position && x.phase == y.phase;
}
// How far a segment of the copy is, once the batch is applied.
struct SegmentProgress {
  std::string key;                // Of its node.
  std::vector<std::string> last;  // The key of the batch's last row; empty: none, or its rows have no order.
  bool done = false;
  friend bool operator==(const SegmentProgress&, const SegmentProgress&) = default;
};

// What a batch is made of, as it was merged.
using KeptRow =
    std::variant<change::RowChange, change::Truncate, change::SnapshotRow, RefetchedRow>;

struct Batch {
  LanePosition from;  // What the graph must hold for this batch to be applied.
  LanePosition to;
  mapping::Mutations mutations;
  size_t rows = 0;
  size_t transactions = 0;
  size_t bytes = 0;
  // The commit time of the newest transaction in it, microseconds since 1970-01-01; 0 where there
  // is none.
  int64_t commit_microseconds = 0;
  int64_t oldest_commit_microseconds = 0;  // And of the oldest.
  change::Lsn final_lsn;                   // Where the newest one's commit stands; 0/0 where there is none.
  // How many of the rows are of which table, and of which tenant where that is counted and known.
  std::vector<std::pair<change::RelationPtr, size_t>> table_rows;
  std::vector<std::pair<std::string, size_t>> tenant_rows;
  // Rows that the graph has as they are later than `to` (refetched_rows.hpp), as it is to remember them; empty: there are none. None:
  // what it remembers stays.
  std::optional<std::string> ahead = std::string();
  // Of a copy: rows of this segment alone.
  std::optional<SegmentProgress> segment;
  // What is told of it once it is committed; filled where somebody is told.
  std::vector<mapping::AppliedRow> applied;
  // What the audit says of its changes; filled where that is asked for.
  std::vector<mapping::AuditedRow> audited;
  // Of the position where it ends (change/correlation.hpp), given by the lane; empty: of a copy, or not known.
  std::string correlation_id;
  // Where one before it was refused (narrowing.hpp): what it is made of, in order.
  std::vector<KeptRow> kept;

  // Whether it can be made smaller without cutting a transaction.
  bool may_be_cut() const { return transactions > 1 || (segment && rows > 1); }
};

}  // namespace cnx::apply
