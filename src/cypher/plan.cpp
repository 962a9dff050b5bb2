#include "cypher/plan.hpp"

#include <set>

#include "cypher/key_changes.hpp"
#include "cypher/node_statements.hpp"
#include "cypher/relationship_statements.hpp"

namespace cnx::cypher {

using mapping::NodeMutations;
using mapping::RelationshipMutations;

namespace {

// Nodes of the table go, or change keys: what hung on a key before the batch may hang on another
// one after it.
bool disturbs(const NodeMutations& node) {
  return node.truncated || !node.removed.empty() || !node.user_removed.empty() ||
         !node.key_changes.empty() || !node.takeovers.empty();
}

Fusion fusion_of(const NodeTexts& texts, const NodeMutations& node,
                 const std::set<const mapping::NodeTable*>& disturbed) {
  if (!texts.user.text.empty()) return {};
  Fusion fusion{.updates = !texts.usual().update_linked.text.empty(), .inserts = texts.linked.has_value()};
  fusion.updates &= node.key_changes.empty() && node.takeovers.empty();
  for (const mapping::ForeignKey& foreign : node.table->foreign_keys) {
    fusion.updates &= !disturbed.contains(foreign.other);
  }
  return fusion;
}

}  // namespace

Plan::Plan(const mapping::Model& model) : removals_(model) {
  for (const mapping::NodeTable& table : model.nodes()) nodes_.push_back(node_texts(table));
  for (const mapping::RelationshipTable& table : model.relationships()) {
    relationships_.push_back(relationship_texts(table));
  }
}

std::vector<Statement> Plan::statements(const mapping::Mutations& mutations) const {
  std::vector<Statement> out;
  std::set<const mapping::NodeTable*> disturbed;
  for (const NodeMutations& node : mutations.nodes) {
    if (disturbs(node)) disturbed.insert(node.table);
  }
  std::vector<Fusion> fusions;  // By the place in `mutations.nodes`.
  for (const NodeMutations& node : mutations.nodes) {
    fusions.push_back(fusion_of(texts(*node.table), node, disturbed));
  }
  auto each_node = [&](auto step) {
    for (size_t i = 0; i < mutations.nodes.size(); ++i) {
      const NodeMutations& node = mutations.nodes[i];
      step(texts(*node.table), node, fusions[i], out);
    }
  };
  // 1. Relationship removals, by the keys that the graph has before the batch.
  for (const RelationshipMutations& relationship : mutations.relationships) {
    remove_relationships(texts(*relationship.table), relationship, out);
  }
  each_node(unlink_nodes);
  for (const mapping::LeftBehind& left : mutations.left_behind) leave_behind(texts(*left.table), left, out);
  // 2. Node removals, by the same keys.
  for (const NodeMutations& node : mutations.nodes) remove_nodes(texts(*node.table), node, out);
  // 3. Key changes.
  for (const NodeMutations& node : mutations.nodes) change_keys(texts(*node.table), node, out);
  // 4. Node upserts, with their relationships by foreign keys where one statement does both.
  // A user's own statement knows nothing of stubs: it runs before any is made for its rows.
  for (const bool own : {true, false}) {
    each_node([own](const NodeTexts& node_texts, const NodeMutations& node, Fusion fusion,
                    std::vector<Statement>& statements) {
      if (own != node_texts.user.text.empty()) upsert_nodes(node_texts, node, fusion, statements);
    });
  }
  // 5. The other relationship upserts, by the keys after the batch.
  each_node(link_nodes);
  for (const RelationshipMutations& relationship : mutations.relationships) {
    upsert_relationships(texts(*relationship.table), relationship, out);
  }
  return out;
}

}  // namespace cnx::cypher
