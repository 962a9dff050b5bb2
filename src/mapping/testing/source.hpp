// Tables for a test, said in a line each, with their mapping, model, relations and rows: what the
// catalog and the stream would bring. For tests only.
#pragma once

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <optional>
#include <sstream>
#include <string>
#include <vector>

#include "mapping/load.hpp"
#include "mapping/merge.hpp"

namespace cnx::mapping::testing {

// One row, in the order of the table's columns; nullopt is NULL.
using Row = std::vector<std::optional<std::string>>;
// In a row: a TOASTed column that the UPDATE left alone.
inline constexpr const char* kUnchanged = "<unchanged>";

// "items (id int8, seen timestamptz)", of the schema public.
inline postgres::Table table_of(const std::string& text) {
  static const std::map<std::string, uint32_t> kTypes = {
      {"bool", 16},          {"bytea", 17},      {"int8", 20},     {"int2", 21},
      {"int4", 23},          {"text", 25},       {"point", 600},   {"float8", 701},
      {"varchar", 1043},     {"date", 1082},     {"time", 1083},   {"timestamp", 1114},
      {"timestamptz", 1184}, {"interval", 1186}, {"timetz", 1266}, {"numeric", 1700},
      {"uuid", 2950},        {"text[]", 1009}};
  std::string words = text;
  for (char& c : words) c = c == '(' || c == ')' || c == ',' ? ' ' : c;
  std::istringstream stream(words);
  postgres::Table table;
  table.name.schema = "public";
  stream >> table.name.name;
  uint32_t hash = 5000;
  for (char c : table.name.name) hash = hash * 31 + static_cast<unsigned char>(c);
  table.oid = change::Oid(hash);
  std::string name, type;
  int16_t number = 0;
  while (stream >> name >> type) {
    EXPECT_TRUE(kTypes.contains(type)) << type;
    table.columns.push_back(
        {.number = ++number, .name = name, .type = change::Oid(kTypes.at(type))});
  }
  return table;
}

// As the stream describes it.
inline change::RelationPtr relation_of(const postgres::Table& table) {
  auto relation = std::make_shared<change::Relation>();
  relation->oid = table.oid;
  relation->schema = table.name.schema;
  relation->name = table.name.name;
  for (const postgres::TableColumn& column : table.columns) {
    relation->columns.push_back({.name = column.name, .type = column.type});
  }
  return relation;
}

// Valid while the row lives.
inline std::vector<change::DatumView> views(const Row& row) {
  using Kind = change::DatumView::Kind;
  std::vector<change::DatumView> made;
  for (const auto& value : row) {
    if (!value) {
      made.push_back({Kind::null, {}});
    } else if (*value == kUnchanged) {
      made.push_back({Kind::unchanged, {}});
    } else {
      made.push_back({Kind::text, *value});
    }
  }
  return made;
}

// What the database has for the columns by which rows of the mapping name others.
enum class References { follow, stay };  // Foreign keys with ON UPDATE CASCADE; none.

// One thread.
class Source {
 public:
  // `mapping_text` as a file, without its head.
  Source(const std::string& mapping_text, const std::vector<std::string>& tables,
         References references = References::follow) {
    auto loaded = load("version: 1\nname: test\n" + mapping_text, "test.yaml");
    EXPECT_TRUE(loaded) << format(loaded.error());
    if (!loaded) return;
    mapping_ = *std::move(loaded);
    for (const std::string& table : tables) catalog_.push_back(table_of(table));
    if (references == References::follow) add_foreign_keys();
    auto made = Model::make(mapping_, catalog_);
    if (!made) {
      error_ = std::move(made.error());
      return;
    }
    model_ = *std::move(made);
    for (const postgres::Table& table : catalog_) describe(relation_of(table));
  }
  Source(const Source&) = delete;
  Source& operator=(const Source&) = delete;

  // Why there is no model, or why the last relation could not be bound.
  const std::optional<Error>& error() const { return error_; }
  Model& model() { return *model_; }
  const NodeTable& node(const std::string& table) { return *model_->find_node({"public", table}); }
  const RelationshipTable& relationship(const std::string& table) {
    return *model_->find_relationship({"public", table});
  }
  const Binding& binding(const std::string& table) const { return bindings_.at(table); }

  // A relation message: from here on the table's rows are as it says.
  void describe(change::RelationPtr relation) {
    const TableName name{relation->schema, relation->name};
    NodeTable* node = model_->find_node(name);
    RelationshipTable* relationship = model_->find_relationship(name);
    if (node == nullptr && relationship == nullptr) return;
    const postgres::TypeCatalog types = postgres::TypeCatalog::built_in();
    auto bound = node != nullptr ? mapping::bind(*node, relation, types)
                                 : mapping::bind(*relationship, relation, types);
    if (bound) {
      bindings_.insert_or_assign(relation->name, *std::move(bound));
    } else {
      error_ = std::move(bound.error());
    }
  }

  // `old_row` is empty where the stream has none.
  Status add(Merge& merge, const std::string& table, change::Operation operation,
             const Row& old_row, const Row& row) const {
    change::RowChange change;
    change.operation = operation;
    change.relation = binding(table).relation;
    change.old_row = views(old_row);
    change.row = views(row);
    return merge.add(binding(table), change);
  }
  void insert(Merge& merge, const std::string& table, const Row& row) const {
    Status added = add(merge, table, change::Operation::insert, {}, row);
    EXPECT_TRUE(added) << added.error().describe();
  }
  void update(Merge& merge, const std::string& table, const Row& row,
              const Row& old_row = {}) const {
    Status added = add(merge, table, change::Operation::update, old_row, row);
    EXPECT_TRUE(added) << added.error().describe();
  }
  // A key change as it comes where rows were read ahead of the stream.
  void update_in_two(Merge& merge, const std::string& table, const Row& row, const Row& old_row) const {
    change::RowChange change;
    change.operation = change::Operation::update;
    change.relation = binding(table).relation;
    change.old_row = views(old_row);
    change.row = views(row);
    change.over_copy = true;
    Status added = merge.add(binding(table), change);
    EXPECT_TRUE(added) << added.error().describe();
  }
  void remove(Merge& merge, const std::string& table, const Row& old_row) const {
    Status added = add(merge, table, change::Operation::remove, old_row, {});
    EXPECT_TRUE(added) << added.error().describe();
  }

 private:
  void add_foreign_keys() {
    for (const TableRule& rule : mapping_.tables) {
      if (const auto* node = std::get_if<NodeRule>(&rule.form)) {
        for (const ForeignKeyRule& link : node->relationships) add_foreign_key(rule.table, link.columns, link.other);
      } else {
        const auto& relationship = std::get<RelationshipRule>(rule.form);
        for (const RelationshipEnd* end : {&relationship.start, &relationship.end}) {
          add_foreign_key(rule.table, end->columns, end->table);
        }
      }
    }
  }
  void add_foreign_key(const TableName& table, const std::vector<std::string>& columns, const TableName& other) {
    const TableRule* rule = mapping_.find(other);
    const auto* node = rule == nullptr ? nullptr : std::get_if<NodeRule>(&rule->form);
    for (postgres::Table& each : catalog_) {
      if (node == nullptr || each.name != table) continue;
      each.foreign_keys.push_back({.columns = columns,
                                   .referenced_table = other,
                                   .referenced_columns = node->key,
                                   .update_cascades = true});
    }
  }

  Mapping mapping_;
  std::vector<postgres::Table> catalog_;
  std::unique_ptr<Model> model_;
  std::map<std::string, Binding> bindings_;
  std::optional<Error> error_;
};

}  // namespace cnx::mapping::testing
