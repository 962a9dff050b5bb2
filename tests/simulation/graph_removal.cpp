#include "graph_removal.hpp"

namespace cnx::simulation {
namespace {

using mapping::Key;
using mapping::testing::MemoryGraph;

std::optional<Key> key_of(const MemoryGraph::Node& node, const mapping::NodeTable& table) {
  auto held = node.properties.find(table.key_property);
  if (held == node.properties.end()) return std::nullopt;
  if (const auto* number = std::get_if<int64_t>(&held->second)) return Key(*number);
  return Key(std::get<std::string>(held->second));
}

// Those that are there and are not stubs already.
std::vector<Key> removed_nodes(const mapping::NodeMutations& mutations, const MemoryGraph& graph) {
  std::vector<Key> keys;
  for (const auto& [id, node] : graph.nodes()) {
    if (node.label != mutations.table->node->label || graph.is_stub(id)) continue;
    std::optional<Key> key = key_of(node, *mutations.table);
    if (!key) continue;
    const auto& removed = mutations.removed;
    if (mutations.truncated || std::find(removed.begin(), removed.end(), *key) != removed.end()) keys.push_back(*key);
  }
  return keys;
}

std::vector<mapping::RelationshipKey> removed_relationships(const mapping::RelationshipMutations& mutations, const MemoryGraph& graph) {
  std::vector<mapping::RelationshipKey> keys;
  for (const auto& [id, edge] : graph.edges()) {
    if (edge.type != mutations.table->type) continue;
    std::optional<Key> start = key_of(graph.nodes().at(edge.start), *mutations.table->start);
    std::optional<Key> end = key_of(graph.nodes().at(edge.end), *mutations.table->end);
    if (!start || !end) continue;
    const mapping::RelationshipKey key{*start, *end, {}};
    const auto& removed = mutations.removed;
    if (mutations.truncated || std::find(removed.begin(), removed.end(), key) != removed.end()) keys.push_back(key);
  }
  return keys;
}

}  // namespace

size_t removal_size(const mapping::Mutations& mutations, const MemoryGraph& graph) {
  size_t size = 0;
  for (const auto& each : mutations.relationships) size += removed_relationships(each, graph).size();
  for (const auto& each : mutations.nodes) size += removed_nodes(each, graph).size();
  return size;
}

mapping::Mutations removal_piece(const mapping::Mutations& mutations, size_t step, size_t most, const MemoryGraph& graph) {
  mapping::Mutations piece;
  if (step == 0) {
    for (const auto& each : mutations.relationships) {
      mapping::RelationshipMutations part{.table = each.table, .removed = removed_relationships(each, graph)};
      if (part.removed.size() > most) part.removed.resize(most);
      most -= part.removed.size();
      if (!part.removed.empty()) piece.relationships.push_back(std::move(part));
    }
    return piece;
  }
  for (const auto& each : mutations.nodes) {
    mapping::NodeMutations part{.table = each.table, .removed = removed_nodes(each, graph), .known_properties = each.known_properties};
    if (part.removed.size() > most) part.removed.resize(most, Key(int64_t{0}));
    most -= part.removed.size();
    if (!part.removed.empty()) piece.nodes.push_back(std::move(part));
  }
  return piece;
}

}  // namespace cnx::simulation
