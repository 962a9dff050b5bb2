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
