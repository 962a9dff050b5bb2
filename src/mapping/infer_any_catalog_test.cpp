// Whatever the catalog: what is inferred from it loads as the rules that it holds, and fits it.
#include <gtest/gtest.h>

#include <random>

#include "mapping/catalog_check.hpp"
#include "mapping/infer.hpp"
#include "mapping/load.hpp"
#include "mapping/mapping_text.hpp"
#include "mapping/testing/catalog_lines.hpp"

namespace cnx::mapping {
namespace {

using testing::CatalogLines;

constexpr unsigned kSeed = 20250218;
constexpr int kCatalogs = 1500;

class AnyCatalog {
 public:
  explicit AnyCatalog(unsigned seed) : random_(seed) {}

  postgres::TableList make() {
    CatalogLines lines;
    const size_t count = 1 + below(8);
    for (size_t i = 0; i < count; ++i) add_table(lines);
    for (auto& table : lines.list().tables) add_foreign_keys(lines.list(), table);
    for (size_t i = below(3); i > 0; --i) add_join(lines);
    std::sort(lines.list().tables.begin(), lines.list().tables.end(),
              [](const auto& a, const auto& b) { return a.table.name < b.table.name; });
    return lines.list();
  }

 private:
  size_t below(size_t limit) { return random_() % limit; }
  bool chance(size_t of) { return below(of) == 0; }

  std::string name() {
    static const std::vector<std::string> kNames = {"id",
                                                    "customers",
                                                    "customer",
                                                    "customer_id",
                                                    "customerId",
                                                    "CustomerID",
                                                    "order_details",
                                                    "orders",
                                                    "order",
                                                    "y",
                                                    "null",
                                                    "a.b",
                                                    "ContextNexus",
                                                    "context_nexus",
                                                    "_cnx_key",
                                                    "x__pg",
                                                    "_cnx_",
                                                    "__pg",
                                                    "token",
                                                    "password",
                                                    "hash",
                                                    "created_at",
                                                    "createdAt",
                                                    "status",
                                                    "say \"hi\"",
                                                    "`tick`",
                                                    "a: b",
                                                    "# no",
                                                    "städte",
                                                    "顧客",
                                                    "\xE2\x80\xA8",
                                                    "line\nfeed",
                                                    "-",
                                                    "___",
                                                    "1",
                                                    "[x]",
                                                    "{y}",
                                                    "it's",
                                                    "tenant_id",
                                                    "none",
                                                    "created_by",
                                                    "Order Details",
                                                    "\\",
                                                    "%",
                                                    "@",
                                                    "tab\tbed",
                                                    "<<",
                                                    "~"};
    std::string made = kNames[below(kNames.size())];
    if (chance(6)) made += kNames[below(kNames.size())];
    if (chance(6)) made += "s";
    return made;
  }

  void add_table(CatalogLines& lines) {
    const postgres::TableName table{chance(3) ? name() : "public", name()};
    for (const auto& each : lines.list().tables) {
      if (each.table.name == table) return;
    }
    static const std::vector<std::string> kTypes = {":int4",     ":int8",    ":text",
                                                    ":uuid",     ":varchar", ":bool",
                                                    ":tsvector", ":numeric", ":bpchar"};
    std::vector<std::string> columns;
    std::set<std::string> seen;
    for (size_t count = 1 + below(7); count > 0; --count) {
      const std::string column = name();
      if (seen.insert(column).second)
        columns.push_back(column + kTypes[below(chance(2) ? 2 : kTypes.size())]);
    }
    auto& made = lines.table(table.name, columns, table.schema);
    made.table.persistent = !chance(12);
    made.comment = chance(3) ? name() : "";
    if (chance(3)) made.column_comments[made.table.columns[0].name] = name() + "\n" + name();
    if (chance(15)) made.table.kind = postgres::TableKind::view;
    if (chance(15)) made.parents.push_back({"public", name()});
    if (chance(5)) made.table.columns.back().generated = true;
    for (size_t count = below(3); count > 0; --count) {
      auto& key =
          CatalogLines::key(made, some_columns(made.table), made.table.keys.empty() && !chance(5));
      key.immediate = !chance(8);
      key.partial = !key.primary && chance(4);
      key.valid = !chance(10);
    }
    if (chance(6)) made.table.replica_identity = change::ReplicaIdentity::full;
    if (chance(12)) made.table.replica_identity = change::ReplicaIdentity::nothing;
    if (chance(6) && !made.table.keys.empty()) {
      made.table.replica_identity = change::ReplicaIdentity::index;
      made.table.keys.back().replica_identity = true;
    }
  }

  std::vector<std::string> some_columns(const postgres::Table& table) {
    std::vector<std::string> columns;
    for (const postgres::TableColumn& column : table.columns) columns.push_back(column.name);
    std::shuffle(columns.begin(), columns.end(), random_);
    columns.resize(1 + below(std::min<size_t>(columns.size(), 3)));
    return columns;
  }

  // A table whose key is that of two others, with now and then a column between.
  void add_join(CatalogLines& lines) {
    const size_t count = lines.list().tables.size();
    const postgres::Table* ends[] = {&lines.list().tables[below(count)].table,
                                     &lines.list().tables[below(count)].table};
    if (ends[0]->keys.empty() || ends[1]->keys.empty()) return;
    const std::string between = chance(2) ? ends[0]->name.name + "_" + ends[1]->name.name : name();
    for (const auto& each : lines.list().tables) {
      if (each.table.name == postgres::TableName{"public", between}) return;
    }
    auto& made = lines.table(between, {});
    std::vector<std::string> key;
    std::vector<std::string> columns[2];
    for (size_t i = 0; i < 2; ++i) {
      for (const std::string& referenced : ends[i]->keys[0].columns) {
        const postgres::TableColumn* column = ends[i]->column(referenced);
        const std::string own = (i == 0 ? "a_" : "b_") + referenced;
        made.table.columns.push_back({.number = static_cast<int16_t>(made.table.columns.size() + 1),
                                      .name = own,
                                      .type = column->type});
        columns[i].push_back(own);
        key.push_back(own);
      }
    }
    for (size_t i = below(4); i > 0; --i) {
      const std::string more = name();
      if (made.table.column(more) == nullptr) CatalogLines::add_column(made.table, more + ":text");
    }
    CatalogLines::key(made, key);
    for (size_t i = 0; i < 2; ++i)
      CatalogLines::refer(made, columns[i], ends[i]->name, ends[i]->keys[0].columns);
  }

  void add_foreign_keys(postgres::TableList& list, postgres::DescribedTable& table) {
    for (size_t count = below(5); count > 0; --count) {
      const postgres::Table& other = list.tables[below(list.tables.size())].table;
      if (other.keys.empty()) continue;
      std::vector<std::string> referenced = other.keys[below(other.keys.size())].columns;
      std::vector<std::string> columns = some_columns(table.table);
      if (columns.size() != referenced.size()) continue;
      CatalogLines::refer(table, columns, other.name, referenced);
    }
  }

  std::mt19937 random_;
};

void expect_same(const TableRule& read, const TableRule& wanted, const std::string& text) {
  ASSERT_EQ(read.form.index(), wanted.form.index()) << text;
  if (const auto* node = std::get_if<NodeRule>(&wanted.form)) {
    const auto& got = std::get<NodeRule>(read.form);
    EXPECT_EQ(got.label, node->label);
    EXPECT_EQ(got.key, node->key);
    EXPECT_EQ(got.properties.excluded, node->properties.excluded) << text;
    EXPECT_EQ(got.properties.renamed, node->properties.renamed) << text;
    ASSERT_EQ(got.relationships.size(), node->relationships.size());
    for (size_t i = 0; i < got.relationships.size(); ++i) {
      EXPECT_EQ(got.relationships[i].type, node->relationships[i].type);
      EXPECT_EQ(got.relationships[i].columns, node->relationships[i].columns);
      EXPECT_EQ(got.relationships[i].other, node->relationships[i].other);
      EXPECT_FALSE(got.relationships[i].incoming);
    }
    return;
  }
  const auto& got = std::get<RelationshipRule>(read.form);
  const auto& relationship = std::get<RelationshipRule>(wanted.form);
  EXPECT_EQ(got.type, relationship.type);
  EXPECT_EQ(got.start.table, relationship.start.table);
  EXPECT_EQ(got.start.columns, relationship.start.columns);
  EXPECT_EQ(got.end.table, relationship.end.table);
  EXPECT_EQ(got.end.columns, relationship.end.columns);
  EXPECT_EQ(got.properties, relationship.properties) << text;
}

bool has_entry(const Inferred& inferred) {
  return !inferred.tables.empty() || std::any_of(inferred.left_out.begin(), inferred.left_out.end(),
                                                 [](const LeftOut& out) { return out.entry; });
}

TEST(AnyCatalog, what_is_inferred_loads_and_fits) {
  size_t nodes = 0, relationships = 0, foreign_keys = 0;
  for (unsigned round = 0; round < kCatalogs; ++round) {
    SCOPED_TRACE(kSeed + round);
    const postgres::TableList list = AnyCatalog(kSeed + round).make();
    const Inferred inferred = infer(list);
    if (!has_entry(inferred)) continue;
    const std::string text = mapping_text(inferred);
    EXPECT_EQ(text, mapping_text(infer(list)));
    auto loaded = load(text, "f");
    ASSERT_TRUE(loaded) << format(loaded.error()) << text;
    ASSERT_EQ(loaded->tables.size(), inferred.tables.size()) << text;
    for (const InferredTable& table : inferred.tables) {
      const TableRule* rule = loaded->find(table.rule.table);
      ASSERT_NE(rule, nullptr) << text;
      expect_same(*rule, table.rule, text);
    }
    std::vector<postgres::Table> catalog;
    for (const auto& each : list.tables) catalog.push_back(each.table);
    for (const CatalogFault& fault : catalog_faults(*loaded, catalog)) {
      ADD_FAILURE() << to_string(fault.table) << ": " << fault.message << "\n" << text;
    }
    nodes += inferred.nodes();
    relationships += inferred.relationships();
    foreign_keys += inferred.foreign_keys();
  }
  // The generator makes what is to be tried.
  EXPECT_GT(nodes, 1000u);
  EXPECT_GT(relationships, 100u);
  EXPECT_GT(foreign_keys, 100u);
}

}  // namespace
}  // namespace cnx::mapping
