// The removals of a batch, and what stays behind where keys change, as what asks for their size and as steps that are done in
// pieces. Pure.
#pragma once

#include <memory>
#include <vector>

#include "cypher/removal_texts.hpp"
#include "cypher/statement.hpp"
#include "mapping/mutation.hpp"

namespace cnx::cypher {

struct RemovalLimits {
  // A transaction removes, or leaves behind, at most so many nodes and relationships.
  size_t elements_max = 100'000;
  // And a piece so many: 2.4 kB of the server's memory each, so that a small heap takes it.
  size_t piece_elements = 10'000;
};

struct Removal {
  // Led by these, a batch fails with a division by zero where it removes more than it may.
  std::vector<Statement> sizes;
  // In the order of plan.hpp. Each is sent again, a transaction each time, until its one record says
  // that nothing was left; then all that the batch removes is gone, or little.
  std::vector<Statement> steps;
  // Of the truncation's size: a statement points to it.
  std::unique_ptr<Text> truncation_size;
};

// Immutable once made; any thread. Statements point to its texts.
class RemovalPlan {
 public:
  explicit RemovalPlan(const mapping::Model& model);
  RemovalPlan(const RemovalPlan&) = delete;
  RemovalPlan& operator=(const RemovalPlan&) = delete;

  // Empty where the batch removes nothing.
  Removal removal(const mapping::Mutations& mutations, const RemovalLimits& limits) const;

 private:
  void add_relationships(const mapping::RelationshipMutations& mutations, const RemovalLimits& limits,
                         Removal& removal) const;
  void add_left_behind(const mapping::LeftBehind& left, const RemovalLimits& limits, Removal& removal) const;
  void add_links(const mapping::NodeMutations& node, const RemovalLimits& limits,
                 Removal& removal) const;

  std::vector<NodeRemovalTexts> nodes_;  // By the table's index.
  std::vector<RelationshipRemovalTexts> relationships_;
};

}  // namespace cnx::cypher
