// What the write-back keeps of itself in contextnexus.write_back: since when the graph is this one, and figures that `status`
// shows without asking the engine. Missing or not granted (an older init) it is done without.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "postgres/quote.hpp"
#include "postgres/session.hpp"
#include "record/sync_port.hpp"

namespace cnx::record {

// What the engine's role needs beside the tables' own columns.
inline constexpr const char* kLedgerTable = "contextnexus.write_back";

// The graph begins to be filled anew: element ids that were written until now name nothing any more. Blocks.
Status mark_filled(postgres::Session& session, const std::string& pipeline, TimePoint deadline);

// The moment before which a row's element ids are stale, as PostgreSQL prints it; empty: none is. No value: there is no
// ledger. Blocks.
Result<std::optional<std::string>> read_stale_before(postgres::Session& session, const std::string& pipeline, TimePoint deadline);
// Both block, and do nothing once an owner of a later epoch has begun; 0: it is not known whether one has.
// No stale row is left.
Status mark_renewed(postgres::Session& session, const std::string& pipeline, int64_t epoch, TimePoint deadline);
Status add_figures(postgres::Session& session, const std::string& pipeline, int64_t epoch, const SyncLedger& figures,
                   TimePoint deadline);

struct LedgerFigures {
  int64_t written = 0;
  int64_t locked = 0;
  int64_t failures = 0;
  std::string problem;  // Empty: what it writes now, it can write.
  std::string last_error;
  std::string last_error_at;
};
// No value: there is no ledger, or nothing was written in it yet. Blocks.
Result<std::optional<LedgerFigures>> read_figures(postgres::Session& session, const std::string& pipeline, TimePoint deadline);

struct PendingRows {
  size_t tables = 0;      // That have the columns.
  int64_t rows = 0;       // Pending, as far as they were counted.
  bool at_least = false;  // A table has more of them than are counted.
};
// Counts by the index that holds only rows that are not synced, at most a hundred thousand a table. Tables that the role may
// not read are passed over. Blocks.
Result<PendingRows> count_pending(postgres::Session& session, const std::vector<postgres::TableName>& tables,
                                  TimePoint deadline);

}  // namespace cnx::record
