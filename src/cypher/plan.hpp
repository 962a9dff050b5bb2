// Mutations to statements, in the one order that design §3 fixes. Pure.
#pragma once

#include <deque>
#include <vector>

#include "cypher/shapes.hpp"
#include "cypher/statement.hpp"
#include "cypher/texts.hpp"
#include "mapping/mutation.hpp"

namespace cnx::cypher {

// Any thread. Statements point to its texts; one is made where the first row with its columns comes.
class Plan {
 public:
  explicit Plan(const mapping::Model& model);
  Plan(const Plan&) = delete;
  Plan& operator=(const Plan&) = delete;

  // Rows inside a statement are sorted by key, so that lanes and other writers meet in one order.
  std::vector<Statement> statements(const mapping::Mutations& mutations) const;

  const NodeTexts& texts(const mapping::NodeTable& table) const { return nodes_[table.index]; }
  const RelationshipTexts& texts(const mapping::RelationshipTable& table) const {
    return relationships_[table.index];
  }

 private:
  std::vector<NodeTexts> nodes_;  // By the table's index.
  std::vector<RelationshipTexts> relationships_;
  mutable std::deque<NodeShapes> node_shapes_;
  mutable std::deque<RelationshipShapes> relationship_shapes_;
};

}  // namespace cnx::cypher
