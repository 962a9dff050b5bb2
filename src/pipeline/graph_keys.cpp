#include "pipeline/graph_keys.hpp"

#include "cypher/quote.hpp"

namespace cnx::pipeline {
namespace {

using cypher::quote;

constexpr Duration kPageMax = std::chrono::seconds(60);

std::optional<mapping::Key> key_of_value(const bolt::Value& value) {
  if (const auto* number = value.get_if<int64_t>()) return mapping::Key(*number);
  if (const auto* text = value.get_if<std::string>()) return mapping::Key(*text);
  return std::nullopt;
}

Result<Keyless> counts_of(bolt::Connection& graph, const std::string& match, const std::string& lacks, TimePoint deadline) {
  const std::string text =
      "CYPHER 5 MATCH " + match + " WITH x LIMIT $limit RETURN count(*), count(CASE WHEN " + lacks + " THEN 1 END)";
  CNX_TRY(bolt::QueryResult result, graph.query(text, bolt::Map{{"limit", kKeylessLookedAt}}, deadline));
  if (result.records.size() == 1 && result.records.front().size() == 2) {
    const auto* looked_at = result.records.front()[0].get_if<int64_t>();
    const auto* without = result.records.front()[1].get_if<int64_t>();
    if (looked_at != nullptr && without != nullptr) return Keyless{.looked_at = *looked_at, .without = *without};
  }
  return fail(ErrorKind::malformed, "Neo4j answered a count with something else");
}

}  // namespace

Result<Keyless> count_keyless(bolt::Connection& graph, const mapping::NodeTable& table, TimePoint deadline) {
  const std::string key = "x." + quote(table.key_property);
  // NULL is of every type.
  const std::string fits = table.integer_key ? key + " IS :: INTEGER OR " + key + " IS :: FLOAT" : key + " IS :: STRING";
  return counts_of(graph, "(x:" + quote(table.node->label) + ")", key + " IS NULL OR NOT (" + fits + ")", deadline);
}

Result<Keyless> count_keyless(bolt::Connection& graph, const mapping::RelationshipTable& table, TimePoint deadline) {
  if (table.key_is_pair) return Keyless{};
  const std::string pattern =
      "(:" + quote(table.start->node->label) + ")-[x:" + quote(table.type) + "]->(:" + quote(table.end->node->label) + ")";
  return counts_of(graph, pattern, "x." + quote(mapping::kKeyProperty) + " IS NULL", deadline);
}

bolt::Value value_of(const mapping::Key& key) {
  if (const auto* number = std::get_if<int64_t>(&key)) return *number;
  return std::get<std::string>(key);
}

Result<std::vector<EntityKey>> GraphKeys::next() {
  while (!ended_) {
    CNX_TRY(bolt::QueryResult result,
            graph_.query(text(), bolt::Map{{"last", last_}, {"limit", limit()}}, Clock::now() + kPageMax));
    if (result.records.empty()) break;
    std::vector<EntityKey> keys;
    for (const bolt::List& record : result.records) {
      last_ = record.front();
      EntityKey key;
      for (size_t i = 1; i < record.size(); ++i) {
        if (std::optional<mapping::Key> part = key_of_value(record[i])) key.push_back(std::move(*part));
      }
      if (key.size() + 1 == record.size()) keys.push_back(std::move(key));
    }
    if (!keys.empty()) return keys;
  }
  ended_ = true;
  return std::vector<EntityKey>();
}

std::string GraphKeys::text() const {
  const std::string key = "n." + quote(start().key_property);
  std::string page = "CYPHER 5 MATCH (n:" + quote(start().node->label) + ") WHERE " + key +
                     (last_.is_null() ? " IS NOT NULL" : " > $last");
  if (node_ != nullptr) return page + " AND n._cnx_stub IS NULL RETURN " + key + ", " + key + " AS k ORDER BY k LIMIT $limit";
  const std::string own = relationship_->key_is_pair ? "" : ", r." + quote(mapping::kKeyProperty);
  return page + " WITH n ORDER BY " + key + " LIMIT $limit WITH collect(n) AS page, max(" + key +
         ") AS last UNWIND page AS n OPTIONAL MATCH (n)-[r:" + quote(relationship_->type) + "]->(b:" +
         quote(relationship_->end->node->label) + ") RETURN last, CASE WHEN r IS NOT NULL THEN " + key + " END, b." +
         quote(relationship_->end->key_property) + own;
}

}  // namespace cnx::pipeline
