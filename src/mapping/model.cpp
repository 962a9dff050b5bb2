#include "mapping/model.hpp"

#include <algorithm>

#include "mapping/indexes.hpp"
#include "mapping/names.hpp"
#include "mapping/reference.hpp"

namespace cnx::mapping {
namespace {

Error about(const TableRule& rule, ErrorKind kind, const char* what) {
  return Error(kind, what).with("table", to_string(rule.table));
}

Error lacks_column(const TableRule& rule, const std::string& column) {
  return about(rule, ErrorKind::invalid, "the mapping names a column that the table does not have")
      .with("column", column)
      .advise("correct the mapping, or add the column");
}

Result<const postgres::Table*> find_table(const std::vector<postgres::Table>& catalog,
                                          const TableRule& rule) {
  for (const postgres::Table& table : catalog) {
    if (table.name == rule.table) return &table;
  }
  return fail(
      about(rule, ErrorKind::invalid, "the mapping names a table that the database does not have")
          .advise("create the table (contextnexus schema install makes the built-in ones), "
                  "or take it out "
                  "of the mapping"));
}

// A column that only the file's defaults name may be missing; one that the table's own rule names
// may not.
Status check_columns(const TableRule& rule, const postgres::Table& found) {
  for (const std::string& column : rule.named) {
    if (found.column(column) == nullptr) return fail(lacks_column(rule, column));
  }
  return {};
}

// Under a deferred key two rows may hold one key for a while, and the stream does not say which of
// them a change means.
Status check_key_is_immediate(const TableRule& rule, const postgres::Table& found,
                              const std::vector<std::string>& columns) {
  const std::set<std::string> key(columns.begin(), columns.end());
  bool deferrable = false;
  for (const postgres::TableKey& each : found.keys) {
    if (std::set<std::string>(each.columns.begin(), each.columns.end()) != key) continue;
    if (each.immediate) return {};
    deferrable = true;
  }
  if (!deferrable) return {};
  return fail(about(rule, ErrorKind::unsupported, "the key of the table is DEFERRABLE")
                  .advise("give the table a key that is checked at once"));
}

// Of columns that exist.
std::vector<KeyForm> key_forms(const postgres::Table& table, const std::vector<std::string>& columns) {
  std::vector<KeyForm> forms;
  for (const std::string& column : columns) forms.push_back(key_form(*table.column(column)));
  return forms;
}

std::vector<std::string> carried_columns(const postgres::Table& table) {
  std::vector<std::string> columns;
  for (const postgres::TableColumn& column : table.columns) {
    if (!column.generated) columns.push_back(column.name);
  }
  return columns;
}

Status choose_key(NodeTable& table, const postgres::Table& found) {
  const NodeRule& node = *table.node;
  for (const std::string& column : node.key) {
    if (found.column(column) == nullptr) return fail(lacks_column(*table.rule, column));
  }
  table.key_forms = key_forms(found, node.key);
  table.key_property = kKeyProperty;
  if (is_single(table.key_forms)) {
    const auto names = properties_of(node.properties, table.naming, node.key.front());
    if (names.empty()) {
      return fail(about(*table.rule, ErrorKind::invalid, "the key column is kept out of the graph")
                      .with("column", node.key.front())
                      .advise("take it out of `exclude:`"));
    }
    table.integer_key = table.key_forms.front() == KeyForm::integer;
    table.key_property = names.front();
  }
  return check_key_is_immediate(*table.rule, found, node.key);
}

// The property under which the graph keeps a column, the version or the time of a change; empty: under none.
std::string property_of(const NodeRule& node, Naming naming, const std::string& column) {
  auto names = properties_of(node.properties, naming, column);
  return names.empty() ? std::string() : names.front();
}
std::string property_of(const RelationshipRule& relationship, Naming, const std::string& column) {
  for (const auto& [property, from] : relationship.properties.columns) {
    if (from == column) return property;
  }
  return {};
}

// Version, time and tenant, where the table has their columns.
template <typename Table, typename Form>
Status read_common(const Mapping& mapping, const postgres::Table& found, const Form& form,
                   Table& table) {
  const TableRule& rule = *table.rule;
  CNX_TRY(check_columns(rule, found));
  if (found.column(rule.version_column) != nullptr) {
    table.version_property = property_of(form, mapping.naming, rule.version_column);
    if (table.version_property.empty()) {
      return fail(about(rule, ErrorKind::invalid,
                        "the version guards the table's rows, and the mapping keeps it out of the "
                        "graph")
                      .with("column", rule.version_column)
                      .advise("make a property of it, or say `version: null`"));
    }
    CNX_TRY(check_name(table.version_property));
  }
  const std::string& timestamp = rule.conflict.timestamp_column;
  if (!timestamp.empty()) {
    if (found.column(timestamp) != nullptr) table.timestamp_property = property_of(form, mapping.naming, timestamp);
    if (table.timestamp_property.empty() && rule.named.contains(timestamp)) {
      return fail(about(rule, ErrorKind::invalid, "the last write wins by a column that is no property of the graph's")
                      .with("column", timestamp)
                      .advise("make a property of it, or say another strategy under `conflict:`"));
    }
    if (!table.timestamp_property.empty()) CNX_TRY(check_name(table.timestamp_property));
  }
  if (found.column(rule.tenant_column) != nullptr) {
    table.tenant_column = rule.tenant_column;
    table.tenant_property = mapping.tenant_property;
    CNX_TRY(check_name(table.tenant_property));
  }
  return {};
}

// Names that a node has whatever the fields of its object are called.
std::set<std::string> own_names(const NodeTable& table, const std::vector<std::string>& columns) {
  const PropertyRules& properties = table.node->properties;
  std::set<std::string> made{property_name(table.naming, properties.fields)};
  for (const std::string& column : columns) {
    for (std::string& name : properties_of(properties, table.naming, column)) made.insert(std::move(name));
  }
  for (const ComputedProperty& computed : properties.computed) made.insert(computed.property);
  for (const auto& [name, value] : properties.constants) made.insert(name);
  std::set<std::string> names{table.key_property, "_cnx_stub"};
  for (const std::string& name : made) names.insert({name, name + "__pg"});
  names.erase(property_name(table.naming, properties.fields));
  return names;
}

Status read_node(const Mapping& mapping, const std::vector<postgres::Table>& catalog,
                 NodeTable& table) {
  CNX_TRY(const postgres::Table* found, find_table(catalog, *table.rule));
  CNX_TRY(read_common(mapping, *found, *table.node, table));
  CNX_TRY(choose_key(table, *found));
  CNX_TRY(check_name(table.node->label));
  for (const std::string& label : table.node->more_labels) CNX_TRY(check_name(label));
  if (table.node->labels) {
    for (const std::string& label : table.node->labels->all()) CNX_TRY(check_name(label));
  }
  CNX_TRY(check_name(table.key_property));
  CNX_TRY(check_indexes(*table.rule, mapping, carried_columns(*found)));
  std::vector<std::string> columns;
  for (const postgres::TableColumn& column : found->columns) columns.push_back(column.name);
  if (!table.node->properties.fields.empty()) table.own_names = own_names(table, columns);
  return check_properties(*table.rule, table.node->properties, table.naming, columns);
}

Status read_relationship(const Mapping& mapping, const std::vector<postgres::Table>& catalog,
                         RelationshipTable& table) {
  CNX_TRY(const postgres::Table* found, find_table(catalog, *table.rule));
  CNX_TRY(read_common(mapping, *found, *table.relationship, table));
  CNX_TRY(check_name(table.type));
  CNX_TRY(check_indexes(*table.rule, mapping, carried_columns(*found)));
  const RelationshipRule& rule = *table.relationship;
  std::set<std::string> ends(rule.start.columns.begin(), rule.start.columns.end());
  ends.insert(rule.end.columns.begin(), rule.end.columns.end());
  table.key_is_pair = ends == std::set<std::string>(rule.key.begin(), rule.key.end());
  for (const std::string& column : rule.key) {
    if (found->column(column) == nullptr) return fail(lacks_column(*table.rule, column));
  }
  if (!table.key_is_pair) table.key_forms = key_forms(*found, rule.key);
  return check_key_is_immediate(*table.rule, *found, rule.key);
}

}  // namespace

const PropertyName* PropertyNames::intern(const std::string& name, bool may_be_unfit, bool flattened) {
  for (PropertyName& known : names_) {
    if (known.name == name && known.may_be_unfit == may_be_unfit) return &known;
  }
  names_.push_back({name, name + "__pg", may_be_unfit, flattened ? field_prefix(name) : std::string()});
  return &names_.back();
}

const PropertyName* PropertyNames::intern_fields(const std::string& companion) {
  for (PropertyName& known : names_) {
    if (known.name == kFieldsProperty) return &known;
  }
  names_.push_back({std::string(kFieldsProperty), companion, true, {}});
  return &names_.back();
}

Result<std::unique_ptr<Model>> Model::make(const Mapping& mapping,
                                           const std::vector<postgres::Table>& catalog) {
  std::unique_ptr<Model> model(new Model(mapping));
  // Nodes first: whatever leads to one finds it.
  for (const TableRule& rule : mapping.tables) {
    const auto* node = std::get_if<NodeRule>(&rule.form);
    if (node == nullptr) continue;
    CNX_TRY(model->add_node(rule, *node, catalog));
    NodeTable& main = model->nodes_.back();
    model->node_by_table_[rule.table] = &main;
    for (const NodeRule& part : node->parts) {
      CNX_TRY(model->add_node(rule, part, catalog));
      model->nodes_.back().main = &main;
      main.parts.push_back(&model->nodes_.back());
    }
  }
  // Those that rows share come behind them, as they are met.
  const size_t tables = model->nodes_.size();
  for (size_t i = 0; i < tables; ++i) {
    for (const ForeignKeyRule& rule : model->nodes_[i].node->relationships) {
      CNX_TRY(model->add_foreign_key(model->nodes_[i], rule, catalog));
    }
  }
  for (const TableRule& rule : mapping.tables) {
    const auto* relationship = std::get_if<RelationshipRule>(&rule.form);
    if (relationship != nullptr) CNX_TRY(model->add_relationships(rule, *relationship, catalog));
  }
  model->find_staying();
  return model;
}

bool same_relationships(const Reference& x, const Reference& y) {
  return x.type == y.type && x.outgoing == y.outgoing && x.other->node->label == y.other->node->label;
}

void Model::find_staying() {
  struct Named {
    Reference reference;
    bool* follows;
  };
  std::vector<std::vector<Named>> by_table(nodes_.size());  // By what is named.
  for (NodeTable& table : nodes_) {
    for (size_t i = 0; i < table.foreign_keys.size(); ++i) {
      ForeignKey& key = table.foreign_keys[i];
      by_table[key.other->index].push_back({{.child = &table,
                                             .foreign_key = i,
                                             .type = key.rule->type,
                                             .outgoing = key.rule->incoming,
                                             .other = &table},
                                            &key.follows});
    }
  }
  for (RelationshipTable& table : relationships_) {
    auto add = [&](const NodeTable& named, bool at_start, const NodeTable& other, bool& follows) {
      by_table[named.index].push_back(
          {{.relationship = &table, .at_start = at_start, .type = table.type, .outgoing = at_start, .other = &other}, &follows});
    };
    add(*table.start, true, *table.end, table.start_follows);
    add(*table.end, false, *table.start, table.end_follows);
  }
  for (NodeTable& table : nodes_) {
    const std::vector<Named>& all = by_table[table.index];
    for (const Named& each : all) {
      const bool stays = std::any_of(all.begin(), all.end(), [&](const Named& other) {
        return !*other.follows && same_relationships(each.reference, other.reference);
      });
      if (stays) table.staying.push_back(each.reference);
    }
    for (const Named& each : all) {
      for (const Reference& staying : table.staying) {
        if (same_relationships(each.reference, staying)) *each.follows = false;
      }
    }
  }
}

Status Model::add_node(const TableRule& rule, const NodeRule& node, const std::vector<postgres::Table>& catalog) {
  NodeTable& table = nodes_.emplace_back();
  table.rule = &rule;
  table.node = &node;
  table.index = nodes_.size() - 1;
  table.naming = mapping_->naming;
  return read_node(*mapping_, catalog, table);
}

Status Model::add_foreign_key(NodeTable& table, const ForeignKeyRule& rule, const std::vector<postgres::Table>& catalog) {
  ForeignKey& key = table.foreign_keys.emplace_back();
  key.rule = &rule;
  key.columns = rule.columns;
  CNX_TRY(check_name(rule.type));
  if (!rule.shared) {
    CNX_TRY(key.other, end_of(*table.rule, rule.other));
    CNX_TRY(const postgres::Table* found, find_table(catalog, *table.rule));
    // A further node of a row has that row's key.
    key.follows = table.main == key.other || mapping::follows(*found, rule.columns, rule.other, key.other->node->key);
    return {};
  }
  // No such node takes another key.
  key.follows = true;
  if (!table.tenant_column.empty()) key.columns.insert(key.columns.begin(), table.tenant_column);
  CNX_TRY(const postgres::Table* found, find_table(catalog, *table.rule));
  for (const std::string& column : key.columns) {
    if (found->column(column) == nullptr) return fail(lacks_column(*table.rule, column));
  }
  CNX_TRY(key.shared, share(table, key, *found));
  key.other = key.shared;
  return {};
}

Status Model::add_relationships(const TableRule& rule, const RelationshipRule& relationship,
                                const std::vector<postgres::Table>& catalog) {
  std::vector<RelationshipTable*> made;
  for (const std::string& type : relationship.all_types()) {
    RelationshipTable& table = relationships_.emplace_back();
    table.rule = &rule;
    table.relationship = &relationship;
    table.type = type;
    table.index = relationships_.size() - 1;
    CNX_TRY(read_relationship(*mapping_, catalog, table));
    CNX_TRY(table.start, end_of(rule, relationship.start.table));
    CNX_TRY(table.end, end_of(rule, relationship.end.table));
    CNX_TRY(const postgres::Table* found, find_table(catalog, rule));
    table.start_follows = follows(*found, relationship.start.columns, relationship.start.table, table.start->node->key);
    table.end_follows = follows(*found, relationship.end.columns, relationship.end.table, table.end->node->key);
    made.push_back(&table);
  }
  if (relationship.types) {
    for (RelationshipTable* table : made) table->siblings.assign(made.begin(), made.end());
  }
  relationship_by_table_[rule.table] = made.front();
  return {};
}

Result<const NodeTable*> Model::end_of(const TableRule& rule, const TableName& other) {
  if (const NodeTable* node = find_node(other)) return node;
  return fail(about(rule, ErrorKind::invalid, "a relationship ends at a table that has no node")
                  .with("other", to_string(other)));
}

NodeTable* Model::find_node(const TableName& table) {
  auto found = node_by_table_.find(table);
  return found == node_by_table_.end() ? nullptr : found->second;
}

RelationshipTable* Model::find_relationship(const TableName& table) {
  auto found = relationship_by_table_.find(table);
  return found == relationship_by_table_.end() ? nullptr : found->second;
}

}  // namespace cnx::mapping
