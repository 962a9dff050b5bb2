#include "mapping/catalog_check.hpp"

#include <algorithm>

#include "mapping/fault.hpp"
#include "mapping/indexes.hpp"
#include "mapping/key_form.hpp"

namespace cnx::mapping {
namespace {

const postgres::Table* find_table(const std::vector<postgres::Table>& catalog,
                                  const TableName& name) {
  auto at = std::find_if(catalog.begin(), catalog.end(),
                         [&](const postgres::Table& table) { return table.name == name; });
  return at == catalog.end() ? nullptr : &*at;
}

bool belongs_to_engine(const std::string& property) {
  return property.starts_with("_cnx_") || property.ends_with("__pg");
}

std::string quoted(const std::string& name) {
  return "`" + name + "`";
}

// How the first rule of all that name a shared node identifies it.
struct SharedKey {
  const TableRule* rule = nullptr;
  std::vector<KeyForm> forms;
};
using SharedKeys = std::map<std::string, SharedKey>;  // By label.

// One table's rule against the table.
class TableCheck {
 public:
  TableCheck(const Mapping& mapping, const std::vector<postgres::Table>& catalog, const TableRule& rule, SharedKeys& shared,
             std::vector<CatalogFault>& faults)
      : mapping_(mapping), catalog_(catalog), rule_(rule), shared_(shared), faults_(faults) {}

  void run() {
    table_ = find_table(catalog_, rule_.table);
    if (table_ == nullptr) {
      add("the mapping names a table that the database does not have",
          "create the table (contextnexus schema install makes the built-in ones), or take it out "
          "of the mapping");
      return;
    }
    for (const std::string& column : rule_.named) has_column(column);
    if (const auto* node = std::get_if<NodeRule>(&rule_.form)) {
      check_node(*node);
    } else {
      check_relationship(std::get<RelationshipRule>(rule_.form));
    }
    check_index_properties();
  }

 private:
  void add(std::string message, std::string advice) {
    faults_.push_back({rule_.table, rule_.line, std::move(message), std::move(advice)});
  }

  bool has_column(const std::string& name) {
    if (table_->column(name) != nullptr) return true;
    if (!reported_.insert(name).second) return false;
    std::vector<std::string_view> known;
    for (const postgres::TableColumn& column : table_->columns) known.push_back(column.name);
    std::string meant = did_you_mean(name, known);
    add("the table has no column " + quoted(name),
        meant.empty() ? "correct the mapping, or add the column" : meant);
    return false;
  }

  // The stream and the copy leave generated columns out; what only `exclude:` names may be one.
  void is_carried(const std::string& name) {
    const postgres::TableColumn* column = table_->column(name);
    if (column == nullptr || !column->generated || !reported_.insert(name).second) return;
    add("the column " + quoted(name) + " is generated, and the log does not carry it",
        "map the columns that it is made of");
  }

  void are_carried(const Template& text) {
    for (const Template::Part& part : text.parts) {
      if (part.is_column) is_carried(part.text);
    }
  }

  void check_index_properties() {
    std::vector<std::string> columns;
    for (const postgres::TableColumn& column : table_->columns) {
      if (!column.generated) columns.push_back(column.name);
    }
    for (const IndexWithoutProperty& each : indexes_without_property(rule_, mapping_, columns)) {
      add("the index `" + std::string(to_word(each.index->kind)) + "` is of the property " + quoted(each.property) +
              ", which the table's rows do not have",
          each.suggestion.empty() ? "correct `indexes:`, or map a column to that property" : each.suggestion);
    }
  }

  void check_node(const NodeRule& node) {
    check_key(node);
    for (const std::string& column : node.key) is_carried(column);
    for (const std::string& column : node.properties.included) is_carried(column);
    for (const auto& [property, column] : node.properties.renamed) is_carried(column);
    for (const ComputedProperty& computed : node.properties.computed) {
      is_carried(computed.choice_column);
      for (const auto& [value, choice] : computed.choices) are_carried(choice);
      if (computed.otherwise) are_carried(*computed.otherwise);
    }
    if (node.labels) is_carried(node.labels->column);
    if (!node.properties.fields.empty()) is_carried(node.properties.fields);
    check_properties(node);
    for (const NodeRule& part : node.parts) check_node(part);
    for (const ForeignKeyRule& foreign : node.relationships) {
      if (foreign.shared) {
        check_shared(*foreign.shared, foreign.columns);
      } else {
        check_end(foreign.type, foreign.other, foreign.columns);
      }
      for (const auto& [property, column] : foreign.properties.columns) is_carried(column);
    }
  }

  // All rows that name one by a label find it by one key.
  void check_shared(const SharedNodeRule& shared, std::vector<std::string> columns) {
    bool all = true;
    for (const std::string& column : columns) {
      all &= has_column(column);
      is_carried(column);
    }
    if (!all) return;
    if (table_->column(rule_.tenant_column) != nullptr) columns.insert(columns.begin(), rule_.tenant_column);
    std::vector<KeyForm> forms;
    for (const std::string& column : columns) forms.push_back(shared_key_form(*table_->column(column)));
    auto [first, is_new] = shared_.try_emplace(shared.label, SharedKey{&rule_, forms});
    if (is_new || first->second.forms == forms) return;
    add("the nodes " + quoted(shared.label) + " are found by columns of other types, or are another tenant's, than those of " +
            quoted(to_string(first->second.rule->table)),
        "give one of them another label");
  }

  void check_key(const NodeRule& node) {
    bool all = true;
    for (const std::string& column : node.key) all &= has_column(column);
    if (!all) return;
    std::vector<KeyForm> forms;
    for (const std::string& column : node.key) forms.push_back(key_form(*table_->column(column)));
    if (!is_single(forms)) return;
    if (properties_of(node.properties, mapping_.naming, node.key.front()).empty()) {
      add("the key column " + quoted(node.key.front()) + " is kept out of the graph",
          "take it out of `exclude:`");
    }
  }

  // Two columns under one name would overwrite each other, and names of ours would be taken for
  // marks.
  void check_properties(const NodeRule& node) {
    std::map<std::string, std::string> made_of;
    for (const postgres::TableColumn& column : table_->columns) {
      if (column.generated) continue;
      for (const std::string& property :
           properties_of(node.properties, mapping_.naming, column.name)) {
        check_property(made_of, property, column.name);
        check_field(node.properties.forms, property, column.name);
      }
    }
    for (const ComputedProperty& computed : node.properties.computed) {
      check_property(made_of, computed.property, "a template");
    }
    for (const auto& [property, value] : node.properties.constants) {
      check_property(made_of, property, "a constant");
    }
  }

  void check_field(const AskedForms& forms, const std::string& property, const std::string& column) {
    auto owner = field_owner(forms, property);
    if (!owner) return;
    add("the column " + quoted(column) + " becomes the property " + quoted(property) +
            ", which would be taken for a field of " + quoted(*owner) + ", which is flattened",
        "exclude the column, or give one of them another name");
  }

  void check_property(std::map<std::string, std::string>& made_of, const std::string& property,
                      const std::string& column) {
    if (belongs_to_engine(property)) {
      add("the column " + quoted(column) + " would become the property " + quoted(property) +
              ", a name that belongs to the engine",
          "exclude the column, or give the property another name");
    }
    auto [first, is_new] = made_of.emplace(property, column);
    if (is_new || first->second == column) return;
    add("the columns " + quoted(first->second) + " and " + quoted(column) +
            " would both become the property " + quoted(property),
        "exclude one of them, or give it another name under `properties:`");
  }

  void check_relationship(const RelationshipRule& relationship) {
    for (const std::string& column : relationship.key) {
      if (has_column(column)) is_carried(column);
    }
    for (const auto& [property, column] : relationship.properties.columns) is_carried(column);
    if (relationship.types) is_carried(relationship.types->column);
    const std::string type = *relationship.all_types().begin();
    check_end(type, relationship.start.table, relationship.start.columns);
    check_end(type, relationship.end.table, relationship.end.columns);
  }

  void check_end(const std::string& type, const TableName& other,
                 const std::vector<std::string>& columns) {
    const TableRule* rule = mapping_.find(other);
    const auto* node = rule == nullptr ? nullptr : std::get_if<NodeRule>(&rule->form);
    if (node == nullptr) {
      add("the relationship " + quoted(type) + " ends at " + quoted(to_string(other)) +
              ", which has no node",
          "map that table as a node, or take the relationship out");
      return;
    }
    bool all = true;
    for (const std::string& column : columns) {
      all &= has_column(column);
      is_carried(column);
    }
    const postgres::Table* other_table = find_table(catalog_, other);
    if (!all || other_table == nullptr || node->key.size() != columns.size()) return;
    for (size_t i = 0; i < columns.size(); ++i) {
      const postgres::TableColumn* mine = table_->column(columns[i]);
      const postgres::TableColumn* theirs = other_table->column(node->key[i]);
      if (theirs == nullptr || may_lead_to(key_form(*mine), key_form(*theirs))) continue;
      add("the column " + quoted(columns[i]) + " of the relationship " + quoted(type) +
              " is of another kind than the key of " + quoted(to_string(other)),
          "an integer key is found by an integer, any other by its text");
    }
  }

  const Mapping& mapping_;
  const std::vector<postgres::Table>& catalog_;
  const TableRule& rule_;
  SharedKeys& shared_;
  std::vector<CatalogFault>& faults_;
  const postgres::Table* table_ = nullptr;
  std::set<std::string> reported_;
};

}  // namespace

std::vector<CatalogFault> catalog_faults(const Mapping& mapping,
                                         const std::vector<postgres::Table>& catalog) {
  std::vector<CatalogFault> faults;
  SharedKeys shared;
  for (const TableRule& rule : mapping.tables) TableCheck(mapping, catalog, rule, shared, faults).run();
  return faults;
}

}  // namespace cnx::mapping
