#include "cypher/plan.hpp"

#include "cypher/node_statements.hpp"
#include "cypher/relationship_statements.hpp"

namespace cnx::cypher {

using mapping::NodeMutations;
using mapping::RelationshipMutations;

Plan::Plan(const mapping::Model& model) {
  for (const mapping::NodeTable& table : model.nodes()) {
    nodes_.push_back(node_texts(table));
    node_shapes_.emplace_back(table);
  }
  for (const mapping::RelationshipTable& table : model.relationships()) {
    relationships_.push_back(relationship_texts(table));
    relationship_shapes_.emplace_back(table);
  }
}

std::vector<Statement> Plan::statements(const mapping::Mutations& mutations) const {
  std::vector<Statement> out;
  // 1. Relationship removals, by the keys that the graph has before the batch.
  for (const RelationshipMutations& relationship : mutations.relationships) {
    remove_relationships(texts(*relationship.table), relationship, out);
  }
  for (const NodeMutations& node : mutations.nodes) unlink_nodes(texts(*node.table), node, out);
  // 2. Node removals, by the same keys.
  for (const NodeMutations& node : mutations.nodes) remove_nodes(texts(*node.table), node, out);
  // 3. Key changes.
  for (const NodeMutations& node : mutations.nodes) change_keys(texts(*node.table), node, out);
  // 4. Node upserts, with their relationships by foreign keys; by the keys after the batch. A user's
  // own statements first: they know nothing of the stubs that the others make of missing ends.
  for (const bool users : {true, false}) {
    for (const NodeMutations& node : mutations.nodes) {
      if (node.table->rule->cypher.has_value() != users) continue;
      upsert_nodes(texts(*node.table), node_shapes_[node.table->index], node, out);
    }
  }
  // 5. Relationship upserts, by the same keys.
  for (const NodeMutations& node : mutations.nodes) link_nodes(texts(*node.table), node, out);
  for (const RelationshipMutations& relationship : mutations.relationships) {
    upsert_relationships(texts(*relationship.table),
                         relationship_shapes_[relationship.table->index], relationship, out);
  }
  return out;
}

}  // namespace cnx::cypher
