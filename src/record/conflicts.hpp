// contextnexus.conflicts: rows whose UPDATE met what somebody else wrote in the graph, and that wait for a person. The engine's own
// writes come from the pipeline's owner alone.
#pragma once

#include <string>
#include <vector>

#include "record/held_rows.hpp"

namespace cnx::record {

// What the engine's role needs beside the tables' own columns.
inline constexpr const char* kConflictsTable = "contextnexus.conflicts";
inline constexpr HeldTable kConflicts{.name = kConflictsTable, .open = "conflict", .asked = "resolving", .done = "resolved"};

struct NewConflict {
  mapping::RowKey key;
  change::Position position;  // From here on changes of the row are held.
  std::string postgres_version;  // Empty: none is mapped.
  std::string graph_version;
  std::vector<std::string> properties;  // That somebody changed; empty: not known.
};
// In one transaction, on disk when it returns. A key that has one keeps it. Blocks.
Status write_conflicts(postgres::Session& session, const std::string& pipeline, const std::vector<NewConflict>& conflicts,
                       TimePoint deadline);

struct ConflictFigures {
  int64_t open = 0;
  int64_t resolving = 0;
  int64_t held_changes = 0;
};
Result<ConflictFigures> read_conflict_figures(postgres::Session& session, const std::string& pipeline, TimePoint deadline);

// What a person looks for: all that is given must fit.
struct ConflictFilter {
  std::vector<std::string> ids;
  std::string table;  // "schema.table" or the name alone.
  std::string key;    // Its columns' values, joined by commas.
  std::string since;  // A time as PostgreSQL reads it.
  bool closed = false;  // Those that ended as well.

  bool empty() const { return ids.empty() && table.empty() && key.empty() && since.empty(); }
};

struct Conflict {
  int64_t id = 0;
  std::string state;
  std::string table;  // schema.table
  std::vector<std::string> key_columns;
  std::vector<std::string> key_values;
  std::string position;  // "X/Y+n"
  std::string postgres_version;
  std::string graph_version;
  std::vector<std::string> properties;
  int64_t held_changes = 0;
  std::string resolution;
  std::string created_at;  // UTC, ISO 8601, as those that follow.
  std::string updated_at;
  std::string closed_at;  // Empty: it is open.
  std::string closed_by;
};
// The oldest first, `limit` at most. Blocks, as what follows.
Result<std::vector<Conflict>> find_conflicts(postgres::Session& session, const std::string& pipeline, const ConflictFilter& filter,
                                             size_t limit, TimePoint deadline);
// Returns how many; a running engine is told.
Result<size_t> take_postgres(postgres::Session& session, const std::string& pipeline, const ConflictFilter& filter, TimePoint deadline);
Result<size_t> take_graph(postgres::Session& session, const std::string& pipeline, const ConflictFilter& filter, TimePoint deadline);

}  // namespace cnx::record
