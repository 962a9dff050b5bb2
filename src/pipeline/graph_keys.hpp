// The keys that the graph has of one table, page by page in the order of an index. Stubs have no row and are not in it.
#pragma once

#include <string>
#include <vector>

#include "bolt/connection.hpp"
#include "pipeline/catalog.hpp"
#include "pipeline/table_keys.hpp"

namespace cnx::pipeline {

inline constexpr int64_t kGraphPageNodes = 20'000;
// Of starts: each may have many relationships.
inline constexpr int64_t kGraphPageStarts = 500;

// As a parameter of a statement.
bolt::Value value_of(const mapping::Key& key);

// Nodes of the table's label among some that were looked at, and how many of them no row can find: they lack the key's property,
// or have text where the mapping's key is an integer, or the other way round. 1.0 is found by 1.
struct Keyless {
  int64_t looked_at = 0;
  int64_t without = 0;
};
// Looks at so many at most: what filled the graph wrote all of a label's keys in one way.
inline constexpr int64_t kKeylessLookedAt = 100'000;
Result<Keyless> count_keyless(bolt::Connection& graph, const mapping::NodeTable& table, TimePoint deadline);
// The same of relationships that have a key of their own. Those of a pair have none, and are found by their ends.
Result<Keyless> count_keyless(bolt::Connection& graph, const mapping::RelationshipTable& table, TimePoint deadline);

// One thread. What it is given must outlive it.
class GraphKeys {
 public:
  GraphKeys(bolt::Connection& graph, const mapping::NodeTable& table) : graph_(graph), node_(&table) {}
  GraphKeys(bolt::Connection& graph, const mapping::RelationshipTable& table) : graph_(graph), relationship_(&table) {}

  // Empty: that was all. A page of starts without a relationship is passed over. Blocks.
  Result<std::vector<EntityKey>> next();

 private:
  const mapping::NodeTable& start() const { return node_ != nullptr ? *node_ : *relationship_->start; }
  int64_t limit() const { return node_ != nullptr ? kGraphPageNodes : kGraphPageStarts; }
  std::string text() const;

  bolt::Connection& graph_;
  const mapping::NodeTable* node_ = nullptr;  // One of the two.
  const mapping::RelationshipTable* relationship_ = nullptr;
  bolt::Value last_;
  bool ended_ = false;
};

}  // namespace cnx::pipeline
