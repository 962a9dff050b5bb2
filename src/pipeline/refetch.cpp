#include "pipeline/refetch.hpp"

#include <algorithm>
#include <map>
#include <unordered_set>

#include "bolt/packstream.hpp"
#include "capture/snapshot/snapshot_stage.hpp"
#include "cypher/conflict_probe.hpp"
#include "cypher/text_parts.hpp"
#include "pipeline/conflicts.hpp"
#include "pipeline/graph_keys.hpp"
#include "postgres/quote.hpp"

namespace cnx::pipeline {
namespace {

using mapping::Key;
using mapping::LackingRow;
using mapping::NodeTable;

using FoundConflicts = std::map<size_t, FoundConflict>;  // By their place among the rows.
using Keys = std::unordered_set<Key, mapping::KeyHash>;

Result<Keys> missing_nodes(bolt::Connection& graph, const NodeTable& table,
                           const std::vector<Key>& keys, TimePoint deadline) {
  bolt::List list;
  for (const Key& key : keys) list.push_back(value_of(key));
  const std::string text = cypher::text("UNWIND $batch.rows AS k OPTIONAL " + cypher::match_node("n", table, "k") +
                                        " WITH k, n WHERE n IS NULL OR n._cnx_stub RETURN k");
  CNX_TRY(bolt::QueryResult result,
          graph.query(text, bolt::Map{{"batch", bolt::Map{{"rows", std::move(list)}}}}, deadline));
  Keys missing;
  for (const bolt::List& record : result.records) {
    if (record.empty()) continue;
    if (const auto* number = record.front().get_if<int64_t>()) missing.insert(Key(*number));
    if (const auto* string = record.front().get_if<std::string>()) missing.insert(Key(*string));
  }
  return missing;
}

// What the graph has of those that meet a conflict there, by their place in `rows`.
template <typename Table>
Status find_conflicts(bolt::Connection& graph, const Table& table, const std::vector<LackingRow>& rows, const std::vector<size_t>& places,
                      FoundConflicts& found, TimePoint deadline) {
  std::vector<const LackingRow*> asked;
  for (size_t place : places) asked.push_back(&rows[place]);
  const cypher::ConflictProbe probe = cypher::conflict_probe(table, asked);
  CNX_TRY(bolt::Value parameters, bolt::unpack(probe.parameters, bolt::Dialect()));
  CNX_TRY(bolt::QueryResult result, graph.query(probe.text, parameters, deadline));
  for (bolt::List& record : result.records) {
    const auto* number = record.size() == 2 ? record[0].get_if<int64_t>() : nullptr;
    const auto* has = number != nullptr ? record[1].get_if<bolt::Map>() : nullptr;
    if (has == nullptr || *number < 0 || static_cast<size_t>(*number) >= places.size())
      return fail(ErrorKind::malformed, "the query for conflicts gave another kind of record");
    const size_t place = places[static_cast<size_t>(*number)];
    found[place] = {.row = &rows[place], .graph = *has};
  }
  return {};
}

Result<FoundConflicts> find_conflicts(bolt::Connection& graph, const std::vector<LackingRow>& rows, TimePoint deadline) {
  std::map<const NodeTable*, std::vector<size_t>> nodes;
  std::map<const mapping::RelationshipTable*, std::vector<size_t>> relationships;
  for (size_t i = 0; i < rows.size(); ++i) {
    if (!rows[i].conflicts) continue;
    if (rows[i].relationship != nullptr) {
      relationships[rows[i].relationship].push_back(i);
    } else {
      nodes[rows[i].node].push_back(i);
    }
  }
  FoundConflicts found;
  for (const auto& [table, places] : nodes) CNX_TRY(find_conflicts(graph, *table, rows, places, found, deadline));
  for (const auto& [table, places] : relationships) CNX_TRY(find_conflicts(graph, *table, rows, places, found, deadline));
  return found;
}

// By their place in `rows`.
Result<std::vector<bool>> find_lacking(bolt::Connection& graph, const std::vector<LackingRow>& rows, TimePoint deadline) {
  using Lacks = LackingRow::Lacks;
  std::map<const NodeTable*, std::vector<Key>> asked;
  for (const LackingRow& row : rows) {
    if (row.lacks == Lacks::node) asked[row.node].push_back(row.node_key);
  }
  std::map<const NodeTable*, Keys> missing;
  for (const auto& [table, keys] : asked) {
    CNX_TRY(missing[table], missing_nodes(graph, *table, keys, deadline));
  }
  std::vector<bool> lacking;
  for (const LackingRow& row : rows) {
    lacking.push_back(row.lacks == Lacks::unsaid || (row.lacks == Lacks::node && missing[row.node].contains(row.node_key)));
  }
  return lacking;
}

std::string select_text(const postgres::Table& table, const change::Relation& relation,
                        const mapping::RowKey& key) {
  std::string columns;
  for (const change::Column& column : relation.columns) {
    columns += (columns.empty() ? "" : ", ") + postgres::quote_identifier(column.name);
  }
  std::string condition = key_condition(key, "t");
  // A row that the filter leaves out is none for the graph: that it left is in the stream.
  if (!table.filter.sql.empty()) condition += " AND " + postgres::enclosed(table.filter.sql);
  return "SELECT " + columns + " FROM " + postgres::own_rows(table) + " t WHERE " + condition;
}

// A table whose key is another by now is read again whole.
bool has_columns(const postgres::Table& table, const mapping::RowKey& key) {
  return std::all_of(key.columns.begin(), key.columns.end(), [&](const std::string& name) { return table.column(name) != nullptr; });
}

Result<apply::RefetchedRow> read_row(postgres::Session& session, const postgres::Table& table,
                                     const mapping::RowKey& key, TimePoint deadline) {
  apply::RefetchedRow row;
  row.key = key;
  row.relation = capture::relation_of(table);
  // As for the copy: hidden rows are an error, unless a policy admits us to all (R5).
  CNX_TRY(session.execute(table.row_security_applies ? "SET LOCAL row_security = on"
                                                     : "SET LOCAL row_security = off",
                          deadline));
  postgres::Parameters parameters;
  for (const std::string& value : key.values) parameters.push_back(value);
  CNX_TRY(postgres::Rows rows,
          session.query(select_text(table, *row.relation, key), parameters, deadline));
  if (rows.empty()) return row;
  row.values.emplace();
  for (size_t column = 0; column < row.relation->columns.size(); ++column) {
    std::optional<std::string_view> value = rows.value(0, column);
    row.values->push_back(value ? std::optional<std::string>(*value) : std::nullopt);
  }
  return row;
}

}  // namespace

std::string key_condition(const mapping::RowKey& key, const std::string& alias) {
  std::string condition;
  for (size_t i = 0; i < key.columns.size(); ++i) {
    condition += (i == 0 ? "" : " AND ") + alias + "." + postgres::quote_identifier(key.columns[i]) + " = $" + std::to_string(i + 1);
  }
  return condition;
}

Result<std::vector<apply::RefetchedRow>> refetch(const PipelineOptions& options,
                                                 const Catalog& catalog, bolt::Connection& graph,
                                                 const std::vector<LackingRow>& rows,
                                                 change::Position at, Conflicts& conflicts, TimePoint deadline) {
  CNX_TRY(FoundConflicts found, find_conflicts(graph, rows, deadline));
  CNX_TRY(std::vector<bool> lacking, find_lacking(graph, rows, deadline));
  postgres::ConnectionOptions connection = options.postgres;
  connection.row_security_on = true;
  CNX_TRY(postgres::Session session, postgres::Session::open(connection, deadline));
  CNX_TRY(session.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", deadline));
  CNX_TRY(postgres::Rows now,
          session.query("SELECT pg_catalog.pg_current_snapshot()::text", deadline));
  CNX_TRY(change::PgSnapshot snapshot, change::PgSnapshot::parse(now.text(0, 0)));
  std::vector<apply::RefetchedRow> read;
  for (size_t i = 0; i < rows.size(); ++i) {
    auto conflict = found.find(i);
    if (!lacking[i] && conflict == found.end()) continue;
    const postgres::Table* table = find_table(catalog.tables, rows[i].row.table);
    if (table == nullptr || !has_columns(*table, rows[i].row)) continue;
    CNX_TRY(apply::RefetchedRow row, read_row(session, *table, rows[i].row, deadline));
    row.snapshot = snapshot;
    row.at = at;
    bool leads = true;
    if (conflict != found.end()) {
      CNX_TRY(leads, conflicts.decide(session, *table, conflict->second, row, deadline));
    }
    if (leads) read.push_back(std::move(row));
  }
  CNX_TRY(session.execute("COMMIT", deadline));
  // A synchronous commit: nothing that a crash of PostgreSQL would take back is on its way into the
  // graph. It stands behind everything that the snapshot has seen.
  CNX_TRY(session.execute("SET synchronous_commit = on", deadline));
  CNX_TRY(postgres::Rows mark,
          session.query("SELECT pg_catalog.pg_logical_emit_message(true, 'contextnexus', '')",
                        deadline));
  CNX_TRY(change::Lsn until, mark.lsn(0, 0));
  for (apply::RefetchedRow& row : read) row.until = until;
  return read;
}

}  // namespace cnx::pipeline
