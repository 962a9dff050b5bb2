// Consecutive whole transactions (or one numbered piece of a transaction that is too large),
// merged: what becomes one Neo4j transaction.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "change/ids.hpp"
#include "mapping/applied_rows.hpp"
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
  bool partial = false;  // Inside a transaction that is applied in pieces.
  friend bool operator==(const LanePosition&, const LanePosition&) = default;
};

// How far a segment of the copy is, once the batch is applied.
struct SegmentProgress {
  std::string key;                // Of its node.
  std::vector<std::string> last;  // The key of the batch's last row; empty: none, or its rows have no order.
  bool done = false;
  friend bool operator==(const SegmentProgress&, const SegmentProgress&) = default;
};

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
  // Of a copy: rows of this segment alone.
  std::optional<SegmentProgress> segment;
  // What is told of it once it is committed; filled where somebody is told.
  std::vector<mapping::AppliedRow> applied;
};

}  // namespace cnx::apply
