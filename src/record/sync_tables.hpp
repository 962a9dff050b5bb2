// Which tables carry the synchronisation columns, what is needed to write them, and why a table that has them is left alone:
// found from the catalog, once a start.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "mapping/model.hpp"
#include "postgres/catalog.hpp"
#include "postgres/session.hpp"

namespace cnx::record {

// What the write-back writes, where a table has it; the last only in tables of relationships.
inline constexpr std::array kSyncColumns = {"neo4j_sync_status", "neo4j_synced_version", "neo4j_synced_at", "neo4j_node_id",
                                            "neo4j_relationship_id"};

struct SyncTable {
  mapping::TableName name;
  std::vector<std::string> key_columns;  // In the order of AppliedRow::key.
  std::vector<std::string> key_types;    // As SQL writes them, qualified where they must be.
  bool integer_key = false;              // Of a node's table: how the key is read back.
  std::string version_column;
  bool has_updated_at = false;
  bool has_relationship_id = false;
  // A BEFORE trigger of the users' own sees the write-back's UPDATE and may change more in the row, or the one that marks rows leaves
  // out columns that users may change: what comes of such an UPDATE is taken for the change that it may be.
  std::string meddling_trigger;  // Its name; empty: there is none.
  std::string graph_text;  // Cypher: rows [number, key …] to number, version, the node's element id, the relationship's.
};

// A table with the columns that is not written back.
struct LeftOut {
  mapping::TableName name;
  std::string reason;
  std::string cure;
};

// A row-level trigger that some UPDATE of a table fires.
struct UpdateTrigger {
  std::string name;
  char enabled = 'O';            // As pg_trigger.tgenabled: A always, O origin, R replica, D disabled.
  bool before = false;
  bool fires_at_ours = false;    // It names no columns, or one of ours.
  bool marks = false;            // Its function speaks of neo4j_sync_status.
  bool leaves_columns_out = false;  // Some that users may change: one that was added later.
};

// The reason and its cure (without a table's name) where the users' UPDATEs do not mark their rows as pending, or the
// write-back's own would be marked too. Pure.
std::optional<LeftOut> judge_marking(const std::vector<UpdateTrigger>& triggers);
// The first trigger of the users' own that the write-back's UPDATE fires too, before the row is written. Pure.
const UpdateTrigger* find_meddling(const std::vector<UpdateTrigger>& triggers);
// Whether row-level security lets the role update every row. Pure.
bool may_update_all_rows(const postgres::Table& table);

// The row-level UPDATE triggers of a table, by name. Blocks until `deadline`.
Result<std::vector<UpdateTrigger>> read_update_triggers(postgres::Session& session, const postgres::Table& table,
                                                        const std::string& version_column, TimePoint deadline);

struct SyncTables {
  std::vector<SyncTable> tables;
  std::vector<LeftOut> left_out;
};

// The mapped tables whose rows say whether they are in the graph, as far as the role may write that. A table is left out
// where its users' UPDATEs do not mark the row as pending (no trigger does), since "synced" would then be said of rows that
// are not, and where its key is not one column or the pair of a relationship's ends. Blocks until `deadline`.
Result<SyncTables> find_sync_tables(postgres::Session& session, const std::vector<postgres::Table>& tables,
                                    mapping::Model& model, TimePoint deadline);

}  // namespace cnx::record
