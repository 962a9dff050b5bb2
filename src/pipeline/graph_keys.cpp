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

}  // namespace

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
