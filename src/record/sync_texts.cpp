#include "record/sync_texts.hpp"

#include "postgres/quote.hpp"

namespace cnx::record {
namespace {

using postgres::quote_identifier;
using postgres::quote_table;

// ROWS FROM (unnest($1::uuid[]), …, unnest($n::bigint[])) with numbers: w(k1, …, version, …, number).
std::string wanted(const SyncTable& table, bool with_ids) {
  std::string arrays;
  std::string names;
  size_t parameter = 0;
  for (const std::string& type : table.key_types) {
    ++parameter;
    arrays += "pg_catalog.unnest($" + std::to_string(parameter) + "::" + type + "[]), ";
    names += "k" + std::to_string(parameter) + ", ";
  }
  arrays += "pg_catalog.unnest($" + std::to_string(++parameter) + "::bigint[])";
  names += "version, ";
  if (with_ids) {
    arrays += ", pg_catalog.unnest($" + std::to_string(++parameter) + "::text[])";
    arrays += ", pg_catalog.unnest($" + std::to_string(++parameter) + "::text[])";
    names += "node_id, relationship_id, ";
  }
  return "ROWS FROM (" + arrays + ") WITH ORDINALITY AS w(" + names + "number)";
}

std::string same_key(const SyncTable& table, const std::string& left, const std::string& right) {
  std::string text;
  for (size_t i = 0; i < table.key_columns.size(); ++i) {
    if (i > 0) text += " AND ";
    text += left + "." + quote_identifier(table.key_columns[i]) + " = " + right + ".k" + std::to_string(i + 1);
  }
  return text;
}

std::string key_list(const SyncTable& table) {
  std::string text;
  for (const std::string& column : table.key_columns) text += (text.empty() ? "t." : ", t.") + quote_identifier(column);
  return text;
}

std::string parameter(size_t number, const char* type) { return "$" + std::to_string(number) + "::" + type; }

// Its element ids belong to an older graph. False where either moment is NULL.
std::string stale(size_t filled) { return "(t.neo4j_synced_at < " + parameter(filled, "timestamptz") + ") IS TRUE"; }

std::string still_to_write(const SyncTable& table, size_t filled) {
  return "t." + quote_identifier(table.version_column) + " = w.version AND (t.neo4j_sync_status <> 'synced' OR " + stale(filled) +
         ")";
}

// Only where the row's own is null, or stale, is it written: it need not be asked for otherwise.
std::string element_id(const char* column, const char* given) {
  const std::string own = std::string("t.") + column;
  const std::string found = std::string("NULLIF(w.") + given + ", '')";
  return std::string(column) + " = CASE WHEN w.stale THEN " + found + " ELSE COALESCE(" + own + ", " + found + ") END";
}

// The key behind which a sweep goes on, as parameters from `first` on.
std::string last_key(const SyncTable& table, size_t first) {
  std::string text;
  for (const std::string& type : table.key_types) text += (text.empty() ? "" : ", ") + parameter(first++, type.c_str());
  return text;
}

}  // namespace

std::string candidates_text(const SyncTable& table) {
  const size_t filled = table.key_columns.size() + 2;
  std::string missing = "t.neo4j_node_id IS NULL";
  if (table.has_relationship_id) missing += " OR t.neo4j_relationship_id IS NULL";
  return "SELECT w.number, " + missing + " OR " + stale(filled) + " FROM " + wanted(table, false) + " JOIN " +
         quote_table(table.name) + " t ON " + same_key(table, "t", "w") + " WHERE " + still_to_write(table, filled);
}

std::string owner_condition(size_t pipeline, size_t epoch) {
  return "NOT EXISTS (SELECT FROM contextnexus.pipelines p WHERE p.name = " + parameter(pipeline, "text") + " AND p.epoch > " +
         parameter(epoch, "bigint") + ")";
}

std::string write_text(const SyncTable& table, bool fenced) {
  const size_t filled = table.key_columns.size() + 4;
  const std::string name = quote_table(table.name);
  std::string keys;
  for (size_t i = 1; i <= table.key_columns.size(); ++i) keys += "w.k" + std::to_string(i) + ", ";
  std::string text = "WITH locked AS MATERIALIZED (SELECT " + keys + "w.version, w.node_id, w.relationship_id, w.number, " +
                     stale(filled) + " AS stale FROM " + wanted(table, true) + " JOIN " + name + " t ON " +
                     same_key(table, "t", "w") + " WHERE " + still_to_write(table, filled) +
                     (fenced ? " AND " + owner_condition(filled + 1, filled + 2) : std::string()) + " ORDER BY " + key_list(table) +
                     " FOR NO KEY UPDATE OF t SKIP LOCKED) UPDATE " + name +
                     " t SET neo4j_sync_status = 'synced', neo4j_synced_version = w.version, neo4j_synced_at = "
                     "pg_catalog.clock_timestamp(), " +
                     element_id("neo4j_node_id", "node_id");
  if (table.has_relationship_id) text += ", " + element_id("neo4j_relationship_id", "relationship_id");
  return text + " FROM locked w WHERE " + same_key(table, "t", "w") + " AND t." + quote_identifier(table.version_column) +
         " = w.version RETURNING w.number";
}

std::string conflict_text(const SyncTable& table, bool fenced) {
  const size_t owner = table.key_columns.size() + 2;
  const std::string name = quote_table(table.name);
  std::string keys;
  for (size_t i = 1; i <= table.key_columns.size(); ++i) keys += "w.k" + std::to_string(i) + ", ";
  return "WITH locked AS MATERIALIZED (SELECT " + keys + "w.version FROM " + wanted(table, false) + " JOIN " + name + " t ON " +
         same_key(table, "t", "w") + " WHERE t." + quote_identifier(table.version_column) + " = w.version AND t.neo4j_sync_status <> 'conflict'" +
         (fenced ? " AND " + owner_condition(owner, owner + 1) : std::string()) + " ORDER BY " + key_list(table) +
         " FOR NO KEY UPDATE OF t SKIP LOCKED) UPDATE " + name + " t SET neo4j_sync_status = 'conflict' FROM locked w WHERE " +
         same_key(table, "t", "w") + " AND t." + quote_identifier(table.version_column) + " = w.version";
}

std::string held_text(const SyncTable& table, bool fenced) {
  const std::string name = quote_table(table.name);
  const std::string of_table = " WHERE h.pipeline = $1 AND h.table_schema = " + postgres::quote_literal(table.name.schema) +
                               " AND h.table_name = " + postgres::quote_literal(table.name.name) + " AND h.key_columns = $2::text[]";
  std::string held;
  std::string keys;
  for (size_t i = 0; i < table.key_types.size(); ++i) {
    const std::string number = std::to_string(i + 1);
    held += "h.key_values[" + number + "]::" + table.key_types[i] + " AS k" + number + ", ";
    keys += "w.k" + number + ", ";
  }
  return "WITH held AS MATERIALIZED (SELECT " + held + "'failed' AS status FROM contextnexus.dead_letters h" + of_table +
         " AND h.state IN ('open', 'retrying') UNION ALL SELECT " + held + "'conflict' FROM contextnexus.conflicts h" + of_table +
         " AND h.state IN ('conflict', 'resolving')), locked AS MATERIALIZED (SELECT " + keys + "w.status FROM held w JOIN " + name +
         " t ON " + same_key(table, "t", "w") + " WHERE t.neo4j_sync_status = 'pending'" +
         (fenced ? " AND " + owner_condition(1, 3) : std::string()) + " ORDER BY " + key_list(table) +
         " FOR NO KEY UPDATE OF t SKIP LOCKED) UPDATE " + name + " t SET neo4j_sync_status = w.status FROM locked w WHERE " +
         same_key(table, "t", "w");
}

std::string unsynced_text(const SyncTable& table, bool all, bool after) {
  const std::string keys = key_list(table);
  const std::string order = (table.has_updated_at ? "t.updated_at, " : "") + keys;
  std::string text = "SELECT t." + quote_identifier(table.version_column) + ", " +
                     (table.has_updated_at ? "t.updated_at" : "NULL") + ", " + keys + " FROM " + quote_table(table.name) +
                     " t WHERE t.neo4j_sync_status " + (all ? "<> 'synced'" : "= 'pending'");
  if (after) {
    const std::string last = table.has_updated_at ? parameter(2, "timestamptz") + ", " + last_key(table, 3) : last_key(table, 2);
    text += " AND (" + order + ") > (" + last + ")";
  }
  return text + " ORDER BY " + order + " LIMIT $1::bigint";
}

std::string stale_text(const SyncTable& table, bool after) {
  const std::string keys = key_list(table);
  std::string text = "SELECT CASE WHEN t.neo4j_sync_status = 'synced' AND " + stale(2) + " THEN t." +
                     quote_identifier(table.version_column) + " END, NULL, " + keys + " FROM " + quote_table(table.name) + " t";
  if (after) text += " WHERE (" + keys + ") > (" + last_key(table, 3) + ")";
  return text + " ORDER BY " + keys + " LIMIT $1::bigint";
}

}  // namespace cnx::record
