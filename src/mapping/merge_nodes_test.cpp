// Further nodes of a row: those of its own live and die with it, those that rows share are ends of its relationships.
#include <gmock/gmock.h>

#include "mapping/catalog_check.hpp"
#include "mapping/lacking_rows.hpp"
#include "mapping/merge.hpp"
#include "mapping/applied_rows.hpp"
#include "mapping/testing/source.hpp"

namespace cnx::mapping {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::UnorderedElementsAre;
using testing::kUnchanged;
using testing::Row;
using testing::Source;

constexpr const char* kMapping = R"(
defaults: {key: id, tenant: tenant, version: version}
tables:
  people:
    node: Person
    nodes:
      - LIVES_AT: {to: Home, properties: [street, city]}
      - TELLS: {to: Text, key: {person: id}, fields: about, properties: [city]}
      - ALWAYS: {from: Mark, properties: {of: {constant: 1}}}
      - FROM: {to: Country, key: {name: country}}
  plain: {node: Plain, nodes: [{IN: {to: [Area, Place], key: area}}, {AT: {to: Day, key: {day: at}}}, {OF: {to: Lot, key: lot}}]}
)";
const std::vector<std::string> kTables = {
    "people (id int8, tenant text, version int8, street text, city text, about text, country text)", "plain (id int8, area text, at date, lot int8)"};

Row person(const std::string& id, std::optional<std::string> street, std::optional<std::string> about,
           std::optional<std::string> country = {}) {
  return {id, "acme", "1", std::move(street), std::nullopt, std::move(about), std::move(country)};
}

class MergeNodes : public ::testing::Test {
 protected:
  void SetUp() override { ASSERT_FALSE(source_.error()) << source_.error()->describe(); }

  void insert(const Row& row) { source_.insert(merge_, "people", row); }
  void update(const Row& row, const Row& old = {}) { source_.update(merge_, "people", row, old); }
  void remove(const std::string& id) { source_.remove(merge_, "people", {id, std::nullopt, std::nullopt, std::nullopt, std::nullopt, std::nullopt, std::nullopt}); }
  void begin() { merge_.begin_transaction(); }

  // What is to be done about the nodes of that label; nothing where there is nothing.
  static NodeMutations of(const Mutations& mutations, const std::string& label) {
    for (const NodeMutations& each : mutations.nodes) {
      if (each.table->node->label == label) return each;
    }
    return {};
  }
  static std::vector<int64_t> keys(const NodeMutations& mutations) {
    std::vector<int64_t> keys;
    for (const NodeUpsert& upsert : mutations.upserts) keys.push_back(std::get<int64_t>(upsert.key));
    return keys;
  }
  static const change::Value* value(const Properties& properties, const std::string& name) {
    for (const Property& each : properties) {
      if (each.name->name == name) return &each.value;
    }
    return nullptr;
  }

  Source source_{kMapping, kTables};
  Merge merge_{source_.model()};
};

TEST_F(MergeNodes, a_row_has_those_whose_columns_have_a_value) {
  insert(person("1", "High Street", std::nullopt));
  insert(person("2", std::nullopt, R"({"a": 1})"));
  const size_t elements = merge_.elements();
  const Mutations taken = merge_.take();
  EXPECT_EQ(elements, 2 * (2 + 3 * 2u));  // A node and its shared one's relationship; three nodes with theirs.
  EXPECT_THAT(keys(of(taken, "Person")), ElementsAre(1, 2));
  EXPECT_THAT(keys(of(taken, "Home")), ElementsAre(1));
  EXPECT_THAT(keys(of(taken, "Text")), ElementsAre(2));
  EXPECT_THAT(keys(of(taken, "Mark")), ElementsAre(1, 2));
  const NodeMutations homes = of(taken, "Home");
  const NodeUpsert& home = homes.upserts.front();
  EXPECT_TRUE(home.inserted);
  EXPECT_EQ(*value(home.properties, "street"), change::Value(std::string("High Street")));
  EXPECT_EQ(*value(home.properties, "tenant"), change::Value(std::string("acme")));
  EXPECT_EQ(*value(home.properties, "version"), change::Value(int64_t{1}));
  EXPECT_EQ(home.ends.front().key, Key(int64_t{1}));
  EXPECT_EQ(homes.table->foreign_keys.front().other, &source_.node("people"));
  const NodeMutations texts = of(taken, "Text");
  EXPECT_EQ(texts.table->key_property, "person");
  EXPECT_EQ(*value(texts.upserts.front().properties, "_cnx_fields"), change::Value(change::Fields{{{"a", change::Value(int64_t{1})}}}));
}

TEST_F(MergeNodes, one_whose_columns_become_null_goes_and_comes_back_anew) {
  update(person("1", std::nullopt, std::nullopt));
  EXPECT_THAT(of(merge_.take(), "Home").removed, ElementsAre(Key(int64_t{1})));

  begin();
  update(person("1", std::nullopt, std::nullopt));
  begin();
  update(person("1", "b", std::nullopt));
  NodeMutations homes = of(merge_.take(), "Home");
  EXPECT_THAT(homes.removed, ElementsAre(Key(int64_t{1})));
  ASSERT_THAT(keys(homes), ElementsAre(1));
  EXPECT_TRUE(homes.upserts.front().inserted);

  begin();
  update(person("1", std::nullopt, std::nullopt));
  update(person("1", "b", std::nullopt));
  homes = of(merge_.take(), "Home");
  EXPECT_THAT(homes.removed, IsEmpty());
  ASSERT_THAT(keys(homes), ElementsAre(1));
  EXPECT_TRUE(homes.upserts.front().replaced);
}

TEST_F(MergeNodes, one_that_was_not_there_is_not_replaced_by_a_later_row_of_its_key) {
  begin();
  update(person("1", std::nullopt, std::nullopt));
  begin();
  remove("1");
  insert(person("1", "b", std::nullopt));
  const NodeMutations homes = of(merge_.take(), "Home");
  EXPECT_THAT(homes.removed, ElementsAre(Key(int64_t{1})));
  ASSERT_THAT(homes.upserts, SizeIs(1));
  EXPECT_TRUE(homes.upserts.front().inserted);
}

TEST_F(MergeNodes, they_go_along_with_the_key_also_where_they_are_not_there) {
  begin();
  update(person("2", std::nullopt, R"({"a": 1})"), {"1", std::nullopt, std::nullopt, std::nullopt, std::nullopt, std::nullopt, std::nullopt});
  begin();
  update(person("1", "b", std::nullopt), {"3", std::nullopt, std::nullopt, std::nullopt, std::nullopt, std::nullopt, std::nullopt});
  begin();
  update(person("2", "a", std::nullopt));
  const Mutations taken = merge_.take();
  const NodeMutations homes = of(taken, "Home");
  // The first row's home was to be removed by the key that it had, and is made by the key that it has.
  EXPECT_THAT(homes.removed, ElementsAre(Key(int64_t{1})));
  EXPECT_THAT(keys(homes), UnorderedElementsAre(2, 1));
  ASSERT_THAT(homes.key_changes, SizeIs(2));
  EXPECT_EQ(of(taken, "Text").key_changes.size(), 2u);
  EXPECT_THAT(of(taken, "Text").removed, UnorderedElementsAre(Key(int64_t{1}), Key(int64_t{3})));
}

TEST_F(MergeNodes, they_go_with_the_row_and_with_a_truncate) {
  remove("1");
  Mutations taken = merge_.take();
  for (const char* label : {"Person", "Home", "Text", "Mark"}) EXPECT_THAT(of(taken, label).removed, ElementsAre(Key(int64_t{1}))) << label;
  merge_.truncate({"public", "people"});
  taken = merge_.take();
  for (const char* label : {"Person", "Home", "Text", "Mark"}) EXPECT_TRUE(of(taken, label).truncated) << label;
}

TEST_F(MergeNodes, one_of_an_unchanged_large_value_is_left_as_it_is_and_has_to_be_there) {
  update(person("1", std::nullopt, kUnchanged));
  const Mutations taken = merge_.take();
  const NodeMutations texts = of(taken, "Text");
  ASSERT_THAT(texts.upserts, SizeIs(1));
  EXPECT_TRUE(texts.upserts.front().lacks_columns);
  EXPECT_EQ(value(texts.upserts.front().properties, "_cnx_fields"), nullptr);
  // The row's own node has the column too, and lacks it as well.
  const std::vector<LackingRow> lacking = lacking_rows(taken);
  ASSERT_THAT(lacking, SizeIs(2));
  EXPECT_EQ(lacking[1].node, texts.table);
  EXPECT_EQ(lacking[1].row.columns, std::vector<std::string>{"id"});
}

TEST_F(MergeNodes, an_object_that_takes_a_name_of_the_node_does_not_fit) {
  for (const char* about : {R"({"person": 1})", R"({"city": 1})", R"({"tenant": 1})", R"({"version": 1})", R"({"_cnx_a": 1})", R"({"": 1})",
                            R"({"a__pg": 1})", "[1]", "null", "5", "\"x\""}) {
    insert(person("1", std::nullopt, about));
    const Mutations taken = merge_.take();
    const NodeMutations texts = of(taken, "Text");
    ASSERT_THAT(texts.upserts, SizeIs(1)) << about;
    const Property& fields = texts.upserts.front().properties.back();
    EXPECT_EQ(fields.name->name, "_cnx_fields");
    EXPECT_EQ(fields.name->companion, "about__pg");
    EXPECT_EQ(fields.value, change::Value(change::Unfit{about}));
  }
  insert(person("1", std::nullopt, R"({"about": 1, "_cnx": 2, "id": 3})"));
  const Mutations taken = merge_.take();
  EXPECT_TRUE(std::holds_alternative<change::Fields>(of(taken, "Text").upserts.front().properties.back().value));
}

TEST_F(MergeNodes, read_again_they_are_replaced_in_place_or_go) {
  const Row row = person("1", "a", std::nullopt);
  change::SnapshotRow read;
  read.relation = source_.binding("people").relation;
  read.row = testing::views(row);
  ASSERT_TRUE(merge_.add(source_.binding("people"), read, true));
  const Mutations taken = merge_.take();
  EXPECT_TRUE(of(taken, "Home").upserts.front().replaced);
  EXPECT_THAT(of(taken, "Text").removed, ElementsAre(Key(int64_t{1})));
}

TEST_F(MergeNodes, over_a_copy_a_key_change_is_a_removal_and_an_insertion_of_each) {
  source_.update_in_two(merge_, "people", person("2", "a", std::nullopt),
                        {"1", std::nullopt, std::nullopt, std::nullopt, std::nullopt, std::nullopt, std::nullopt});
  const NodeMutations homes = of(merge_.take(), "Home");
  EXPECT_THAT(homes.removed, ElementsAre(Key(int64_t{1})));
  EXPECT_THAT(keys(homes), ElementsAre(2));
  EXPECT_THAT(homes.key_changes, IsEmpty());
}

TEST_F(MergeNodes, only_the_rows_own_node_counts_as_applied) {
  update(person("1", "a", std::nullopt));
  EXPECT_THAT(applied_rows(merge_.take(), {{"public", "people"}}), SizeIs(1));
}

TEST_F(MergeNodes, a_shared_one_is_found_within_the_tenant_and_made_with_what_its_key_says) {
  insert(person("1", std::nullopt, std::nullopt, "DE"));
  insert(person("2", std::nullopt, std::nullopt));
  const Mutations taken = merge_.take();
  const NodeMutations people = of(taken, "Person");
  const ForeignEnd& end = people.upserts[0].ends.front();
  EXPECT_EQ(end.key, Key(std::string("4:acme2:DE")));
  EXPECT_EQ(*value(end.made, "tenant"), change::Value(std::string("acme")));
  EXPECT_EQ(*value(end.made, "name"), change::Value(std::string("DE")));
  EXPECT_FALSE(people.upserts[1].ends.front().key);
  EXPECT_THAT(of(taken, "Country").upserts, IsEmpty());
  EXPECT_EQ(people.table->foreign_keys.front().other->key_property, "_cnx_key");
}

TEST_F(MergeNodes, a_shared_one_without_a_tenant_is_found_by_a_number_as_it_stands) {
  source_.insert(merge_, "plain", {"1", "north", "2024-01-01", "5"});
  const Mutations taken = merge_.take();
  const NodeMutations plain = of(taken, "Plain");
  const auto& ends = plain.upserts.front().ends;
  EXPECT_EQ(ends[0].key, Key(std::string("5:north")));
  EXPECT_EQ(*value(ends[0].made, "area"), change::Value(std::string("north")));
  EXPECT_EQ(ends[2].key, Key(int64_t{5}));
  EXPECT_THAT(ends[2].made, IsEmpty());
  EXPECT_EQ(plain.table->foreign_keys[2].other->key_property, "lot");
  EXPECT_EQ(ends[1].key, Key(std::string("10:2024-01-01")));
  EXPECT_EQ(*value(ends[1].made, "day"), change::Value(change::Date{.days = 19723}));
}

TEST_F(MergeNodes, an_unchanged_name_of_a_shared_one_leaves_its_relationship_alone) {
  source_.update(merge_, "plain", {"1", kUnchanged, std::nullopt, std::nullopt});
  Mutations taken = merge_.take();
  NodeMutations plain = of(taken, "Plain");
  EXPECT_TRUE(plain.upserts.front().ends[0].unknown);
  EXPECT_FALSE(plain.upserts.front().ends[0].key);
  EXPECT_TRUE(plain.upserts.front().lacks_columns);
  EXPECT_FALSE(plain.upserts.front().ends[1].unknown);

  source_.update(merge_, "plain", {"1", "north", std::nullopt, std::nullopt});
  source_.update(merge_, "plain", {"1", kUnchanged, "2024-01-01", std::nullopt});
  taken = merge_.take();
  plain = of(taken, "Plain");
  EXPECT_FALSE(plain.upserts.front().ends[0].unknown);
  EXPECT_EQ(plain.upserts.front().ends[0].key, Key(std::string("5:north")));
  EXPECT_TRUE(plain.upserts.front().ends[1].key);
}

TEST(SharedNodes, of_which_a_part_of_the_key_is_left_out_are_looked_up) {
  Source source("tables:\n  a: {node: A, key: id, nodes: [{R: {to: B, key: [u, v]}}]}\n", {"a (id int8, u text, v text)"});
  ASSERT_FALSE(source.error());
  Merge merge(source.model());
  auto end_of = [&](const Row& row) {
    source.update(merge, "a", row);
    Mutations taken = merge.take();
    const size_t lacking = lacking_rows(taken).size();
    ForeignEnd end = taken.nodes.front().upserts.front().ends.front();
    EXPECT_EQ(lacking, end.unknown ? 1u : 0u);
    if (end.unknown) {
      EXPECT_EQ(lacking_rows(taken).front().node == nullptr, end.lacks_columns);
    }
    return end;
  };
  EXPECT_TRUE(end_of({"1", "x", "y"}).key);
  EXPECT_TRUE(end_of({"1", kUnchanged, "y"}).lacks_columns);
  EXPECT_FALSE(end_of({"1", kUnchanged, kUnchanged}).lacks_columns);
  EXPECT_TRUE(end_of({"1", kUnchanged, kUnchanged}).unknown);
  // One that is NULL says that there is none, whatever the other holds; the row lacks it all the same.
  source.update(merge, "a", {"1", kUnchanged, std::nullopt});
  const Mutations taken = merge.take();
  const ForeignEnd none = taken.nodes.front().upserts.front().ends.front();
  EXPECT_FALSE(none.unknown);
  EXPECT_FALSE(none.key);

  source.insert(merge, "a", {"1", "x", "y"});
  source.update(merge, "a", {"1", kUnchanged, "z"});
  EXPECT_TRUE(merge.take().nodes.front().upserts.front().ends.front().unknown);
}

TEST(SharedNodes, of_equal_values_are_one) {
  Source source("tables:\n  a: {node: A, key: id, nodes: [{R: {to: B, key: {v: n}}}]}\n", {"a (id int8, n numeric)"});
  ASSERT_FALSE(source.error());
  Merge merge(source.model());
  source.insert(merge, "a", {"1", "1.50"});
  source.insert(merge, "a", {"2", "1.5"});
  const Mutations taken = merge.take();
  const auto& upserts = taken.nodes.front().upserts;
  EXPECT_EQ(upserts[0].ends[0].key, upserts[1].ends[0].key);
  for (const NodeUpsert& each : upserts) EXPECT_EQ(each.ends[0].made.front().value, change::Value(std::string("1.5")));
}

TEST(SharedNodes, have_one_form_whichever_table_names_them) {
  const std::string mapping = "tables:\n  a: {node: A, key: id, nodes: [{R: {to: X, key: {v: n}}}]}\n"
                              "  b: {node: B, key: id, nodes: [{S: {to: X, key: {v: m}}}]}\n";
  Source alike(mapping, {"a (id int8, n text)", "b (id int8, m varchar)"});
  ASSERT_FALSE(alike.error());
  EXPECT_EQ(alike.node("a").foreign_keys.front().other, alike.node("b").foreign_keys.front().other);

  const std::vector<std::string> tables = {"a (id int8, n text)", "b (id int8, m int8)"};
  Source different(mapping, tables);
  ASSERT_TRUE(different.error());
  EXPECT_EQ(different.error()->kind(), ErrorKind::invalid);
  auto loaded = load("version: 1\nname: n\n" + mapping, "f");
  ASSERT_TRUE(loaded);
  const auto faults = catalog_faults(*loaded, {testing::table_of(tables[0]), testing::table_of(tables[1])});
  ASSERT_THAT(faults, SizeIs(1));
  EXPECT_EQ(faults.front().table.name, "b");
}

TEST(FurtherNodes, indexes_of_properties_that_they_do_not_have_are_told) {
  auto loaded = load("version: 1\nname: n\ntables:\n  a: {node: A, key: id, nodes: [{R: {to: B, properties: [street], indexes: [{text: strete}]}},\n"
                     "    {S: {to: C, key: country, indexes: [{range: country}, {range: land}]}}, {T: {to: D, fields: about, indexes: [{text: any}]}}]}\n", "f");
  ASSERT_TRUE(loaded) << format(loaded.error());
  const auto faults = catalog_faults(*loaded, {testing::table_of("a (id int8, street text, country text, about text)")});
  ASSERT_THAT(faults, SizeIs(2));
  EXPECT_EQ(faults[0].message, "the index `text` is of the property `strete`, which the table's rows do not have");
  EXPECT_EQ(faults[0].advice, "did you mean `street`?");
  EXPECT_EQ(faults[1].message, "the index `range` is of the property `land`, which the table's rows do not have");
}

TEST(FurtherNodes, faults_of_their_columns_are_told) {
  auto loaded = load("version: 1\nname: n\ntables:\n  a: {node: A, key: id, nodes: [{R: {to: B, properties: [strete]}}, {S: {to: C, key: contry}}]}\n", "f");
  ASSERT_TRUE(loaded) << format(loaded.error());
  const auto faults = catalog_faults(*loaded, {testing::table_of("a (id int8, street text, country text)")});
  ASSERT_THAT(faults, SizeIs(2));
  EXPECT_EQ(faults[0].message, "the table has no column `contry`");
  EXPECT_EQ(faults[0].advice, "did you mean `country`?");
  EXPECT_EQ(faults[1].message, "the table has no column `strete`");
}

}  // namespace
}  // namespace cnx::mapping
