#include "record/sync_tables.hpp"

#include <algorithm>

#include "cypher/quote.hpp"
#include "cypher/text_parts.hpp"
#include "postgres/quote.hpp"

namespace cnx::record {
namespace {

using cypher::quote;

// May the role write the columns; what are the key's types.
constexpr std::string_view kRights = R"(
SELECT (SELECT pg_catalog.bool_and(pg_catalog.has_column_privilege(c.oid, a.attnum, 'UPDATE'))
        FROM pg_catalog.pg_attribute a WHERE a.attrelid = c.oid AND NOT a.attisdropped
        AND a.attname = ANY ('{neo4j_sync_status,neo4j_synced_version,neo4j_synced_at,neo4j_node_id,neo4j_relationship_id}')),
   (SELECT pg_catalog.array_agg(pg_catalog.format_type(a.atttypid, NULL) ORDER BY k.number)
    FROM pg_catalog.unnest($2::text[]) WITH ORDINALITY AS k(name, number)
    JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attname = k.name)
FROM pg_catalog.pg_class c WHERE c.oid = $1::oid)";

// tgtype: 1 row, 2 before, 16 update. tgattr: the columns that it names; none: every UPDATE fires it. $2: those that need no mark.
constexpr std::string_view kTriggers = R"(
SELECT t.tgname, t.tgenabled, (t.tgtype & 2) <> 0,
   pg_catalog.cardinality(t.tgattr) = 0 OR EXISTS (SELECT FROM pg_catalog.pg_attribute a WHERE a.attrelid = t.tgrelid
     AND a.attnum = ANY (t.tgattr) AND a.attname LIKE 'neo4j\_%'),
   p.prosrc LIKE '%neo4j\_sync\_status%',
   EXISTS (SELECT FROM pg_catalog.pg_attribute a WHERE a.attrelid = t.tgrelid AND a.attnum > 0 AND NOT a.attisdropped
     AND a.attgenerated = '' AND a.attnum <> ALL (t.tgattr) AND a.attname NOT LIKE 'neo4j\_%' AND a.attname <> ALL ($2::text[]))
FROM pg_catalog.pg_trigger t JOIN pg_catalog.pg_proc p ON p.oid = t.tgfoid
WHERE t.tgrelid = $1::oid AND NOT t.tgisinternal AND (t.tgtype & 17) = 17 ORDER BY t.tgname)";

bool has_columns(const postgres::Table& table) {
  return std::all_of(kSyncColumns.begin(), kSyncColumns.end() - 1,
                     [&](const char* name) { return table.column(name) != nullptr; });
}

// False where the table's form in the graph is none that is written back.
bool describe(SyncTable& table, const mapping::NodeTable& node) {
  if (!mapping::is_single(node.key_forms) || node.version_property.empty()) return false;
  table.key_columns = node.node->key;
  table.integer_key = node.integer_key;
  table.version_column = node.rule->version_column;
  table.graph_text = cypher::text("UNWIND $batch.rows AS row " + cypher::match_node("n", node, "row[1]") +
                                  " RETURN row[0], n." + quote(node.version_property) + ", elementId(n), null");
  return true;
}

bool describe(SyncTable& table, const mapping::RelationshipTable& relationship) {
  const mapping::RelationshipRule& rule = *relationship.relationship;
  if (!relationship.key_is_pair || relationship.version_property.empty()) return false;
  if (!mapping::is_single(relationship.start->key_forms) || !mapping::is_single(relationship.end->key_forms)) return false;
  // Read back as text: both ends or none are integers.
  if (relationship.start->integer_key != relationship.end->integer_key) return false;
  table.key_columns = {rule.start.columns.front(), rule.end.columns.front()};
  table.integer_key = relationship.start->integer_key;
  table.version_column = relationship.rule->version_column;
  table.graph_text = cypher::text("UNWIND $batch.rows AS row " + cypher::match_node("a", *relationship.start, "row[1]") +
                                  " " + cypher::match_node("b", *relationship.end, "row[2]") +
                                  cypher::each_between("-[r:" + quote(rule.type) + "]->") + " RETURN row[0], r." +
                                  quote(relationship.version_property) + ", elementId(b), elementId(r)");
  return true;
}

// Why a table that has the columns and a form is not written back; none: it is.
Result<std::optional<LeftOut>> prepare(postgres::Session& session, const postgres::Table& candidate, SyncTable& table,
                                       TimePoint deadline) {
  const std::string oid = std::to_string(candidate.oid.value());
  CNX_TRY(postgres::Rows rows, session.query(kRights, {oid, postgres::array_text(table.key_columns)}, deadline));
  if (rows.empty() || rows.is_null(0, 1)) return LeftOut{.reason = "it is gone"};
  CNX_TRY(bool may_write, rows.boolean(0, 0));
  const std::string name = postgres::quote_table(table.name);
  if (!may_write) {
    return LeftOut{.reason = "the role may not update its synchronisation columns",
                   .cure = "GRANT UPDATE (neo4j_node_id, neo4j_sync_status, neo4j_synced_version, neo4j_synced_at" +
                           std::string(table.has_relationship_id ? ", neo4j_relationship_id" : "") + ") ON " + name +
                           " TO the role"};
  }
  if (candidate.row_security_applies && !may_update_all_rows(candidate)) {
    return LeftOut{.reason = "row-level security keeps the role from updating some of its rows",
                   .cure = "CREATE POLICY contextnexus_engine ON " + name + " TO the role USING (true)"};
  }
  CNX_TRY(std::vector<UpdateTrigger> triggers, read_update_triggers(session, candidate, table.version_column, deadline));
  if (std::optional<LeftOut> unmarked = judge_marking(triggers)) {
    unmarked->cure = "ALTER TABLE " + name + " " + unmarked->cure;
    return unmarked;
  }
  if (const UpdateTrigger* meddling = find_meddling(triggers)) table.meddling_trigger = meddling->name;
  CNX_TRY(table.key_types, rows.texts(0, 1));
  if (table.key_types.size() != table.key_columns.size()) return LeftOut{.reason = "it lacks columns of its key"};
  return std::optional<LeftOut>();
}

}  // namespace

std::optional<LeftOut> judge_marking(const std::vector<UpdateTrigger>& triggers) {
  const UpdateTrigger* marking = nullptr;
  for (const UpdateTrigger& trigger : triggers) {
    if (!trigger.marks || !trigger.before) continue;
    // An UPDATE of ours that it marks again would be applied and written back without end.
    if (trigger.fires_at_ours && trigger.enabled != 'D') {
      return LeftOut{.reason = "its trigger " + trigger.name + " marks the write-back's own UPDATE as pending too",
                     .cure = "needs that trigger as BEFORE UPDATE OF the users' columns, without the engine's own"};
    }
    if (marking == nullptr || trigger.enabled == 'A') marking = &trigger;
  }
  if (marking == nullptr) {
    return LeftOut{.reason = "no trigger marks the rows that users update as pending",
                   .cure = "needs a trigger BEFORE UPDATE OF the users' columns that raises the version and sets "
                           "neo4j_sync_status to pending (docs/write-back.md shows one)"};
  }
  if (marking->enabled == 'A') return std::nullopt;
  const bool off = marking->enabled == 'D';
  return LeftOut{.reason = "its trigger " + marking->name +
                           (off ? " is disabled: rows that users update are not marked as pending"
                                : " does not fire in every session: it is not ENABLE ALWAYS"),
                 .cure = "ENABLE ALWAYS TRIGGER " + postgres::quote_identifier(marking->name)};
}

const UpdateTrigger* find_meddling(const std::vector<UpdateTrigger>& triggers) {
  for (const UpdateTrigger& trigger : triggers) {
    const bool fires = trigger.enabled == 'A' || trigger.enabled == 'O';
    if (trigger.before && !trigger.marks && trigger.fires_at_ours && fires) return &trigger;
    // A user's UPDATE of such a column alone looks like one of ours: the row is not marked, and its version is the synced one.
    if (trigger.marks && trigger.leaves_columns_out) return &trigger;
  }
  return nullptr;
}

bool may_update_all_rows(const postgres::Table& table) {
  bool admitted = false;
  for (const postgres::Policy& policy : table.policies) {
    if (!policy.applies_to_us || (policy.command != 'w' && policy.command != '*')) continue;
    if (!policy.permissive) return false;
    admitted = admitted || policy.condition == "true";
  }
  return admitted;
}

Result<std::vector<UpdateTrigger>> read_update_triggers(postgres::Session& session, const postgres::Table& table,
                                                        const std::string& version_column, TimePoint deadline) {
  std::vector<std::string> unmarked = {version_column, "updated_at"};
  // An UPDATE of these carries the old ones, and is nobody's but a user's. Where the whole row is the identity, each UPDATE does.
  if (table.replica_identity != change::ReplicaIdentity::full)
    for (std::string& column : table.identity_columns()) unmarked.push_back(std::move(column));
  CNX_TRY(postgres::Rows rows,
          session.query(kTriggers, {std::to_string(table.oid.value()), postgres::array_text(unmarked)}, deadline));
  std::vector<UpdateTrigger> triggers;
  for (size_t i = 0; i < rows.size(); ++i) {
    UpdateTrigger& trigger = triggers.emplace_back();
    trigger.name = std::string(rows.text(i, 0));
    trigger.enabled = rows.text(i, 1).empty() ? 'D' : rows.text(i, 1).front();
    CNX_TRY(trigger.before, rows.boolean(i, 2));
    CNX_TRY(trigger.fires_at_ours, rows.boolean(i, 3));
    CNX_TRY(trigger.marks, rows.boolean(i, 4));
    CNX_TRY(trigger.leaves_columns_out, rows.boolean(i, 5));
  }
  return triggers;
}

Result<SyncTables> find_sync_tables(postgres::Session& session, const std::vector<postgres::Table>& tables,
                                    mapping::Model& model, TimePoint deadline) {
  SyncTables found;
  for (const postgres::Table& candidate : tables) {
    if (!has_columns(candidate)) continue;
    SyncTable table;
    table.name = candidate.name;
    const mapping::NodeTable* node = model.find_node(candidate.name);
    const mapping::RelationshipTable* relationship = model.find_relationship(candidate.name);
    if (node == nullptr && relationship == nullptr) continue;
    if (!(node != nullptr ? describe(table, *node) : describe(table, *relationship))) {
      found.left_out.push_back({.name = candidate.name,
                                .reason = "its key is not one column, or the pair of a relationship's ends, or it has no version",
                                .cure = "map a version, and a key of one column"});
      continue;
    }
    table.has_updated_at = candidate.column("updated_at") != nullptr;
    table.has_relationship_id = relationship != nullptr && candidate.column("neo4j_relationship_id") != nullptr;
    CNX_TRY(std::optional<LeftOut> left_out, prepare(session, candidate, table, deadline));
    if (left_out) {
      left_out->name = candidate.name;
      found.left_out.push_back(std::move(*left_out));
    } else {
      found.tables.push_back(std::move(table));
    }
  }
  return found;
}

}  // namespace cnx::record
