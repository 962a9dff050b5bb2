#include "cypher/texts.hpp"

#include <gmock/gmock.h>

#include <fstream>
#include <set>
#include <sstream>

#include "cypher/upsert_texts.hpp"
#include "mapping/testing/family_stream.hpp"
#include "mapping/testing/source.hpp"

namespace cnx::cypher {
namespace {

using mapping::testing::Source;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::SizeIs;
using ::testing::StartsWith;

// `binding_of(table)` is the binding of the table with that name.
template <typename BindingOf>
std::vector<Text> all_texts(const mapping::Model& model, BindingOf binding_of) {
  std::vector<Text> all = constraint_texts(model);
  auto add = [&](std::initializer_list<const Text*> texts) {
    for (const Text* text : texts) {
      if (!text->text.empty()) all.push_back(*text);
    }
  };
  for (const mapping::NodeTable& table : model.nodes()) {
    const NodeTexts texts = node_texts(table);
    const mapping::Binding& binding = binding_of(table.rule->table.name);
    const auto inserts = upsert_texts(table, columns_of(binding, Companions::when_unfit));
    const auto updates = upsert_texts(table, columns_of(binding, Companions::always));
    add({&texts.remove, &texts.remove_all, &texts.take_over, &texts.change_key, &inserts.insert,
         &inserts.insert_grouped, &updates.update, &updates.update_existing});
    for (const ForeignKeyTexts& foreign : texts.foreign_keys) {
      add({&foreign.unlink, &foreign.unlink_all, &foreign.link, &foreign.link_existing});
    }
  }
  for (const mapping::RelationshipTable& table : model.relationships()) {
    const RelationshipTexts texts = relationship_texts(table);
    const mapping::Binding& binding = binding_of(table.rule->table.name);
    const auto inserts = upsert_texts(table, columns_of(binding, Companions::when_unfit));
    const auto updates = upsert_texts(table, columns_of(binding, Companions::always));
    add({&texts.remove, &texts.remove_all, &inserts.insert, &updates.update,
         &updates.update_existing});
  }
  return all;
}

std::vector<Text> all_texts(mapping::testing::FamilyStream& family) {
  return all_texts(family.model(), [&](const std::string& table) -> const mapping::Binding& {
    return family.binding(table);
  });
}

std::vector<Text> all_texts(Source& source) {
  return all_texts(source.model(), [&](const std::string& table) -> const mapping::Binding& {
    return source.binding(table);
  });
}

// A changed text is a new plan in the server and perhaps another meaning: change the file
// knowingly.
TEST(Texts, are_those_that_were_tried_against_neo4j) {
  mapping::testing::FamilyStream family;
  std::string actual;
  for (const Text& text : all_texts(family)) {
    actual += text.name + "\n    " + text.text + "\n";
  }
  std::ifstream file(CNX_TEST_DATA "/cypher/family_texts.txt");
  std::stringstream expected;
  expected << file.rdbuf();
  EXPECT_EQ(actual, expected.str());
}

constexpr const char* kHostile = R"y(
tables:
  items:
    node: "It`em\\u0060"
    key: id
    properties: {"k`e\\u0060y'": id, "ver'sion`": version}
    version: version
    tenant: owner
    relationships: [{"TY`PE\\u0060": {to: {items: other}}}]
  pairs: {relationship: "PA`IR\\u0060", from: {items: a}, to: {items: b}}
tenant_property: "ten'ant\\u0060"
)y";

TEST(Texts, hold_names_only_as_quoted_identifiers) {
  Source source(kHostile, {"items (id int8, other int8, version int8, owner text)",
                           "pairs (a int8, b int8)"});
  ASSERT_FALSE(source.error()) << source.error()->describe();
  const std::vector<std::string> quoted = {"`It``em\\u005Cu0060`",
                                           "`k``e\\u005Cu0060y'`",
                                           "`ver'sion```",
                                           "`TY``PE\\u005Cu0060`",
                                           "`PA``IR\\u005Cu0060`",
                                           "`ten'ant\\u005Cu0060`",
                                           "`contextnexus_It``em\\u005Cu0060_k``e\\u005Cu0060y'`"};
  for (const Text& text : all_texts(source)) {
    std::string rest = text.text;
    for (const std::string& name : quoted) {
      for (size_t at; (at = rest.find(name)) != std::string::npos;) rest.erase(at, name.size());
    }
    EXPECT_THAT(rest, AllOf(Not(HasSubstr("u0060")), Not(HasSubstr("'")), Not(HasSubstr("``"))))
        << text.name;
  }
}

TEST(Texts, all_say_their_language_and_have_a_name_of_their_own) {
  mapping::testing::FamilyStream family;
  std::set<std::string> names;
  for (const Text& text : all_texts(family)) {
    EXPECT_THAT(text.text, StartsWith("CYPHER 5 "));
    EXPECT_TRUE(names.insert(text.name).second) << text.name;
  }
}

TEST(Texts, only_an_update_is_guarded_and_only_where_a_version_is_mapped) {
  Source source(
      "defaults: {key: id, version: version}\n"
      "tables:\n"
      "  items: {node: Item}\n"
      "  plain: {node: Plain, version: null}\n"
      "  pairs: {relationship: PAIR, from: {items: a}, to: {items: b}}\n",
      {"items (id int8, version int8)", "plain (id int8)", "pairs (a int8, b int8, version int8)"});
  auto texts_of = [&](const std::string& table) {
    return upsert_texts(source.node(table), columns_of(source.binding(table), Companions::always));
  };
  const NodeUpsertTexts items = texts_of("items");
  EXPECT_TRUE(node_texts(source.node("items")).guarded);
  for (const Text* text : {&items.update, &items.update_existing}) {
    EXPECT_THAT(text->text, HasSubstr("coalesce(n.`version` > row[1], false) AS newer FOREACH"));
    EXPECT_THAT(text->text, HasSubstr("AS refused"));
  }
  EXPECT_THAT(items.insert.text, Not(HasSubstr("refused")));
  EXPECT_FALSE(node_texts(source.node("plain")).guarded);
  EXPECT_THAT(texts_of("plain").update.text, Not(HasSubstr("CASE")));
  EXPECT_TRUE(relationship_texts(source.relationship("pairs")).guarded);
  const RelationshipUpsertTexts pairs = upsert_texts(
      source.relationship("pairs"), columns_of(source.binding("pairs"), Companions::always));
  EXPECT_THAT(pairs.update.text, HasSubstr("r.`version` > row["));
}

TEST(Texts, a_row_in_a_map_is_guarded_by_what_the_map_holds) {
  Source source("defaults: {key: id, version: version}\ntables: {items: {node: Item}}\n",
                {"items (id int8, version int8)"});
  const Columns columns{.list = {}, .as_map = true};
  const NodeUpsertTexts texts = upsert_texts(source.node("items"), columns);
  EXPECT_THAT(texts.insert.text, HasSubstr("SET n += row[1]"));
  EXPECT_THAT(texts.update.text, HasSubstr("n.`version` > row[1].`version`"));
}

TEST(Texts, a_users_statement_is_sent_as_it_is) {
  const std::string own = "UNWIND $rows AS row MERGE (n:Item {id: row.id})";
  Source source("tables: {items: {node: Item, key: id, cypher: \"" + own + "\"}}",
                {"items (id int8)"});
  EXPECT_EQ(node_texts(source.node("items")).user.text, own);
}

TEST(Texts, a_relationship_without_properties_sets_none) {
  mapping::testing::FamilyStream family;
  const NodeUpsertTexts texts =
      upsert_texts(family.children(), columns_of(family.binding("children"), Companions::always));
  EXPECT_THAT(texts.insert.text, HasSubstr("MERGE (n)<-[l:`HAS_CHILD`]-(q) SET l += row["));
  EXPECT_THAT(texts.insert.text, HasSubstr("MERGE (n)-[:`FOLLOWS`]->(q))"));
}

TEST(Texts, one_constraint_for_each_label_and_key) {
  Source source(
      "tables:\n  a: {node: Same, key: id}\n  b: {node: Same, key: id}\n"
      "  c: {node: Other, key: id}\n",
      {"a (id int8)", "b (id int8)", "c (id int8)"});
  const std::vector<Text> texts = constraint_texts(source.model());
  ASSERT_THAT(texts, SizeIs(2));
  EXPECT_EQ(texts[0].name, "contextnexus_Same_id");
  EXPECT_EQ(
      texts[0].text,
      "CYPHER 5 CREATE CONSTRAINT `contextnexus_Same_id` IF NOT EXISTS FOR (n:`Same`) REQUIRE "
      "n.`id` IS UNIQUE");
}

}  // namespace
}  // namespace cnx::cypher
