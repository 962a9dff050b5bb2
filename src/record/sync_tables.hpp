// Which tables carry the synchronisation columns, and what is needed to write them: found from the catalog, once a start.
#pragma once

#include <string>
#include <vector>

#include "base/clock.hpp"
#include "mapping/model.hpp"
#include "postgres/catalog.hpp"
#include "postgres/session.hpp"

namespace cnx::record {

struct SyncTable {
  mapping::TableName name;
  std::vector<std::string> key_columns;  // In the order of AppliedRow::key.
  std::vector<std::string> key_types;    // As SQL writes them, qualified where they must be.
  bool integer_key = false;              // Of a node's table: how the key is read back.
  std::string version_column;
  bool has_updated_at = false;
  bool has_relationship_id = false;
  std::string graph_text;  // Cypher: rows [number, key …] to number, version, the node's element id, the relationship's.
};

// The mapped tables whose rows say whether they are in the graph, as far as the role may write that. A table is left out
// where its users' UPDATEs do not mark the row as pending (no trigger does), since "synced" would then be said of rows that
// are not, and where its key is not one column or the pair of a relationship's ends. Blocks until `deadline`.
Result<std::vector<SyncTable>> find_sync_tables(postgres::Session& session, const std::vector<postgres::Table>& tables,
                                                mapping::Model& model, TimePoint deadline);

}  // namespace cnx::record
