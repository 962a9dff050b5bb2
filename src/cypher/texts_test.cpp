#include "cypher/texts.hpp"

#include <gmock/gmock.h>

#include <fstream>
#include <set>
#include <sstream>

#include "cypher/removal_texts.hpp"
#include "mapping/testing/family_stream.hpp"
#include "mapping/testing/source.hpp"

namespace cnx::cypher {
namespace {

using mapping::testing::References;
using mapping::testing::Source;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::SizeIs;
using ::testing::StartsWith;

// A row of every property that the table has.
mapping::Properties row_of(const mapping::PropertyNames& names) {
  mapping::Properties row;
  for (const mapping::PropertyName& name : names.all()) row.push_back({&name, change::Null{}});
  return row;
}

std::vector<Text> all_texts(const mapping::Model& model) {
  std::vector<Text> all = constraint_texts(model);
  for (const mapping::NodeTable& table : model.nodes()) {
    const NodeTexts texts = node_texts(table);
    for (const Text* text : {&texts.remove, &texts.remove_all, &texts.take_over, &texts.change_key,
                             &texts.insert, &texts.insert_linked, &texts.usual().update,
                             &texts.usual().update_linked, &texts.usual().update_existing}) {
      if (!text->text.empty()) all.push_back(*text);
    }
    const NodeTexts of_rows = node_texts_of_rows(table, row_of(table.names));
    for (const auto& [maps, lists] : {std::pair(&texts.insert, &of_rows.insert), std::pair(&texts.insert_linked, &of_rows.insert_linked),
                                      std::pair(&texts.usual().update, &of_rows.usual().update),
                                      std::pair(&texts.usual().update_linked, &of_rows.usual().update_linked)}) {
      if (maps->text != lists->text) all.push_back({maps->name + ", rows as lists", lists->text});
    }
    all.insert(all.end(), texts.leave_behind.begin(), texts.leave_behind.end());
    for (const ForeignKeyTexts& foreign : texts.foreign_keys) {
      for (const Text* text :
           {&foreign.unlink, &foreign.unlink_all, &foreign.link, &foreign.link_existing, &foreign.undecided}) {
        if (!text->text.empty()) all.push_back(*text);
      }
    }
    const NodeRemovalTexts removal = node_removal_texts(table);
    all.insert(all.end(), removal.unlink.begin(), removal.unlink.end());
    all.insert(all.end(), removal.unlink_all.begin(), removal.unlink_all.end());
    all.insert(all.end(), removal.leave_behind.begin(), removal.leave_behind.end());
    all.insert(all.end(), removal.left_sizes.begin(), removal.left_sizes.end());
    if (!removal.size.text.empty()) all.push_back(removal.size);
    all.push_back(removal.remove_all);
  }
  for (const mapping::RelationshipTable& table : model.relationships()) {
    const RelationshipTexts texts = relationship_texts(table);
    for (const Text* text :
         {&texts.remove, &texts.remove_all, &texts.usual().look, &texts.usual().lead_away, &texts.insert, &texts.usual().update,
          &texts.usual().update_existing}) {
      if (!text->text.empty()) all.push_back(*text);
    }
    const RelationshipTexts of_rows = relationship_texts_of_rows(table, row_of(table.names));
    for (const auto& [maps, lists] :
         {std::pair(&texts.insert, &of_rows.insert), std::pair(&texts.usual().update, &of_rows.usual().update)}) {
      if (maps->text != lists->text) all.push_back({maps->name + ", rows as lists", lists->text});
    }
    const RelationshipRemovalTexts removal = relationship_removal_texts(table);
    all.push_back(removal.remove);
    all.push_back(removal.remove_all);
  }
  return all;
}

// A changed text is a new plan in the server and perhaps another meaning: change the file
// knowingly.
TEST(Texts, are_those_that_were_tried_against_neo4j) {
  mapping::testing::FamilyStream family;
  // Without properties on the relationships, children are written along with them.
  Source orders("defaults: {key: id, version: version, tenant: tenant}\n"
                "tables:\n"
                "  customers: {node: Customer}\n"
                "  orders:\n"
                "    node: Order\n"
                "    relationships: [{PLACED: {from: {customers: customer}}}, {FOLLOWS: {to: {orders: previous}}}]\n",
                {"customers (id int8, version int8, tenant text)",
                 "orders (id int8, customer int8, previous int8, version int8, tenant text)"});
  ASSERT_FALSE(orders.error()) << orders.error()->describe();
  // Keys of several columns, and relationships with a key of their own.
  const std::string visits_mapping =
      "defaults: {key: id, version: version}\n"
      "tables:\n"
      "  people: {node: Person}\n"
      "  places: {node: Place, key: [country, city], relationships: [{TWIN_OF: {to: {places: [twin_country, twin_city]}}}]}\n"
      "  visits: {relationship: VISITED, from: {people: person}, to: {places: [country, city]}, key: id}\n"
      "  stays: {relationship: STAYED, from: {people: person}, to: {places: [country, city]}, key: id, version: null}\n";
  const std::vector<std::string> visits_tables = {
      "people (id int8, version int8)", "places (country text, city text, twin_country text, twin_city text)",
      "visits (id int8, person int8, country text, city text, version int8)",
      "stays (id int8, person int8, country text, city text)"};
  Source visits(visits_mapping, visits_tables);
  ASSERT_FALSE(visits.error()) << visits.error()->describe();
  // Several labels, one by value; flattened properties; both under a version.
  Source staff("defaults: {key: id, version: version}\n"
               "tables:\n"
               "  staff:\n"
               "    node: [Employee, Human]\n"
               "    labels: {column: kind, when: {a: Admin, g: Guest}}\n"
               "    properties: {meta: {column: meta, as: flatten}}\n"
               "    relationships: [{WORKS_UNDER: {to: {staff: chief}}}]\n"
               "  notes: {node: Note, properties: {meta: {column: meta, as: flatten}},\n"
               "          relationships: [{ABOUT: {to: {staff: about}, properties: {meta: {column: meta, as: flatten}}}}]}\n"
               "  peers: {relationship: PEERS, from: {staff: a}, to: {staff: b}, properties: {meta: {column: meta, as: flatten}}}\n"
               "  talks: {relationship: TALKED, from: {staff: a}, to: {staff: b}, key: id, properties: {meta: {column: meta, as: flatten}}}\n",
               {"staff (id int8, kind text, meta text, chief int8, version int8)", "notes (id int8, meta text, about int8)",
                "peers (a int8, b int8, meta text)", "talks (id int8, a int8, b int8, meta text, version int8)"});
  ASSERT_FALSE(staff.error()) << staff.error()->describe();
  // Rows that nothing makes follow the keys that they name: what differs.
  mapping::testing::FamilyStream staying_family(mapping::testing::kFamilyMapping, false, References::stay);
  Source staying_visits(visits_mapping, visits_tables, References::stay);
  // Further nodes of a row: of its own, one with the fields of an object, and such as rows share, of one tenant and of none.
  Source people("defaults: {key: id, version: version, tenant: tenant}\n"
                "tables:\n"
                "  people:\n"
                "    node: Person\n"
                "    nodes:\n"
                "      - LIVES_AT: {to: [Home, Spot], properties: [street]}\n"
                "      - TELLS: {from: Text, fields: about, properties: [street]}\n"
                "      - FROM: {to: Country, key: {name: country}}\n"
                "  towns: {node: Town, tenant: null, nodes: [{IN: {to: [Area, Spot], key: area}}, {OF: {to: Lot, key: lot}}]}\n",
                {"people (id int8, version int8, tenant text, street text, about text, country text)", "towns (id int8, area text, lot int8, version int8)"});
  ASSERT_FALSE(people.error()) << people.error()->describe();
  std::string actual;
  std::set<std::string> told;
  for (mapping::Model* model : {&family.model(), &orders.model(), &visits.model(), &staff.model(), &people.model(),
                                &staying_family.model(), &staying_visits.model()}) {
    const bool staying = model == &staying_family.model() || model == &staying_visits.model();
    for (const Text& text : all_texts(*model)) {
      const std::string lines = text.name + "\n    " + text.text + "\n";
      if (told.insert(lines).second || !staying) actual += lines;
    }
  }
  std::ifstream file(CNX_TEST_DATA "/cypher/family_texts.txt");
  std::stringstream expected;
  expected << file.rdbuf();
  EXPECT_EQ(actual, expected.str()) << "the texts of now are in " << ::testing::TempDir() << "family_texts.txt";
  if (actual != expected.str()) std::ofstream(::testing::TempDir() + "family_texts.txt") << actual;
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
  for (const Text& text : all_texts(source.model())) {
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
  for (const Text& text : all_texts(family.model())) {
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
  const NodeTexts items = node_texts(source.node("items"));
  EXPECT_EQ(items.guard, mapping::Guard::overwrite);
  for (const Text* text : {&items.usual().update, &items.usual().update_existing}) {
    EXPECT_THAT(text->text, HasSubstr("n.`version` > row.`version`"));
    EXPECT_THAT(text->text, HasSubstr("RETURN collect("));
  }
  EXPECT_THAT(items.insert.text, Not(HasSubstr("conflicts")));
  const NodeTexts plain = node_texts(source.node("plain"));
  EXPECT_EQ(plain.guard, mapping::Guard::none);
  EXPECT_THAT(plain.usual().update.text, Not(HasSubstr("CASE")));
  const RelationshipTexts pairs = relationship_texts(source.relationship("pairs"));
  EXPECT_EQ(pairs.guard, mapping::Guard::overwrite);
  EXPECT_THAT(pairs.usual().update.text, HasSubstr("r.`version` > row.p.`version`"));
}

TEST(Texts, a_strategy_says_what_an_update_writes_over_a_conflict) {
  Source source(
      "defaults: {key: id, version: version}\n"
      "tables:\n"
      "  keeps: {node: Keeps, conflict: graph_wins}\n"
      "  asks: {node: Asks, conflict: manual}\n"
      "  last: {node: Last, conflict: {strategy: last_write_wins, timestamp: at}}\n"
      "  seen: {node: Seen, version: null, conflict: {detect: changed}}\n",
      {"keeps (id int8, version int8)", "asks (id int8, version int8)", "last (id int8, at timestamptz, version int8)",
       "seen (id int8, title text)"});
  EXPECT_THAT(node_texts(source.node("keeps")).usual().update.text, HasSubstr("SET n += CASE WHEN met THEN {} ELSE row END"));
  EXPECT_THAT(node_texts(source.node("asks")).usual().update.text, HasSubstr("THEN 1/0 ELSE row END AS row SET n += row"));
  EXPECT_THAT(node_texts(source.node("last")).usual().update.text, HasSubstr("row.`at` < n.`at`"));
  EXPECT_THAT(node_texts(source.node("seen")).usual().update.text, HasSubstr("any(k IN keys(row.u)"));
  EXPECT_THAT(node_texts(source.node("seen")).insert.text, HasSubstr("SET n += row.p"));
}

TEST(Texts, relationships_by_foreign_keys_are_written_along_where_they_have_no_properties) {
  mapping::testing::FamilyStream family;
  const NodeTexts children = node_texts(family.children());
  EXPECT_EQ(children.linked, 1u);  // FOLLOWS; HAS_CHILD has properties.
  EXPECT_THAT(children.insert_linked.text, HasSubstr("FOLLOWS"));
  EXPECT_EQ(children.usual().update_linked.text, "");
  EXPECT_EQ(node_texts(family.parents()).linked, std::nullopt);
}

TEST(Texts, a_users_statement_is_sent_as_it_is) {
  const std::string own = "UNWIND $rows AS row MERGE (n:Item {id: row.id})";
  Source source("tables: {items: {node: Item, key: id, cypher: \"" + own + "\"}}",
                {"items (id int8)"});
  EXPECT_EQ(node_texts(source.node("items")).user.text, own);
}

TEST(Texts, a_relationship_without_properties_sets_none) {
  mapping::testing::FamilyStream family;
  const NodeTexts texts = node_texts(family.children());
  ASSERT_THAT(texts.foreign_keys, SizeIs(2));
  EXPECT_THAT(texts.foreign_keys[0].link.text, HasSubstr("SET r += row.p"));
  EXPECT_THAT(texts.foreign_keys[1].link.text, Not(HasSubstr("row.p")));
  EXPECT_EQ(texts.foreign_keys[1].link_existing.text, "");
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
