// The family's mapping, model and relations, and its changes fed into a merge as the stream would
// bring them. For tests only.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "mapping/load.hpp"
#include "mapping/merge.hpp"
#include "mapping/testing/family.hpp"

namespace cnx::mapping::testing {

inline constexpr std::string_view kFamilyMapping = R"(
version: 1
name: family
defaults: {key: id, tenant: tenant}
tables:
  parents: {node: Parent}
  children:
    node: Child
    relationships:
      - HAS_CHILD: {from: {parents: parent_id}, properties: [note, big]}
      - FOLLOWS: {to: {children: elder}}
  likes:
    relationship: LIKES
    from: {parents: parent_id}
    to: {children: child_id}
    properties: [weight, big]
)";

// The same, with parents written by a statement of the user's own.
inline std::string family_mapping_with_a_users_statement() {
  std::string text(kFamilyMapping);
  const std::string plain = "{node: Parent}";
  return text.replace(text.find(plain), plain.size(),
                      "{node: Parent, cypher: \"UNWIND $rows AS row RETURN row\"}");
}

// One thread.
class FamilyStream {
 public:
  explicit FamilyStream(std::string_view mapping_text = kFamilyMapping, bool full_identity = false)
      : full_identity_(full_identity) {
    auto loaded = load(mapping_text, "family.yaml");
    EXPECT_TRUE(loaded) << format(loaded.error());
    mapping_ = *std::move(loaded);
    std::vector<postgres::Table> catalog;
    for (FamilyTable table : kFamilyTables) catalog.push_back(described(table));
    auto model = Model::make(mapping_, catalog);
    EXPECT_TRUE(model) << model.error().describe();
    model_ = *std::move(model);
    for (FamilyTable table : kFamilyTables)
      bindings_.push_back(bound(catalog[static_cast<size_t>(table)]));
  }
  FamilyStream(const FamilyStream&) = delete;
  FamilyStream& operator=(const FamilyStream&) = delete;

  Model& model() { return *model_; }
  const NodeTable& parents() const { return model_->nodes()[0]; }
  const NodeTable& children() const { return model_->nodes()[1]; }

  void feed(Merge& merge, const SourceTransaction& transaction) const {
    merge.begin_transaction();
    for (const auto& item : transaction) {
      if (const auto* truncation = std::get_if<Truncation>(&item)) {
        for (FamilyTable table : truncation->tables) merge.truncate(name_of(table));
        continue;
      }
      const Change& source = std::get<Change>(item);
      change::RowChange row;
      row.operation = source.operation;
      row.relation = binding(source.table).relation;
      row.row = views(source.row);
      if (source.unchanged) row.row[*source.unchanged].kind = change::DatumView::Kind::unchanged;
      row.old_row = old_views(source);
      row.old_is_full = full_identity_ && !row.old_row.empty();
      Status added = merge.add(binding(source.table), row);
      ASSERT_TRUE(added) << added.error().describe();
    }
  }

 private:
  using Views = std::vector<change::DatumView>;

  static TableName name_of(FamilyTable table) {
    constexpr std::array kNames = {"parents", "children", "likes"};
    return {"public", kNames[static_cast<size_t>(table)]};
  }

  static postgres::Table described(FamilyTable table) {
    constexpr change::Oid kInt8(20), kText(25), kMoment(1184);
    const std::vector<std::vector<std::pair<const char*, change::Oid>>> columns = {
        {{"id", kInt8}, {"tenant", kText}, {"note", kText}, {"seen", kMoment}},
        {{"id", kText},
         {"tenant", kText},
         {"parent_id", kInt8},
         {"elder", kText},
         {"note", kText},
         {"big", kText}},
        {{"parent_id", kInt8}, {"child_id", kText}, {"weight", kInt8}, {"big", kText}}};
    postgres::Table made;
    made.oid = change::Oid(5000 + static_cast<uint32_t>(table));
    made.name = name_of(table);
    int16_t number = 0;
    for (const auto& [name, type] : columns[static_cast<size_t>(table)]) {
      made.columns.push_back({.number = ++number, .name = name, .type = type});
    }
    return made;
  }

  Binding bound(const postgres::Table& table) {
    auto relation = std::make_shared<change::Relation>();
    relation->oid = table.oid;
    relation->schema = table.name.schema;
    relation->name = table.name.name;
    for (const postgres::TableColumn& column : table.columns) {
      relation->columns.push_back({.name = column.name, .type = column.type});
    }
    const postgres::TypeCatalog types = postgres::TypeCatalog::built_in();
    NodeTable* node = model_->find_node(table.name);
    auto made = node != nullptr
                    ? mapping::bind(*node, relation, types)
                    : mapping::bind(*model_->find_relationship(table.name), relation, types);
    EXPECT_TRUE(made) << made.error().describe();
    return *std::move(made);
  }

  const Binding& binding(FamilyTable table) const { return bindings_[static_cast<size_t>(table)]; }

  static Views views(const Row& row) {
    Views made;
    for (const auto& value : row) {
      made.push_back(value ? change::DatumView{change::DatumView::Kind::text, *value}
                           : change::DatumView{});
    }
    return made;
  }

  // The key alone, and only where it changed or the row goes; the whole row under REPLICA IDENTITY
  // FULL.
  Views old_views(const Change& change) const {
    if (change.operation == change::Operation::insert) return {};
    if (full_identity_) return views(change.old_row);
    const size_t key = Family::key_columns(change.table);
    const bool same = change.operation == change::Operation::update &&
                      std::equal(change.row.begin(), change.row.begin() + static_cast<long>(key),
                                 change.old_row.begin());
    if (same) return {};
    Views made = views(change.old_row);
    for (size_t i = key; i < made.size(); ++i) made[i] = {};
    return made;
  }

  bool full_identity_;
  Mapping mapping_;
  std::unique_ptr<Model> model_;
  std::vector<Binding> bindings_;  // By the table.
};

}  // namespace cnx::mapping::testing
