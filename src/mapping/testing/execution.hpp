// Executes mutations on a graph in memory, in the order of design §3 and with the rules for stubs
// that the statements of cypher/ follow. For tests only: it says what a graph must look like,
// without a server.
#pragma once

#include <initializer_list>
#include <set>
#include <string>
#include <vector>

#include "mapping/testing/memory_graph.hpp"

namespace cnx::mapping::testing {

// One thread.
class Execution {
 public:
  explicit Execution(MemoryGraph& graph) : graph_(graph) {}

  void run(const Mutations& mutations) {
    for (const RelationshipMutations& each : mutations.relationships) {
      if (each.truncated) remove_relationships(each, nullptr);
      for (const RelationshipKey& key : each.removed) remove_relationships(each, &key);
    }
    for (const NodeMutations& each : mutations.nodes) unlink(each);
    for (const LeftBehind& each : mutations.left_behind) leave_behind(each);
    for (const NodeMutations& each : mutations.nodes) remove_nodes(each);
    for (const NodeMutations& each : mutations.nodes) change_keys(each);
    for (const NodeMutations& each : mutations.nodes) {
      each.table->rule->cypher ? run_users_statement(each) : upsert_nodes(each);
    }
    for (const NodeMutations& each : mutations.nodes) link(each);
    for (const RelationshipMutations& each : mutations.relationships) upsert_relationships(each);
  }

  // What would have failed: an update that lacks columns of an entity that is not there, a key that
  // is taken.
  const std::vector<std::string>& faults() const { return faults_; }
  // Updates that met a newer version.
  size_t conflicts() const { return conflicts_; }

 private:
  using Node = MemoryGraph::Node;
  using Edge = MemoryGraph::Edge;
  using PropertyMap = MemoryGraph::PropertyMap;

  // Null: all of the table.
  void remove_relationships(const RelationshipMutations& mutations, const RelationshipKey* key) {
    const RelationshipTable& table = *mutations.table;
    auto a = key != nullptr ? graph_.find(*table.start, key->start) : std::nullopt;
    auto b = key != nullptr ? graph_.find(*table.end, key->end) : std::nullopt;
    if (key != nullptr && (!a || !b)) return;
    graph_.remove_edges(*table.start, *table.end, [&](const Edge& edge) {
      return edge.type == table.type &&
             (key == nullptr || (edge.start == *a && edge.end == *b));
    });
  }

  // The relationships of a child by one foreign key, or of all children; not the one that leads to
  // one of `kept`.
  void unlink_child(const NodeTable& table, const ForeignKey& foreign, const Key* child,
                    std::initializer_list<const Key*> kept) {
    auto node = child != nullptr ? graph_.find(table, *child) : std::nullopt;
    if (child != nullptr && !node) return;
    std::set<int> others;
    for (const Key* key : kept) {
      if (auto other = key != nullptr ? graph_.find(*foreign.other, *key) : std::nullopt) others.insert(*other);
    }
    const bool incoming = foreign.rule->incoming;
    const NodeTable& start = incoming ? *foreign.other : table;
    const NodeTable& end = incoming ? table : *foreign.other;
    graph_.remove_edges(start, end, [&](const Edge& edge) {
      const int this_end = incoming ? edge.end : edge.start;
      const int that_end = incoming ? edge.start : edge.end;
      return edge.type == foreign.rule->type && (child == nullptr || this_end == *node) &&
             !others.contains(that_end);
    });
  }

  void unlink(const NodeMutations& mutations) {
    const NodeTable& table = *mutations.table;
    for (size_t i = 0; i < table.foreign_keys.size(); ++i) {
      const ForeignKey& foreign = table.foreign_keys[i];
      if (mutations.truncated) unlink_child(table, foreign, nullptr, {});
      for (const Key& key : mutations.removed) unlink_child(table, foreign, &key, {});
      for (const NodeUpsert& upsert : mutations.upserts) {
        const ForeignEnd& end = upsert.ends[i];
        if (upsert.inserted || end.unknown) continue;
        unlink_child(table, foreign, &upsert.key_before, {end.kept(), foreign.follows || !end.key ? nullptr : &*end.key});
      }
    }
  }

  std::optional<std::string> tenant_of(const NodeTable& table, int node) {
    const PropertyMap& properties = graph_.nodes().at(node).properties;
    auto found = properties.find(table.tenant_property);
    return found == properties.end() ? std::nullopt : std::optional(std::get<std::string>(found->second));
  }

  // What of a node's relationships stays behind goes to a stub that waits until keys have changed.
  void leave_behind(const LeftBehind& left) {
    const Reference& reference = *left.reference;
    const bool outgoing = reference.outgoing;
    for (const LeftBehind::Row& row : left.rows) {
      auto node = graph_.find(*left.table, row.key);
      if (!node) continue;
      std::set<int> along;
      for (const Key& key : row.along) {
        if (auto found = graph_.find(*reference.other, key)) along.insert(*found);
      }
      std::vector<Edge*> staying;
      for (auto& [id, edge] : graph_.edges()) {
        const int that_end = outgoing ? edge.end : edge.start;
        const bool ours = edge.type == reference.type &&
                          (outgoing ? edge.start : edge.end) == *node &&
                          graph_.nodes().at(that_end).label == reference.other->node->label;
        if (ours && !along.contains(that_end)) staying.push_back(&edge);
      }
      for (Edge* edge : staying) {
        const int waiting = graph_.merge_end(*left.table, waiting_key(row.key), tenant_of(*left.table, *node));
        (outgoing ? edge->start : edge->end) = waiting;
      }
      if (!staying.empty()) graph_.drop_if_lonely(*node, *left.table, *left.table);
    }
  }

  // A node that still carries relationships becomes a stub.
  void remove_node(const NodeMutations& mutations, int node) {
    if (graph_.degree(node) == 0) {
      graph_.nodes().erase(node);
      return;
    }
    PropertyMap& properties = graph_.nodes().at(node).properties;
    for (const PropertyName* name : mutations.known_properties) {
      const bool kept = name->name == mutations.table->key_property ||
                        name->name == mutations.table->tenant_property;
      if (kept) continue;
      properties.erase(name->name);
      if (name->may_be_unfit) properties.erase(name->companion);
    }
    const std::set<std::string>& own_names = mutations.table->own_names;
    if (!own_names.empty()) graph_.drop_fields(node, own_names);
    properties[kStub] = true;
  }
  void remove_nodes(const NodeMutations& mutations, const std::vector<Key>& keys) {
    for (const Key& key : keys) {
      if (auto node = graph_.find(*mutations.table, key)) remove_node(mutations, *node);
    }
  }
  void remove_nodes(const NodeMutations& mutations) {
    if (mutations.truncated) {
      std::vector<int> all;
      for (const auto& [id, node] : graph_.nodes()) {
        if (node.label == mutations.table->node->label) all.push_back(id);
      }
      for (int node : all) remove_node(mutations, node);
    }
    remove_nodes(mutations, mutations.removed);
  }

  void take_over(const NodeTable& table, const Takeover& takeover) {
    auto stub = graph_.find(table, takeover.stub);
    if (!stub || !graph_.is_stub(*stub)) return;
    const int node = graph_.merge_end(table, takeover.node, {});
    for (auto& [id, edge] : graph_.edges()) {
      if (edge.start == *stub) edge.start = node;
      if (edge.end == *stub) edge.end = node;
    }
    PropertyMap left = graph_.nodes().at(*stub).properties;
    left.erase(kStub);
    left.erase(table.key_property);
    graph_.nodes().at(node).properties.insert(left.begin(), left.end());
    graph_.nodes().erase(*stub);
  }

  void change_keys(const NodeMutations& mutations) {
    const NodeTable& table = *mutations.table;
    for (const Takeover& takeover : mutations.takeovers) take_over(table, takeover);
    std::vector<std::pair<int, const Key*>> moved;
    for (const KeyChange& change : mutations.key_changes) {
      if (auto node = graph_.find(table, change.from)) moved.emplace_back(*node, &change.to);
    }
    for (const auto& [node, key] : moved) {
      graph_.nodes().at(node).properties.erase(table.key_property);
    }
    for (const auto& [node, key] : moved) {
      if (graph_.find(table, *key)) faults_.push_back("a key is taken in " + table.node->label);
      graph_.nodes().at(node).properties[table.key_property] = to_value(*key);
    }
    for (const GivenUp& each : mutations.given_up) {
      const Key waiting = waiting_key(each.key);
      if (each.taken) {
        take_over(table, {.node = each.key, .stub = waiting});
      } else if (auto node = graph_.find(table, waiting)) {
        graph_.nodes().at(*node).properties[table.key_property] = to_value(each.key);
      }
    }
  }

  static void set(PropertyMap& into, const Properties& properties, bool fresh) {
    for (const Property& property : properties) {
      const auto* unfit = std::get_if<change::Unfit>(&property.value);
      const auto* fields = std::get_if<change::Fields>(&property.value);
      for (size_t i = 0; fields != nullptr && i < fields->items.size(); ++i) {
        const change::Field& field = fields->items[i];
        if (!field.value.is_null()) into[property.name->field_prefix + field.name] = field.value;
      }
      if (unfit != nullptr || fields != nullptr || property.value.is_null()) {
        into.erase(property.name->name);
      } else {
        into[property.name->name] = property.value;
      }
      if (unfit != nullptr) {
        into[property.name->companion] = unfit->text;
      } else if (!fresh && property.name->may_be_unfit) {
        into.erase(property.name->companion);
      }
    }
  }

  static std::optional<change::Value> value_of(const Properties& row, const std::string& name) {
    for (const Property& property : row) {
      if (property.name->name == name) return property.value;
    }
    return std::nullopt;
  }

  // Whether what somebody else wrote is in the way, and the graph keeps it. A conflict that is decided outside is a fault here.
  template <typename Table, typename U>
  bool refuses(const PropertyMap& held, const U& upsert, const Table& table) {
    const Guard guard = guard_of(table, upsert);
    auto newest = held.find(table.version_property);
    if (guard == Guard::none || table.version_property.empty() || newest == held.end()) return false;
    const std::optional<change::Value> mine = value_of(upsert.properties, table.version_property);
    const auto* version = mine ? std::get_if<int64_t>(&*mine) : nullptr;
    if (version == nullptr || std::get<int64_t>(newest->second) <= *version) return false;
    ++conflicts_;
    if (guard == Guard::decide) faults_.push_back("a conflict is to be decided");
    if (guard != Guard::latest) return guard == Guard::keep;
    const std::optional<change::Value> time = value_of(upsert.properties, table.timestamp_property);
    auto theirs = held.find(table.timestamp_property);
    const auto* at = time ? std::get_if<int64_t>(&*time) : nullptr;
    return at != nullptr && theirs != held.end() && *at < std::get<int64_t>(theirs->second);
  }

  // False where it was refused.
  template <typename Table, typename U>
  bool upsert(PropertyMap& held, const U& upsert, const Table& table) {
    const bool unguarded = upsert.inserted || upsert.replaced;
    if (!unguarded && refuses(held, upsert, table)) return false;
    set(held, upsert.properties, upsert.inserted);
    held.erase(kStub);
    return true;
  }

  void upsert_nodes(const NodeMutations& mutations) {
    const NodeTable& table = *mutations.table;
    for (const NodeUpsert& each : mutations.upserts) {
      auto held = graph_.find(table, each.key);
      if (each.lacks_columns && (!held || graph_.is_stub(*held))) {
        faults_.push_back("an update lacks columns of " + table.node->label);
        continue;
      }
      const int node = graph_.merge_node(table, each.key);
      PropertyMap& properties = graph_.nodes().at(node).properties;
      if (upsert(properties, each, table)) drop_vanished(properties, each.properties, table.own_names);
    }
  }

  // Fields of an object that the row does not have any more, where it tells of them.
  static void drop_vanished(PropertyMap& held, const Properties& row, const std::set<std::string>& own_names) {
    for (const Property& property : row) {
      if (property.name->name != kFieldsProperty) continue;
      std::set<std::string> told = own_names;
      if (const auto* fields = std::get_if<change::Fields>(&property.value)) {
        for (const change::Field& field : fields->items) told.insert(field.name);
      }
      std::erase_if(held, [&](const auto& each) { return !told.contains(each.first); });
    }
  }

  // As a statement that merges each row's node and sets its properties does.
  void run_users_statement(const NodeMutations& mutations) {
    const NodeTable& table = *mutations.table;
    for (const Properties& row : mutations.user_rows) {
      for (const Property& property : row) {
        if (property.name->name != table.key_property) continue;
        const auto* number = std::get_if<int64_t>(&property.value);
        const int node = graph_.merge_node(
            table, number != nullptr ? Key(*number) : Key(std::get<std::string>(property.value)));
        set(graph_.nodes().at(node).properties, row, false);
        graph_.nodes().at(node).properties.erase(kStub);
      }
    }
    remove_nodes(mutations, mutations.user_removed);
  }

  Edge& merge_edge(const std::string& type, int start, int end, bool lacks_columns) {
    const size_t before = graph_.edges().size();
    Edge& edge = graph_.merge_edge(type, start, end);
    const bool made = graph_.edges().size() > before;
    if (lacks_columns && made) faults_.push_back("an update lacks columns of " + type);
    return edge;
  }

  void link(const NodeMutations& mutations) {
    const NodeTable& table = *mutations.table;
    for (size_t i = 0; i < table.foreign_keys.size(); ++i) {
      const ForeignKey& foreign = table.foreign_keys[i];
      for (const NodeUpsert& upsert : mutations.upserts) {
        const ForeignEnd& end = upsert.ends[i];
        if (end.unknown && end.lacks_columns) faults_.push_back("an update lacks a part of a key of " + foreign.other->node->label);
        if (!end.key) continue;
        const int other = graph_.merge_end(*foreign.other, *end.key, upsert.tenant, end.made);
        auto child = graph_.find(table, upsert.key);
        if (!child) continue;  // A user's statement may have made none.
        const bool incoming = foreign.rule->incoming;
        Edge& edge = merge_edge(foreign.rule->type, incoming ? other : *child,
                                incoming ? *child : other, end.lacks_columns);
        set(edge.properties, end.properties, false);
      }
    }
  }

  void upsert_relationships(const RelationshipMutations& mutations) {
    const RelationshipTable& table = *mutations.table;
    for (const RelationshipUpsert& each : mutations.upserts) {
      const int a = graph_.merge_end(*table.start, each.key.start, each.tenant);
      const int b = graph_.merge_end(*table.end, each.key.end, each.tenant);
      Edge& edge = merge_edge(table.type, a, b, each.lacks_columns);
      upsert(edge.properties, each, table);
    }
  }

  MemoryGraph& graph_;
  std::vector<std::string> faults_;
  size_t conflicts_ = 0;
};

}  // namespace cnx::mapping::testing
