#include "cypher/removal.hpp"

#include "cypher/key_changes.hpp"
#include "cypher/node_statements.hpp"
#include "cypher/rows.hpp"

namespace cnx::cypher {
namespace {

using mapping::Key;
using mapping::NodeMutations;
using mapping::RelationshipKey;
using mapping::RelationshipMutations;

constexpr std::string_view kMax = "max";
constexpr std::string_view kLimit = "limit";

void pack_bound(bolt::Packer& packer, std::string_view name, size_t bound) {
  packer.string(name);
  packer.integer(static_cast<int64_t>(bound));
}

Statement bounded_statement(const Text& text, std::string_view name, size_t bound) {
  Statement statement{.text = &text.text, .parameters = {}, .rows = 1, .name = &text.name};
  bolt::Packer packer(statement.parameters);
  packer.map_header(1);
  pack_bound(packer, name, bound);
  return statement;
}

template <typename Rows, typename PackRow>
Statement bounded_rows(const Text& text, const Rows& rows, std::string_view name, size_t bound,
                       PackRow pack_row) {
  Statement statement{
      .text = &text.text, .parameters = {}, .rows = rows.size(), .name = &text.name};
  bolt::Packer packer(statement.parameters);
  packer.map_header(2);
  pack_rows_header(packer, rows.size());
  for (const auto& row : rows) pack_row(packer, row);
  pack_bound(packer, name, bound);
  return statement;
}

void pack_node_key(bolt::Packer& packer, const Key& key) {
  packer.map_header(1);
  pack_key_entry(packer, "k", key);
}

Statement remove_all(const Text& text, const NodeMutations& node, size_t limit) {
  Statement statement{.text = &text.text, .parameters = {}, .rows = 1, .name = &text.name};
  bolt::Packer packer(statement.parameters);
  packer.map_header(2);
  pack_clear_entry(packer, node);
  pack_bound(packer, kLimit, limit);
  return statement;
}

}  // namespace

RemovalPlan::RemovalPlan(const mapping::Model& model) {
  for (const mapping::NodeTable& table : model.nodes()) nodes_.push_back(node_removal_texts(table));
  for (const mapping::RelationshipTable& table : model.relationships()) {
    relationships_.push_back(relationship_removal_texts(table));
  }
}

Removal RemovalPlan::removal(const mapping::Mutations& mutations,
                             const RemovalLimits& limits) const {
  Removal removal;
  std::vector<const mapping::NodeTable*> truncated_nodes;
  std::vector<const mapping::RelationshipTable*> truncated_relationships;
  for (const RelationshipMutations& relationship : mutations.relationships) {
    if (relationship.truncated) truncated_relationships.push_back(relationship.table);
    add_relationships(relationship, limits, removal);
  }
  for (const NodeMutations& node : mutations.nodes) add_links(node, limits, removal);
  for (const mapping::LeftBehind& left : mutations.left_behind) add_left_behind(left, limits, removal);
  for (const NodeMutations& node : mutations.nodes) {
    if (!node.truncated) continue;
    truncated_nodes.push_back(node.table);
    removal.steps.push_back(
        remove_all(nodes_[node.table->index].remove_all, node, limits.piece_elements));
  }
  if (!truncated_nodes.empty() || !truncated_relationships.empty()) {
    removal.truncation_size =
        std::make_unique<Text>(truncation_size_text(truncated_nodes, truncated_relationships));
    removal.sizes.push_back(
        bounded_statement(*removal.truncation_size, kMax, limits.elements_max));
  }
  return removal;
}

void RemovalPlan::add_left_behind(const mapping::LeftBehind& left, const RemovalLimits& limits, Removal& removal) const {
  const NodeRemovalTexts& texts = nodes_[left.table->index];
  const size_t place = place_of(left);
  removal.sizes.push_back(bounded_rows(texts.left_sizes[place], left.rows, kMax, limits.elements_max, pack_left_behind));
  removal.steps.push_back(bounded_rows(texts.leave_behind[place], left.rows, kLimit, limits.piece_elements, pack_left_behind));
}

void RemovalPlan::add_relationships(const RelationshipMutations& mutations,
                                    const RemovalLimits& limits, Removal& removal) const {
  const RelationshipRemovalTexts& texts = relationships_[mutations.table->index];
  if (mutations.truncated) {
    removal.steps.push_back(bounded_statement(texts.remove_all, kLimit, limits.piece_elements));
  }
  // Their number is that of rows: nothing to be asked for.
  if (mutations.removed.empty()) return;
  removal.steps.push_back(bounded_rows(texts.remove, mutations.removed, kLimit,
                                       limits.piece_elements,
                                       pack_removed));
}

void RemovalPlan::add_links(const NodeMutations& node, const RemovalLimits& limits,
                            Removal& removal) const {
  const NodeRemovalTexts& texts = nodes_[node.table->index];
  if (node.truncated) {
    for (const Text& unlink : texts.unlink_all) {
      removal.steps.push_back(bounded_statement(unlink, kLimit, limits.piece_elements));
    }
  }
  if (node.removed.empty()) return;
  for (const Text& unlink : texts.unlink) {
    removal.steps.push_back(
        bounded_rows(unlink, node.removed, kLimit, limits.piece_elements, pack_node_key));
  }
  if (texts.size.text.empty()) return;
  removal.sizes.push_back(
      bounded_rows(texts.size, node.removed, kMax, limits.elements_max, pack_node_key));
}

}  // namespace cnx::cypher
