// What the write-back needs of the two databases: write that rows are in the graph, and find those of which that was not
// said yet. Implemented over PostgreSQL and Neo4j (postgres_sync) and, for tests, over rows in memory.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "mapping/applied_rows.hpp"

namespace cnx::record {

using mapping::AppliedRow;

// What a sweep looks for.
enum class Sought {
  unsynced,  // Rows of which it was not said that they are in the graph: what a crash or a full queue may have left.
  pending,   // Of those, the ones that do not wait for a person and were not kept out by the graph.
  stale,     // Rows whose element ids were written before the graph was filled anew: they name nothing any more.
};

// Where a sweep of one table goes on: behind the last row that it saw.
struct SweepCursor {
  std::string updated_at;
  std::vector<std::string> key;
};

struct SweptPage {
  // Rows to be written, whose version the graph holds.
  std::vector<AppliedRow> rows;
  // None: the table's end.
  std::optional<SweepCursor> next;
};

// What `status` shows of the write-back, kept in PostgreSQL.
struct SyncLedger {
  uint64_t written = 0;   // Since it was last recorded, as the next two.
  uint64_t locked = 0;
  uint64_t failures = 0;
  std::string problem;    // Why something is not written now; empty: all is well.
};

// One thread. Every call blocks until `deadline` at most; after an error of a kind other than `server` the port is closed
// and opened again.
class SyncPort {
 public:
  virtual ~SyncPort() = default;
  virtual Status open(TimePoint deadline) = 0;
  virtual void close() = 0;
  virtual size_t tables() const = 0;
  // For people.
  virtual std::string table_name(size_t table) const = 0;
  // The number of the row's table, from 0; none where it is not written back.
  virtual std::optional<size_t> table_of(const AppliedRow& row) const = 0;
  // Marks the rows (all of one table) as synced, each only where its version is still the one given; returns those that
  // somebody else has locked. A row that is gone, newer or synced already is passed over.
  virtual Result<std::vector<AppliedRow>> write(size_t table, const std::vector<AppliedRow>& rows, TimePoint deadline) = 0;
  // The next rows of a table that are sought; `after` none: from its beginning, and rows that are held for a person are marked
  // as such before.
  virtual Result<SweptPage> sweep(size_t table, Sought sought, const std::optional<SweepCursor>& after,
                                  TimePoint deadline) = 0;
  // While it is open: whether stale rows may be there.
  virtual bool may_be_stale() const = 0;
  // No stale row is left in any table.
  virtual Status forget_stale(TimePoint deadline) = 0;
  virtual Status record(const SyncLedger& ledger, TimePoint deadline) = 0;
};

}  // namespace cnx::record
