#include "pipeline/graph_marks.hpp"

#include <set>

#include "cypher/quote.hpp"
#include "cypher/text_parts.hpp"
#include "pipeline/graph_form.hpp"
#include "pipeline/graph_indexes.hpp"

namespace cnx::pipeline {
namespace {

using cypher::quote;

// Nodes or relationships a transaction: 2.4 kB of the server's memory each, so that a small heap takes it.
constexpr int64_t kRemovedAtOnce = 10'000;
constexpr Duration kStatementMax = std::chrono::seconds(60);
// A constraint over what is there already reads it all.
constexpr Duration kConstraintMax = std::chrono::minutes(30);

TimePoint soon() { return Clock::now() + kStatementMax; }

Result<int64_t> single_integer(const bolt::QueryResult& result) {
  if (result.records.size() == 1 && !result.records.front().empty()) {
    if (const auto* number = result.records.front().front().get_if<int64_t>()) return *number;
  }
  return fail(ErrorKind::malformed, "Neo4j answered a count with something else");
}

std::string relationship_pattern(const mapping::RelationshipTable& table) {
  return "(:" + quote(table.start->node->label) + ")-[r:" + quote(table.type) + "]->(:" +
         quote(table.end->node->label) + ")";
}

std::string relationship_pattern(const mapping::NodeTable& table, const mapping::ForeignKey& key) {
  const std::string here = "(:" + quote(table.node->label) + ")";
  const std::string other = "(:" + quote(key.other->node->label) + ")";
  const std::string type = "[r:" + quote(key.rule->type) + "]";
  return key.rule->incoming ? other + "-" + type + "->" + here : here + "-" + type + "->" + other;
}

std::set<std::string> relationship_patterns(const mapping::Model& model) {
  std::set<std::string> patterns;
  for (const mapping::RelationshipTable& table : model.relationships()) patterns.insert(relationship_pattern(table));
  for (const mapping::NodeTable& table : model.nodes()) {
    for (const mapping::ForeignKey& key : table.foreign_keys) patterns.insert(relationship_pattern(table, key));
  }
  return patterns;
}

std::string node_pattern(const mapping::NodeTable& table) {
  return "(n:" + quote(table.node->label) + ") WHERE n." + quote(table.key_property) + " IS NOT NULL";
}

// Of n, with $clear: what of ours a stub does not keep.
std::string make_stub(const mapping::NodeTable& table) {
  return "SET n += $clear, n._cnx_stub = true" + cypher::drop_fields("n", cypher::flattened(table)) + cypher::drop_labels("n", table);
}

// Runs a statement that does a bounded part and returns how much it did, until there is nothing left.
Result<size_t> repeat(bolt::Connection& connection, const std::string& text, const bolt::Map& parameters) {
  size_t total = 0;
  while (true) {
    CNX_TRY(bolt::QueryResult result, connection.query(text, parameters, soon()));
    CNX_TRY(int64_t done, single_integer(result));
    if (done == 0) return total;
    total += static_cast<size_t>(done);
  }
}

// The properties that a stub of ours has, and no more.
bolt::List stub_properties(const mapping::NodeTable& table) {
  bolt::List ours{table.key_property, "_cnx_stub"};
  if (!table.tenant_property.empty()) ours.push_back(table.tenant_property);
  return ours;
}

Result<size_t> clear_nodes(bolt::Connection& connection, const mapping::NodeTable& table,
                           const std::vector<std::string>& names, size_t& kept) {
  bolt::List ours = stub_properties(table);
  bolt::Map clear;
  for (const std::string& name : names) {
    ours.push_back(name);
    clear.add(name, {});
  }
  bolt::Map parameters{{"ours", ours}, {"clear", clear}, {"limit", kRemovedAtOnce}};
  const std::string lonely = "CYPHER 5 MATCH " + node_pattern(table) +
                             " AND COUNT {(n)--()} = 0 AND all(name IN keys(n) WHERE name IN $ours OR " +
                             cypher::is_field("name", cypher::flattened(table)) + ") WITH n LIMIT $limit DELETE n RETURN count(*)";
  CNX_TRY(size_t removed, repeat(connection, lonely, parameters));
  const std::string others = "CYPHER 5 MATCH " + node_pattern(table) +
                             " AND n._cnx_stub IS NULL WITH n LIMIT $limit " + make_stub(table) + " RETURN count(*)";
  CNX_TRY(kept, repeat(connection, others, parameters));
  return removed;
}

}  // namespace

Result<std::string> read_graph_identity(bolt::Connection& connection) {
  CNX_TRY(bolt::QueryResult result, connection.query("CYPHER 5 CALL db.info() YIELD id RETURN id", {}, soon()));
  if (result.records.size() == 1) {
    if (const auto* id = result.records.front().front().get_if<std::string>()) return *id;
  }
  return fail(ErrorKind::malformed, "Neo4j did not tell the identity of its store");
}

Result<std::set<std::string>> read_constraint_names(bolt::Connection& connection) {
  CNX_TRY(bolt::QueryResult rows,
          connection.query("CYPHER 5 SHOW CONSTRAINTS YIELD name, type, entityType, labelsOrTypes, properties RETURN name, "
                           "CASE WHEN entityType = 'NODE' AND size(properties) = 1 AND (type ENDS WITH 'UNIQUENESS' OR type ENDS WITH 'KEY') THEN "
                           "'contextnexus_' + labelsOrTypes[0] + '_' + properties[0] END",
                           {}, soon()));
  std::set<std::string> names;
  for (const bolt::List& row : rows.records) {
    for (const bolt::Value& value : row) {
      if (const auto* name = value.get_if<std::string>()) names.insert(*name);
    }
  }
  return names;
}

std::vector<cypher::Text> all_constraint_texts(const mapping::Model& model) {
  std::vector<cypher::Text> texts = cypher::constraint_texts(model);
  texts.push_back({"contextnexus_segment",
                   "CYPHER 5 CREATE CONSTRAINT contextnexus_segment IF NOT EXISTS FOR (n:ContextNexusSegment) "
                   "REQUIRE n.key IS UNIQUE"});
  texts.push_back({"contextnexus_table",
                   "CYPHER 5 CREATE CONSTRAINT contextnexus_table IF NOT EXISTS FOR (n:ContextNexusTable) "
                   "REQUIRE n.key IS UNIQUE"});
  texts.push_back({"contextnexus_position",
                   "CYPHER 5 CREATE CONSTRAINT contextnexus_position IF NOT EXISTS FOR (n:ContextNexusPosition) "
                   "REQUIRE n.key IS UNIQUE"});
  return texts;
}

namespace {

// Which nodes share a key, where that is what a constraint failed at: some of them, by their element ids.
Status say_duplicates(bolt::Connection& connection, const mapping::Model& model, const std::string& constraint) {
  for (const mapping::NodeTable& table : model.nodes()) {
    if (cypher::constraint_name(table) != constraint) continue;
    const std::string key = "n." + quote(table.key_property);
    CNX_TRY(bolt::QueryResult result,
            connection.query("CYPHER 5 MATCH (n:" + quote(table.node->label) + ") WHERE " + key + " IS NOT NULL WITH " + key +
                                 " AS key, collect(elementId(n)) AS ids WHERE size(ids) > 1 "
                                 "RETURN reduce(text = '', id IN ids[..5] | text + ' ' + id) LIMIT 10",
                             {}, Clock::now() + kConstraintMax));
    if (result.records.empty()) return {};
    std::string groups;
    for (const bolt::List& record : result.records) {
      const auto* ids = record.empty() ? nullptr : record.front().get_if<std::string>();
      if (ids != nullptr) groups += (groups.empty() ? "" : ";") + *ids;
    }
    return fail(Error(ErrorKind::state, "nodes of one label share a key, and none of them is the row's")
                    .with("label", table.node->label)
                    .with("property", table.key_property)
                    .with("element ids", groups)
                    .advise("merge or delete them by hand, so that each key is there once; then start again"));
  }
  return {};
}

// The index that keeps Neo4j from making that constraint, which it does not name.
Status say_index(bolt::Connection& connection, const mapping::Model& model, const std::string& constraint) {
  for (const mapping::NodeTable& table : model.nodes()) {
    if (cypher::constraint_name(table) != constraint) continue;
    CNX_TRY(bolt::QueryResult result,
            connection.query("CYPHER 5 SHOW INDEXES YIELD name, type, labelsOrTypes, properties, owningConstraint WHERE type = 'RANGE' "
                             "AND labelsOrTypes = [$label] AND properties = [$property] AND owningConstraint IS NULL RETURN name",
                             bolt::Map{{"label", table.node->label}, {"property", table.key_property}}, soon()));
    if (result.records.empty() || result.records.front().empty()) return {};
    const auto* name = result.records.front().front().get_if<std::string>();
    if (name == nullptr) return {};
    return fail(Error(ErrorKind::state, "an index is where a uniqueness constraint has to be")
                    .with("index", *name)
                    .with("label", table.node->label)
                    .with("property", table.key_property)
                    .advise("DROP INDEX " + quote(*name) + " in Neo4j, then start again: the constraint brings an index of its own"));
  }
  return {};
}

}  // namespace

Status make_constraints(bolt::Connection& connection, const mapping::Model& model) {
  // Each pass begins here, and most find all of them: one question for all, not one for each. A role that may not ask makes them.
  Result<std::set<std::string>> there = read_constraint_names(connection);
  if (!there && !connection.alive()) return fail(std::move(there.error()));
  for (const cypher::Text& text : all_constraint_texts(model)) {
    if (there && there->contains(text.name)) continue;
    Result<bolt::QueryResult> made = connection.query(text.text, {}, Clock::now() + kConstraintMax);
    if (made) continue;
    // It was refused; of a connection that was lost nothing can be asked.
    if (connection.alive()) {
      CNX_TRY(say_duplicates(connection, model, text.name));
      CNX_TRY(say_index(connection, model, text.name));
    }
    return fail(std::move(made.error()).wrap("making the uniqueness constraint " + text.name));
  }
  CNX_TRY(make_indexes(connection, model));
  CNX_TRY(connection.query("CYPHER 5 CALL db.awaitIndexes(1800)", {}, Clock::now() + kConstraintMax));
  return {};
}

Status drop_constraints(bolt::Connection& connection, const mapping::Model& model) {
  for (const cypher::Text& text : all_constraint_texts(model)) {
    CNX_TRY(connection.query("CYPHER 5 DROP CONSTRAINT " + quote(text.name) + " IF EXISTS", {}, soon()));
  }
  return drop_indexes(connection, model);
}

Result<OursInGraph> count_ours(bolt::Connection& connection, const mapping::Model& model) {
  OursInGraph ours;
  for (const mapping::NodeTable& table : model.nodes()) {
    CNX_TRY(bolt::QueryResult result,
            connection.query("CYPHER 5 MATCH " + node_pattern(table) + " RETURN count(*)", {}, soon()));
    CNX_TRY(int64_t count, single_integer(result));
    ours.nodes += static_cast<size_t>(count);
  }
  for (const std::string& pattern : relationship_patterns(model)) {
    CNX_TRY(bolt::QueryResult result, connection.query("CYPHER 5 MATCH " + pattern + " RETURN count(*)", {}, soon()));
    CNX_TRY(int64_t count, single_integer(result));
    ours.relationships += static_cast<size_t>(count);
  }
  return ours;
}

Result<ClearedGraph> clear_ours(bolt::Connection& connection, const mapping::Model& model,
                                const std::vector<std::vector<std::string>>& known_properties) {
  ClearedGraph cleared;
  for (const std::string& pattern : relationship_patterns(model)) {
    CNX_TRY(size_t removed, repeat(connection, "CYPHER 5 MATCH " + pattern + " WITH r LIMIT $limit DELETE r RETURN count(*)",
                                   bolt::Map{{"limit", kRemovedAtOnce}}));
    cleared.relationships += removed;
  }
  for (const mapping::NodeTable& table : model.nodes()) {
    size_t kept = 0;
    CNX_TRY(size_t removed, clear_nodes(connection, table, known_properties[table.index], kept));
    cleared.nodes += removed;
    cleared.kept_stubs += kept;
  }
  return cleared;
}

Status clear_table(bolt::Connection& connection, const mapping::Model& model,
                   const std::vector<std::vector<std::string>>& known_properties, const mapping::TableName& table,
                   const apply::CopyOwner& owner) {
  for (const mapping::RelationshipTable& relationship : model.relationships()) {
    if (relationship.rule->table == table) CNX_TRY(remove_form(connection, owner, form_of(relationship)));
  }
  for (const mapping::NodeTable& node : model.nodes()) {
    if (node.rule->table != table) continue;
    GraphForm form = form_of(node);
    form.properties.insert(known_properties[node.index].begin(), known_properties[node.index].end());
    CNX_TRY(remove_form(connection, owner, form));
  }
  return remove_lonely_stubs(connection, owner, model);
}

}  // namespace cnx::pipeline
