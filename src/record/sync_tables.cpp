#include "record/sync_tables.hpp"

#include "cypher/quote.hpp"

namespace cnx::record {
namespace {

using cypher::quote;

// May the role write the columns; is a trigger there, for sessions of every replication role, that marks as pending; what
// are the key's types.
constexpr std::string_view kEligible = R"(
SELECT pg_catalog.has_column_privilege(c.oid, 'neo4j_sync_status', 'UPDATE')
   AND pg_catalog.has_column_privilege(c.oid, 'neo4j_synced_version', 'UPDATE')
   AND pg_catalog.has_column_privilege(c.oid, 'neo4j_synced_at', 'UPDATE')
   AND pg_catalog.has_column_privilege(c.oid, 'neo4j_node_id', 'UPDATE'),
   EXISTS (SELECT FROM pg_catalog.pg_trigger t JOIN pg_catalog.pg_proc p ON p.oid = t.tgfoid
           WHERE t.tgrelid = c.oid AND t.tgenabled = 'A' AND NOT t.tgisinternal AND p.prosrc LIKE '%neo4j\_sync\_status%'),
   (SELECT pg_catalog.array_agg(pg_catalog.format_type(a.atttypid, NULL) ORDER BY k.number)
    FROM pg_catalog.unnest($2::text[]) WITH ORDINALITY AS k(name, number)
    JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attname = k.name)
FROM pg_catalog.pg_class c WHERE c.oid = $1::oid)";

bool has_columns(const postgres::Table& table) {
  for (const char* name : {"neo4j_sync_status", "neo4j_synced_version", "neo4j_synced_at", "neo4j_node_id"}) {
    if (table.column(name) == nullptr) return false;
  }
  return true;
}

std::string node_pattern(const char* variable, const mapping::NodeTable& node, const char* key) {
  return std::string("(") + variable + ":" + quote(node.node->label) + " {" + quote(node.key_property) + ": " + key + "})";
}

// False where the table's form in the graph is none that is written back.
bool describe(SyncTable& table, const mapping::NodeTable& node) {
  if (node.node->key.size() != 1 || node.version_property.empty()) return false;
  table.key_columns = node.node->key;
  table.integer_key = node.integer_key;
  table.version_column = node.rule->version_column;
  table.graph_text = "CYPHER 5 UNWIND $rows AS row MATCH " + node_pattern("n", node, "row[1]") + " RETURN row[0], n." +
                     quote(node.version_property) + ", elementId(n), null";
  return true;
}

bool describe(SyncTable& table, const mapping::RelationshipTable& relationship) {
  const mapping::RelationshipRule& rule = *relationship.relationship;
  if (!relationship.key_is_pair || relationship.version_property.empty()) return false;
  if (rule.start.columns.size() != 1 || rule.end.columns.size() != 1) return false;
  // Read back as text: both ends or none are integers.
  if (relationship.start->integer_key != relationship.end->integer_key) return false;
  table.key_columns = {rule.start.columns.front(), rule.end.columns.front()};
  table.integer_key = relationship.start->integer_key;
  table.version_column = relationship.rule->version_column;
  table.graph_text = "CYPHER 5 UNWIND $rows AS row MATCH " + node_pattern("a", *relationship.start, "row[1]") + "-[r:" +
                     quote(rule.type) + "]->" + node_pattern("b", *relationship.end, "row[2]") + " RETURN row[0], r." +
                     quote(relationship.version_property) + ", elementId(b), elementId(r)";
  return true;
}

}  // namespace

Result<std::vector<SyncTable>> find_sync_tables(postgres::Session& session, const std::vector<postgres::Table>& tables,
                                                mapping::Model& model, TimePoint deadline) {
  std::vector<SyncTable> found;
  for (const postgres::Table& candidate : tables) {
    if (!has_columns(candidate)) continue;
    SyncTable table;
    table.name = candidate.name;
    const mapping::NodeTable* node = model.find_node(candidate.name);
    const mapping::RelationshipTable* relationship = model.find_relationship(candidate.name);
    const bool described = node != nullptr           ? describe(table, *node)
                           : relationship != nullptr ? describe(table, *relationship)
                                                     : false;
    if (!described) continue;
    CNX_TRY(postgres::Rows rows,
            session.query(kEligible, {std::to_string(candidate.oid.value()), postgres::array_text(table.key_columns)}, deadline));
    if (rows.empty()) continue;
    CNX_TRY(bool may_write, rows.boolean(0, 0));
    CNX_TRY(bool marked, rows.boolean(0, 1));
    if (!may_write || !marked || rows.is_null(0, 2)) continue;
    CNX_TRY(table.key_types, rows.texts(0, 2));
    if (table.key_types.size() != table.key_columns.size()) continue;
    table.has_updated_at = candidate.column("updated_at") != nullptr;
    table.has_relationship_id = relationship != nullptr && candidate.column("neo4j_relationship_id") != nullptr;
    found.push_back(std::move(table));
  }
  return found;
}

}  // namespace cnx::record
