#include "mapping/model.hpp"

#include <algorithm>

#include "mapping/key_types.hpp"

namespace cnx::mapping {
namespace {

constexpr std::string_view kKeyProperty = "_cnx_key";

const postgres::Table* find_table(const std::vector<postgres::Table>& catalog, const TableName& name) {
  for (const postgres::Table& table : catalog) {
    if (table.name.schema == name.schema && table.name.name == name.name) return &table;
  }
  return nullptr;
}

const postgres::TableColumn* find_column(const postgres::Table& table, const std::string& name) {
  return table.column(name);
}

Error lacks_column(const TableName& table, const std::string& column) {
  return Error(ErrorKind::invalid, "the mapping names a column that the table does not have")
      .with("table", to_string(table))
      .with("column", column)
      .advise("correct the mapping, or add the column");
}

// The property under which a column stands: its own name's first; empty where the mapping keeps it
// out of the graph.
std::string property_of(const Mapping& mapping, const PropertyRules& rules,
                        const std::string& column) {
  bool kept = rules.all ? !rules.excluded.contains(column) : rules.included.contains(column);
  if (kept) return property_name(mapping.naming, column);
  for (const auto& [property, renamed] : rules.renamed) {
    if (renamed == column) return property;
  }
  return {};
}

Status choose_key(const Mapping& mapping, const postgres::Table& catalog, NodeTable& table) {
  const NodeRule& node = *table.node;
  for (const std::string& column : node.key) {
    if (find_column(catalog, column) == nullptr)
      return fail(lacks_column(table.rule->table, column));
  }
  const postgres::TableColumn* column = node.key.size() == 1 ? find_column(catalog, node.key[0]) : nullptr;
  std::string property = column != nullptr ? property_of(mapping, node.properties, column->name) : "";
  if (column == nullptr || !is_key_type(column->type) || property.empty()) {
    return fail(Error(ErrorKind::unsupported,
                      "a node's key must be one column of an integer type, uuid, text or varchar "
                      "that is a property")
                    .with("table", to_string(table.rule->table)));
  }
  table.integer_key = is_integer_type(column->type);
  table.key_property = property;
  return {};
}

}  // namespace

const PropertyName* PropertyNames::intern(const std::string& name, bool may_be_unfit) {
  for (PropertyName& known : names_) {
    if (known.name == name && known.may_be_unfit == may_be_unfit) return &known;
  }
  names_.push_back({name, name + "__pg", may_be_unfit});
  return &names_.back();
}

Result<std::unique_ptr<Model>> Model::make(const Mapping& mapping,
                                           const std::vector<postgres::Table>& catalog) {
  std::unique_ptr<Model> model(new Model(mapping));
  auto read_common = [&](const TableRule& rule, auto& table) -> Result<const postgres::Table*> {
    const postgres::Table* found = find_table(catalog, rule.table);
    if (found == nullptr) {
      return fail(
          Error(ErrorKind::invalid, "the mapping names a table that the database does not have")
              .with("table", to_string(rule.table))
              .advise("create the table (contextnexus schema install makes the built-in ones), or "
                      "take it out "
                      "of the mapping"));
    }
    table.rule = &rule;
    // A column that only the file's defaults name may be missing; one that the table's own rule
    // names may not.
    for (const std::string& column : rule.named) {
      if (find_column(*found, column) == nullptr) return fail(lacks_column(rule.table, column));
    }
    if (find_column(*found, rule.version_column) != nullptr) {
      table.version_property = property_name(mapping.naming, rule.version_column);
    }
    if (find_column(*found, rule.tenant_column) != nullptr) {
      table.tenant_column = rule.tenant_column;
      table.tenant_property = mapping.tenant_property;
    }
    return found;
  };

  for (const TableRule& rule : mapping.tables) {
    const auto* node = std::get_if<NodeRule>(&rule.form);
    if (node == nullptr) continue;
    NodeTable& table = model->nodes_.emplace_back();
    table.node = node;
    table.index = model->nodes_.size() - 1;
    table.naming = mapping.naming;
    CNX_TRY(const postgres::Table* found, read_common(rule, table));
    CNX_TRY(choose_key(mapping, *found, table));
    model->node_by_table_[rule.table] = &table;
  }
  auto node_of = [&](const TableName& name, const TableName& from) -> Result<const NodeTable*> {
    if (const NodeTable* node = model->find_node(name)) return node;
    return fail(Error(ErrorKind::invalid, "a relationship ends at a table that has no node")
                    .with("table", to_string(from))
                    .with("other", to_string(name)));
  };
  for (NodeTable& table : model->nodes_) {
    for (const ForeignKeyRule& rule : table.node->relationships) {
      CNX_TRY(const NodeTable* other, node_of(rule.other, table.rule->table));
      ForeignKey& key = table.foreign_keys.emplace_back();
      key.rule = &rule;
      key.other = other;
    }
  }
  for (const TableRule& rule : mapping.tables) {
    const auto* relationship = std::get_if<RelationshipRule>(&rule.form);
    if (relationship == nullptr) continue;
    RelationshipTable& table = model->relationships_.emplace_back();
    table.relationship = relationship;
    table.index = model->relationships_.size() - 1;
    CNX_TRY(read_common(rule, table));
    CNX_TRY(table.start, node_of(relationship->start.table, rule.table));
    CNX_TRY(table.end, node_of(relationship->end.table, rule.table));
    std::set<std::string> ends(relationship->start.columns.begin(),
                               relationship->start.columns.end());
    ends.insert(relationship->end.columns.begin(), relationship->end.columns.end());
    table.key_is_pair =
        ends == std::set<std::string>(relationship->key.begin(), relationship->key.end());
    if (!table.key_is_pair) {
      return fail(
          Error(ErrorKind::unsupported, "a relationship's key must be the columns of its two ends")
              .with("table", to_string(rule.table)));
    }
    model->relationship_by_table_[rule.table] = &table;
  }
  return model;
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
