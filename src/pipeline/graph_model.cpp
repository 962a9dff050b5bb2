#include "pipeline/graph_model.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>

namespace cnx::pipeline {
namespace {

constexpr Duration kLookMax = std::chrono::seconds(30);

// Several tables may make one label or type, each its own properties of it.
void merge(std::vector<ExplainedProperty>& into, const std::vector<ExplainedProperty>& from) {
  for (const ExplainedProperty& property : from) {
    const bool known = std::any_of(into.begin(), into.end(), [&](const ExplainedProperty& p) { return p.name == property.name; });
    if (!known) into.push_back(property);
  }
}

class Builder {
 public:
  GraphModel take() { return std::move(model_); }

  void add_node(const mapping::NodeTable& table, const Explanation& told) {
    GraphModel::Node& node = model_.nodes[index_of(table.node->label)];
    node.tables.push_back(told.table);
    node.key_property = table.key_property;
    std::vector<std::string> more = table.node->more_labels;
    if (table.node->labels) {
      for (const std::string& name : table.node->labels->all()) more.push_back(name);
    }
    for (std::string& label : more) {
      if (std::find(node.more_labels.begin(), node.more_labels.end(), label) == node.more_labels.end()) {
        node.more_labels.push_back(std::move(label));
      }
    }
    merge(node.properties, told.properties);
    for (size_t i = 0; i < table.parts.size(); ++i) add_part(*table.parts[i], told, told.nodes[i]);
    for (size_t i = 0; i < table.foreign_keys.size(); ++i) {
      const mapping::ForeignKey& key = table.foreign_keys[i];
      const size_t here = index_of(table.node->label);
      const size_t other = index_of(key.other->node->label);
      if (key.shared != nullptr) add_shared(*key.shared, told, told.relationships[i]);
      add(key.rule->type, key.rule->incoming ? other : here, key.rule->incoming ? here : other,
          fmt::format("{} ({})", told.table, fmt::join(key.columns, ", ")), told.relationships[i].properties);
    }
  }

  // A further node of a row.
  void add_part(const mapping::NodeTable& table, const Explanation& told, const ExplainedNode& part) {
    const size_t here = index_of(table.node->label);
    GraphModel::Node& node = model_.nodes[here];
    node.tables.push_back(told.table);
    node.key_property = table.key_property;
    node.more_labels = table.node->more_labels;
    node.properties = part.properties;
    const mapping::ForeignKey& key = table.foreign_keys.front();
    const size_t main = index_of(table.main->node->label);
    add(key.rule->type, key.rule->incoming ? main : here, key.rule->incoming ? here : main, told.table, {});
  }

  void add_shared(const mapping::NodeTable& table, const Explanation& told, const ExplainedRelationship& link) {
    GraphModel::Node& node = model_.nodes[index_of(table.node->label)];
    const bool known = std::find(node.tables.begin(), node.tables.end(), told.table) != node.tables.end();
    if (!known) node.tables.push_back(told.table);
    node.key_property = table.key_property;
    node.more_labels = table.node->more_labels;
    merge(node.properties, link.end_properties);
  }

  void add_relationship(const mapping::RelationshipTable& table, const Explanation& told) {
    for (const std::string& type : table.relationship->all_types()) {
      add(type, index_of(table.start->node->label), index_of(table.end->node->label), told.table, told.properties);
    }
  }

 private:
  size_t index_of(const std::string& label) {
    auto [at, is_new] = by_label_.emplace(label, model_.nodes.size());
    if (is_new) model_.nodes.push_back({.label = label});
    return at->second;
  }

  void add(const std::string& type, size_t start, size_t end, std::string made_by,
           const std::vector<ExplainedProperty>& properties) {
    auto at = std::find_if(model_.relationships.begin(), model_.relationships.end(), [&](const GraphModel::Relationship& r) {
      return r.type == type && r.start == start && r.end == end;
    });
    if (at == model_.relationships.end()) at = model_.relationships.insert(at, {.type = type, .start = start, .end = end});
    at->made_by.push_back(std::move(made_by));
    merge(at->properties, properties);
  }

  GraphModel model_;
  std::map<std::string, size_t> by_label_;
};

}  // namespace

Result<GraphModel> read_graph_model(const postgres::ConnectionOptions& options, const mapping::Mapping& mapping) {
  const TimePoint deadline = Clock::now() + kLookMax;
  Result<postgres::Session> session = postgres::Session::open(options, deadline);
  if (!session) return fail(std::move(session.error()).wrap("connecting to PostgreSQL"));
  CNX_TRY(Catalog catalog, read_catalog(*session, mapping, deadline));
  Builder builder;
  for (const mapping::TableRule& rule : mapping.tables) {
    CNX_TRY(Explanation told, explain_table(*session, catalog, rule, deadline));
    if (const mapping::NodeTable* node = catalog.model->find_node(rule.table)) {
      builder.add_node(*node, told);
    } else {
      builder.add_relationship(*catalog.model->find_relationship(rule.table), told);
    }
  }
  GraphModel model = builder.take();
  model.name = mapping.name;
  for (const mapping::TableName& table : mapping.unmapped) model.unmapped.push_back(postgres::to_string(table));
  return model;
}

}  // namespace cnx::pipeline
