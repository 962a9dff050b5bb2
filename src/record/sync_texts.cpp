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

std::string still_to_write(const SyncTable& table) {
  return "t." + quote_identifier(table.version_column) + " = w.version AND t.neo4j_sync_status <> 'synced'";
}

}  // namespace

std::string candidates_text(const SyncTable& table) {
  const std::string missing = table.has_relationship_id ? "(t.neo4j_node_id IS NULL OR t.neo4j_relationship_id IS NULL)"
                                                        : "t.neo4j_node_id IS NULL";
  return "SELECT w.number, " + missing + " FROM " + wanted(table, false) + " JOIN " + quote_table(table.name) + " t ON " +
         same_key(table, "t", "w") + " WHERE " + still_to_write(table);
}

std::string write_text(const SyncTable& table) {
  const std::string name = quote_table(table.name);
  std::string keys;
  for (size_t i = 1; i <= table.key_columns.size(); ++i) keys += "w.k" + std::to_string(i) + ", ";
  std::string text = "WITH locked AS MATERIALIZED (SELECT " + keys + "w.version, w.node_id, w.relationship_id, w.number FROM " +
                     wanted(table, true) + " JOIN " + name + " t ON " + same_key(table, "t", "w") + " WHERE " +
                     still_to_write(table) + " ORDER BY " + key_list(table) + " FOR NO KEY UPDATE OF t SKIP LOCKED) UPDATE " +
                     name +
                     " t SET neo4j_sync_status = 'synced', neo4j_synced_version = w.version, neo4j_synced_at = pg_catalog.now(), "
                     "neo4j_node_id = COALESCE(t.neo4j_node_id, NULLIF(w.node_id, ''))";
  if (table.has_relationship_id) {
    text += ", neo4j_relationship_id = COALESCE(t.neo4j_relationship_id, NULLIF(w.relationship_id, ''))";
  }
  return text + " FROM locked w WHERE " + same_key(table, "t", "w") + " AND t." + quote_identifier(table.version_column) +
         " = w.version RETURNING w.number";
}

std::string sweep_text(const SyncTable& table, bool after) {
  const std::string keys = key_list(table);
  const std::string order = (table.has_updated_at ? "t.updated_at, " : "") + keys;
  std::string text = "SELECT t." + quote_identifier(table.version_column) + ", " +
                     (table.has_updated_at ? "t.updated_at" : "NULL") + ", " + keys + " FROM " + quote_table(table.name) +
                     " t WHERE t.neo4j_sync_status = 'pending'";
  if (after) {
    size_t parameter = 1;
    std::string last;
    if (table.has_updated_at) last = "$" + std::to_string(++parameter) + "::timestamptz, ";
    for (const std::string& type : table.key_types) {
      last += "$" + std::to_string(++parameter) + "::" + type + ", ";
    }
    last.resize(last.size() - 2);
    text += " AND (" + order + ") > (" + last + ")";
  }
  return text + " ORDER BY " + order + " LIMIT $1::bigint";
}

}  // namespace cnx::record
