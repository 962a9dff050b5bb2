// Mutations to statements, in the one order that design §3 fixes. Pure.
#pragma once

#include <vector>

#include "cypher/removal.hpp"
#include "cypher/statement.hpp"
#include "cypher/texts.hpp"
#include "mapping/mutation.hpp"

namespace cnx::cypher {

// Immutable once made; any thread. Statements point to its texts.
class Plan {
 public:
  explicit Plan(const mapping::Model& model);
  Plan(const Plan&) = delete;
  Plan& operator=(const Plan&) = delete;

  // Rows inside a statement are sorted by key, so that lanes and other writers meet in one order.
  std::vector<Statement> statements(const mapping::Mutations& mutations) const;

  // What of them is a removal, for one that is too large for a transaction.
  Removal removal(const mapping::Mutations& mutations, const RemovalLimits& limits) const {
    return removals_.removal(mutations, limits);
  }

  const NodeTexts& texts(const mapping::NodeTable& table) const { return nodes_[table.index]; }
  const RelationshipTexts& texts(const mapping::RelationshipTable& table) const {
    return relationships_[table.index];
  }

 private:
  std::vector<NodeTexts> nodes_;  // By the table's index.
  std::vector<RelationshipTexts> relationships_;
  RemovalPlan removals_;
};

}  // namespace cnx::cypher
