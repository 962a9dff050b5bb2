// A graph in memory: labelled nodes found by a key property, relationships, stubs, and what
// somebody else may write into it. For tests only; execute.hpp applies mutations to it.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "mapping/model.hpp"
#include "mapping/mutation.hpp"

namespace cnx::mapping::testing {

inline constexpr const char* kStub = "_cnx_stub";

inline change::Value to_value(const Key& key) {
  return std::visit([](const auto& held) { return change::Value(held); },
                    static_cast<const std::variant<int64_t, std::string>&>(key));
}

// One thread.
class MemoryGraph {
 public:
  using PropertyMap = std::map<std::string, change::Value>;
  struct Node {
    std::string label;
    PropertyMap properties;
  };
  struct Edge {
    std::string type;
    int start = 0;
    int end = 0;
    PropertyMap properties;
  };

  // Nodes by a number that is theirs for life.
  std::map<int, Node>& nodes() { return nodes_; }
  std::map<int, Edge>& edges() { return edges_; }
  const std::map<int, Node>& nodes() const { return nodes_; }
  const std::map<int, Edge>& edges() const { return edges_; }

  std::optional<int> find(const NodeTable& table, const Key& key) const {
    const change::Value value = to_value(key);
    for (const auto& [id, node] : nodes_) {
      if (node.label != table.node->label) continue;
      auto held = node.properties.find(table.key_property);
      if (held != node.properties.end() && held->second == value) return id;
    }
    return std::nullopt;
  }
  // As MERGE does: what is there, or what is made.
  int merge_node(const NodeTable& table, const Key& key) {
    if (auto found = find(table, key)) return *found;
    nodes_[next_] = {table.node->label, {{table.key_property, to_value(key)}}};
    return next_++;
  }
  // The end of a relationship: a stub where there is no node; one that rows share is made with `shared`.
  int merge_end(const NodeTable& table, const Key& key, const std::optional<std::string>& tenant,
                const Properties& shared = {}) {
    if (auto found = find(table, key)) return *found;
    const int made = merge_node(table, key);
    PropertyMap& properties = nodes_.at(made).properties;
    for (const Property& each : shared) {
      const auto* unfit = std::get_if<change::Unfit>(&each.value);
      properties[unfit != nullptr ? each.name->companion : each.name->name] = unfit != nullptr ? change::Value(unfit->text) : each.value;
    }
    if (table.shared) return made;
    properties[kStub] = true;
    if (tenant && !table.tenant_property.empty()) properties[table.tenant_property] = *tenant;
    return made;
  }
  Edge& merge_edge(const std::string& type, int start, int end) {
    for (auto& [id, edge] : edges_) {
      if (edge.type == type && edge.start == start && edge.end == end) return edge;
    }
    return edges_[next_++] = {type, start, end, {}};
  }

  bool is_stub(int node) const { return nodes_.at(node).properties.contains(kStub); }
  size_t degree(int node) const {
    size_t count = 0;
    for (const auto& [id, edge] : edges_) count += edge.start == node || edge.end == node ? 1 : 0;
    return count;
  }

  // Of a node whose properties are an object's fields: all but its own go.
  void drop_fields(int node, const std::set<std::string>& own_names) {
    std::erase_if(nodes_.at(node).properties, [&](const auto& each) { return !own_names.contains(each.first); });
  }

  // Removes the relationships between the tables' nodes that `chosen(edge)` names. A stub goes with
  // its last relationship, unless somebody else's properties hang on it.
  template <typename Chosen>
  void remove_edges(const NodeTable& start, const NodeTable& end, Chosen chosen) {
    std::set<int> ends;
    for (auto edge = edges_.begin(); edge != edges_.end();) {
      const Edge& held = edge->second;
      const bool fits = nodes_.at(held.start).label == start.node->label &&
                        nodes_.at(held.end).label == end.node->label && chosen(held);
      if (fits) ends.insert({held.start, held.end});
      edge = fits ? edges_.erase(edge) : std::next(edge);
    }
    for (int node : ends) drop_if_lonely(node, start, end);
  }

  // A stub, or a node that rows share, goes without a relationship, unless somebody else's properties hang on it.
  void drop_if_lonely(int node, const NodeTable& start, const NodeTable& end) {
    std::set<std::string> ours{kStub};
    bool goes = is_stub(node);
    for (const NodeTable* table : {&start, &end}) {
      ours.insert({table->key_property, table->tenant_property});
      for (const std::string& name : table->shared_properties) ours.insert({name, name + "__pg"});
      goes = goes || (table->shared && table->node->label == nodes_.at(node).label);
    }
    if (!goes || degree(node) > 0) return;
    for (const auto& [name, value] : nodes_.at(node).properties) {
      if (!ours.contains(name)) return;
    }
    nodes_.erase(node);
  }

  // What somebody else writes; false where a node is missing.
  bool set_property(const NodeTable& table, const Key& key, const std::string& name,
                    change::Value value) {
    auto node = find(table, key);
    if (node) nodes_.at(*node).properties[name] = std::move(value);
    return node.has_value();
  }
  bool relate(const NodeTable& from, const Key& start, const std::string& type, const NodeTable& to,
              const Key& end) {
    auto a = find(from, start);
    auto b = find(to, end);
    if (a && b) edges_[next_++] = {type, *a, *b, {}};
    return a && b;
  }

  // Every node and relationship as one line, sorted: two graphs are alike where these are equal.
  std::vector<std::string> lines() const {
    std::multiset<std::string> sorted;
    for (const auto& [id, node] : nodes_) sorted.insert(show(node));
    for (const auto& [id, edge] : edges_) {
      sorted.insert(show(nodes_.at(edge.start)) + "-[" + edge.type + show(edge.properties) + "]->" +
                    show(nodes_.at(edge.end)));
    }
    return {sorted.begin(), sorted.end()};
  }

 private:
  static std::string show(const change::Value& value) {
    std::ostringstream text;
    if (const auto* number = std::get_if<int64_t>(&value)) {
      text << *number;
    } else if (const auto* string = std::get_if<std::string>(&value)) {
      text << '\'' << *string << '\'';
    } else if (const auto* moment = std::get_if<change::ZonedDateTime>(&value)) {
      text << '@' << moment->seconds;
    } else if (const auto* truth = std::get_if<bool>(&value)) {
      text << (*truth ? "true" : "false");
    } else {
      text << "value of kind " << value.index();
    }
    return text.str();
  }
  static std::string show(const PropertyMap& properties) {
    std::string text;
    for (const auto& [name, value] : properties) {
      text += (text.empty() ? "" : ", ") + name + ": " + show(value);
    }
    return text.empty() ? "" : " {" + text + "}";
  }
  static std::string show(const Node& node) {
    return "(:" + node.label + show(node.properties) + ")";
  }

  std::map<int, Node> nodes_;
  std::map<int, Edge> edges_;
  int next_ = 1;
};

}  // namespace cnx::mapping::testing
