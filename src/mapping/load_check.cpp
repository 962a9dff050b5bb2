// What tables of a mapping say of each other: columns against the other's key, one label with one
// key, one maker for each kind of relationship. Without these, two rules would undo each other's
// work in the graph.
#include <array>

#include "mapping/draft.hpp"

namespace cnx::mapping {
namespace {

const NodeRule* node_of(const Mapping& mapping, const TableName& table) {
  const TableRule* rule = mapping.find(table);
  return rule == nullptr ? nullptr : std::get_if<NodeRule>(&rule->form);
}

std::string list(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "`" : ", `") + word + "`";
  return text;
}

void check_references(Draft& draft) {
  for (const Reference& reference : draft.references) {
    const NodeRule* other = node_of(draft.mapping, reference.table);
    if (other == nullptr || other->key.empty() || other->key.size() == reference.column_count)
      continue;
    draft.reader.fault(reference.mark, std::to_string(reference.column_count) +
                                           " column(s) for the key of `" + reference.table.name +
                                           "`, which has " + std::to_string(other->key.size()) +
                                           ": " + list(other->key));
  }
}

// How the graph identifies the nodes of a rule: the property of a key of one column; else only how
// many columns there are.
std::vector<std::string> key_identity(const Mapping& mapping, const NodeRule& node) {
  if (node.key.size() != 1) return std::vector<std::string>(node.key.size());
  auto names = properties_of(node.properties, mapping.naming, node.key.front());
  return {names.empty() ? std::string() : names.front()};
}

void check_labels(Draft& draft) {
  struct First {
    std::vector<std::string> identity;
    int line;
  };
  std::map<std::string, First> by_label;
  for (const Label& label : draft.labels) {
    const NodeRule* node = node_of(draft.mapping, label.table);
    if (node == nullptr) continue;
    auto identity = key_identity(draft.mapping, *node);
    auto [first, is_new] = by_label.emplace(node->label, First{identity, label.mark.line + 1});
    if (is_new || first->second.identity == identity) continue;
    draft.reader.fault(label.mark,
                       "the label `" + node->label + "` has another key in line " +
                           std::to_string(first->second.line),
                       "one label is found by one key property");
  }
}

// Whether the rows of both may write their own relationship without meeting the other's. Two tables
// of one child label do not meet: their children are different nodes.
bool may_coexist(const Edge& first, const Edge& second) {
  if (first.foreign_key != second.foreign_key) return false;
  if (first.foreign_key) return first.by != second.by && first.from_end == second.from_end;
  return first.pair == second.pair;
}

// A key of its own is unique among all relationships of a type, whatever their ends.
void check_own_keys(Draft& draft) {
  std::map<std::string, const Edge*> first_by_type;
  for (const Edge& edge : draft.edges) {
    if (edge.foreign_key || edge.pair) continue;
    auto [first, is_new] = first_by_type.emplace(edge.type, &edge);
    if (is_new) continue;
    draft.reader.fault(edge.mark,
                       "the type `" + edge.type + "` has keys of its own in line " +
                           std::to_string(first->second->mark.line + 1),
                       "rows of two tables may have one key; give one of them another type");
  }
}

void check_edges(Draft& draft) {
  std::map<std::array<std::string, 3>, const Edge*> first_edges;
  for (const Edge& edge : draft.edges) {
    const NodeRule* start = node_of(draft.mapping, edge.start);
    const NodeRule* end = node_of(draft.mapping, edge.end);
    if (start == nullptr || end == nullptr) continue;
    auto [first, is_new] =
        first_edges.emplace(std::array{start->label, edge.type, end->label}, &edge);
    if (is_new || may_coexist(*first->second, edge)) continue;
    draft.reader.fault(edge.mark,
                       "(:" + start->label + ")-[:" + edge.type + "]->(:" + end->label +
                           ") is already made in line " +
                           std::to_string(first->second->mark.line + 1),
                       "each would remove what the other made; give one of them another type");
  }
}

}  // namespace

void check_tables(Draft& draft) {
  check_references(draft);
  check_labels(draft);
  check_more_labels(draft);
  check_part_labels(draft);
  check_edges(draft);
  check_own_keys(draft);
  check_indexes(draft);
}

}  // namespace cnx::mapping
