#include "apply/table_states.hpp"

#include "apply/node_properties.hpp"
#include "apply/steady_read.hpp"

namespace cnx::apply {
namespace {

using State = TableState::State;

constexpr std::string_view kRead =
    "CYPHER 5 MATCH (t:ContextNexusTable {pipeline: $pipeline}) RETURN properties(t) ORDER BY t.key";
// In place: who reads meanwhile finds a node for each table, of before or after.
constexpr std::string_view kWrite =
    "SET p.fingerprint = $fingerprint WITH p "
    "CALL (p) { UNWIND $tables AS row MERGE (t:ContextNexusTable {key: row.key}) SET t = row } "
    "WITH p, [row IN $tables | row.key] AS keys "
    "MATCH (t:ContextNexusTable {pipeline: $pipeline}) WHERE NOT t.key IN keys DELETE t";
constexpr std::string_view kRemove =
    "CYPHER 5 MATCH (t:ContextNexusTable {pipeline: $pipeline}) DELETE t";

std::string key_of(std::string_view pipeline, const postgres::TableName& name) {
  return std::string(pipeline) + "/" + postgres::quote_table(name);
}

bolt::Map node_of(const TableState& table, const std::string& pipeline) {
  return {{"key", key_of(pipeline, table.name)},
          {"pipeline", pipeline},
          {"schema", table.name.schema},
          {"table", table.name.name},
          {"state", std::string(to_string(table.state))},
          {"reason", table.reason},
          {"advice", table.advice},
          {"since", table.since},
          {"shape", table.shape},
          {"rule", table.rule},
          {"form", table.form},
          {"properties", list_of(table.properties)},
          {"fieldPrefixes", list_of(table.field_prefixes)},
          {"due", static_cast<int64_t>(table.due.value())},
          {"staleProperties", list_of(table.stale_properties)},
          {"stalePrefixes", list_of(table.stale_prefixes)},
          {"sweep", table.sweep}};
}

Result<State> state_of(const std::string& text) {
  for (State state : {State::streaming, State::copying, State::held}) {
    if (to_string(state) == text) return state;
  }
  return fail(text_of(bolt::Value()).error());
}

Result<TableState> table_of(const bolt::Map& map) {
  const NodeProperties node(map);
  TableState table;
  CNX_TRY(table.name.schema, node.text("schema"));
  CNX_TRY(table.name.name, node.text("table"));
  CNX_TRY(std::string state, node.text("state"));
  CNX_TRY(table.state, state_of(state));
  CNX_TRY(table.reason, node.text("reason"));
  CNX_TRY(table.advice, node.text("advice"));
  CNX_TRY(table.since, node.text("since"));
  CNX_TRY(table.shape, node.text("shape"));
  CNX_TRY(table.rule, node.text("rule"));
  CNX_TRY(table.form, node.text("form"));
  CNX_TRY(table.properties, node.texts("properties"));
  // An engine before this one did not write it.
  if (node.has("fieldPrefixes")) {
    CNX_TRY(table.field_prefixes, node.texts("fieldPrefixes"));
  }
  CNX_TRY(uint64_t due, node.number("due"));
  table.due = change::Lsn(due);
  CNX_TRY(table.stale_properties, node.texts("staleProperties"));
  if (node.has("stalePrefixes")) {
    CNX_TRY(table.stale_prefixes, node.texts("stalePrefixes"));
  }
  table.sweep = node.flag("sweep");
  return table;
}

Result<std::vector<TableState>> read_once(bolt::Connection& connection, std::string_view pipeline, TimePoint deadline) {
  CNX_TRY(bolt::QueryResult result,
          connection.query(kRead, bolt::Map{{"pipeline", std::string(pipeline)}}, deadline));
  std::vector<TableState> tables;
  for (const bolt::List& record : result.records) {
    const auto* node = record.empty() ? nullptr : record.front().get_if<bolt::Map>();
    if (node == nullptr) return fail(text_of(bolt::Value()).error());
    CNX_TRY(TableState table, table_of(*node));
    tables.push_back(std::move(table));
  }
  return tables;
}

}  // namespace

std::string_view to_string(State state) {
  switch (state) {
    case State::streaming:
      return "streaming";
    case State::copying:
      return "copying";
    case State::held:
      return "held";
  }
  return "";
}

Result<std::vector<TableState>> read_table_states(bolt::Connection& connection, std::string_view pipeline,
                                                  TimePoint deadline) {
  return steady_read([&] { return read_once(connection, pipeline, deadline); });
}

Status write_table_states(bolt::Connection& connection, const CopyOwner& owner, const std::vector<TableState>& states,
                          const std::string& fingerprint, TimePoint deadline) {
  bolt::List nodes;
  for (const TableState& table : states) nodes.push_back(node_of(table, owner.pipeline));
  CNX_TRY(run_owned(connection, owner, kWrite, {{"tables", nodes}, {"fingerprint", fingerprint}}, deadline));
  return {};
}

Status remove_table_states(bolt::Connection& connection, std::string_view pipeline, TimePoint deadline) {
  CNX_TRY(connection.query(kRemove, bolt::Map{{"pipeline", std::string(pipeline)}}, deadline));
  return {};
}

}  // namespace cnx::apply
