// The mapping language: what each word means in rules. Its faults: load_fault_test.cpp; the
// built-in file: builtin_test.cpp.
#include "mapping/load.hpp"

#include <gmock/gmock.h>

#include <fstream>
#include <sstream>

#include "mapping/fingerprint.hpp"

namespace cnx::mapping {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;

std::string read(const std::string& name) {
  std::ifstream file(std::string(CNX_TEST_DATA) + "/mapping/" + name, std::ios::binary);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

Mapping load_text(const std::string& text) {
  auto mapping = load(text, "test.yaml");
  EXPECT_TRUE(mapping) << format(mapping.error());
  return mapping ? *std::move(mapping) : Mapping();
}

const NodeRule& node(const Mapping& mapping, const TableName& table) {
  return std::get<NodeRule>(mapping.find(table)->form);
}
const RelationshipRule& relationship(const Mapping& mapping, const TableName& table) {
  return std::get<RelationshipRule>(mapping.find(table)->form);
}

constexpr const char* kHead = "version: 1\nname: t\ntables:\n";

class EveryForm : public ::testing::Test {
 protected:
  void SetUp() override {
    mapping_ = load_text(read("every_form.yaml"));
    ASSERT_EQ(mapping_.tables.size(), 7u);
  }
  Mapping mapping_;
};

TEST_F(EveryForm, head_and_tables_without_a_form) {
  EXPECT_EQ(mapping_.name, "every form");
  EXPECT_EQ(mapping_.naming, Naming::as_is);
  EXPECT_EQ(mapping_.tenant_property, "owner");
  EXPECT_THAT(mapping_.unmapped,
              ElementsAre(TableName{"archive", "log"}, TableName{"shop", "log"}));
}

TEST_F(EveryForm, include_takes_only_what_it_lists_and_what_the_graph_needs) {
  const PropertyRules& rules = node(mapping_, {"shop", "customers"}).properties;
  EXPECT_FALSE(rules.all);
  EXPECT_THAT(rules.included, ElementsAre("id", "internal_note", "owner_id", "revision"));
  EXPECT_THAT(rules.renamed, ElementsAre(Pair("born", "birth_date"), Pair("fullName", "name"),
                                         Pair("owner", "owner_id")));
  EXPECT_THAT(properties_of(rules, mapping_.naming, "name"), ElementsAre("fullName"))
      << "a renamed column loses its own name, though it is listed";
  EXPECT_THAT(properties_of(rules, mapping_.naming, "internal_note"), ElementsAre("internal_note"))
      << "the table's own word outweighs the defaults";
}

TEST_F(EveryForm, foreign_keys_lead_both_ways_and_carry_properties) {
  const auto& links = node(mapping_, {"shop", "customers"}).relationships;
  ASSERT_EQ(links.size(), 2u);
  EXPECT_EQ(links[0].type, "LIVES_IN");
  EXPECT_FALSE(links[0].incoming);
  EXPECT_EQ(links[0].other, (TableName{"shop", "places"}));
  EXPECT_THAT(links[0].columns, ElementsAre("country", "city"));
  EXPECT_THAT(links[0].properties.columns, ElementsAre(Pair("since", "since"), Pair("until", "moved_out")));
  EXPECT_EQ(links[1].type, "REFERRED");
  EXPECT_TRUE(links[1].incoming);
  EXPECT_EQ(links[1].other, (TableName{"shop", "customers"}));
  EXPECT_THAT(links[1].properties.columns, ElementsAre(Pair("at", "referred_at")));
}

TEST_F(EveryForm, null_means_no_version_and_no_tenant) {
  const TableRule& places = *mapping_.find({"shop", "places"});
  EXPECT_EQ(places.version_column, "");
  EXPECT_EQ(places.tenant_column, "");
  EXPECT_THAT(node(mapping_, {"shop", "places"}).key, ElementsAre("country", "city"));
  EXPECT_THAT(node(mapping_, {"shop", "places"}).properties.renamed, IsEmpty());
}

TEST_F(EveryForm, a_column_may_stand_under_its_own_name_and_another) {
  const NodeRule& orders = node(mapping_, {"shop", "orders"});
  EXPECT_THAT(properties_of(orders.properties, mapping_.naming, "id"), ElementsAre("id", "number"));
  EXPECT_EQ(mapping_.find({"shop", "orders"})->version_column, "changes");
}

TEST_F(EveryForm, templates_and_choices) {
  const auto& computed = node(mapping_, {"shop", "orders"}).properties.computed;
  using Part = Template::Part;
  ASSERT_EQ(computed.size(), 2u);
  EXPECT_EQ(computed[0].property, "address");
  EXPECT_EQ(computed[0].otherwise,
            (Template{{Part{true, "street"}, Part{false, " {"}, Part{true, "zip"},
                       Part{false, "} "}, Part{true, "town"}}}));
  EXPECT_EQ(computed[1].choice_column, "kind");
  ASSERT_EQ(computed[1].choices.size(), 2u);
  EXPECT_EQ(computed[1].choices[1],
            std::pair(std::string("shop"), Template{{Part{false, "shop"}}}));
  EXPECT_EQ(computed[1].otherwise, (Template{{Part{false, "none:"}, Part{true, "kind"}}}));
}

TEST_F(EveryForm, a_statement_of_the_users_own_is_kept_as_written) {
  EXPECT_EQ(mapping_.find({"shop", "orders"})->cypher,
            "UNWIND $rows AS row\nMERGE (o:Order {id: row.id}) SET o += row\n");
}

TEST_F(EveryForm, a_relationship_has_its_own_key_or_its_ends) {
  const RelationshipRule& purchases = relationship(mapping_, {"shop", "purchases"});
  EXPECT_THAT(purchases.key, ElementsAre("line_id"));
  EXPECT_THAT(purchases.properties.columns,
              ElementsAre(Pair("amount", "amount"), Pair("price", "unit_price"),
                          Pair("revision", "revision"), Pair("weights", "weights")))
      << "the guard needs the version in the graph";
  const RelationshipRule& visits = relationship(mapping_, {"shop", "visits"});
  EXPECT_THAT(visits.key, ElementsAre("customer", "country", "city"));
  EXPECT_THAT(visits.properties.columns, IsEmpty());
  EXPECT_EQ(mapping_.find({"shop", "visits"})->tenant_column, "owner");
}

TEST_F(EveryForm, a_table_of_another_schema_has_a_name_of_its_own_in_the_file) {
  EXPECT_EQ(node(mapping_, {"archive", "customers"}).label, "Customer");
}

TEST_F(EveryForm, rules_know_their_lines_and_the_columns_that_must_exist) {
  const TableRule& customers = *mapping_.find({"shop", "customers"});
  EXPECT_EQ(customers.line, 13);
  EXPECT_THAT(customers.named,
              ElementsAre("birth_date", "city", "country", "id", "internal_note", "moved_out",
                          "name", "referred_at", "referred_by", "since"))
      << "a version or tenant that only the defaults name is passed over where it is missing";
}

TEST(Language, a_name_that_looks_like_a_number_or_null_is_a_name_where_it_is_quoted) {
  Mapping mapping = load_text(std::string(kHead) +
                              "  \"null\": {node: N, key: \"null\"}\n  7: {node: S, key: 1}\n");
  EXPECT_THAT(node(mapping, {"public", "null"}).key, ElementsAre("null"));
  EXPECT_THAT(node(mapping, {"public", "7"}).key, ElementsAre("1"));
}

TEST(Language, a_dot_in_a_table_name_is_part_of_it_where_the_schema_is_said) {
  Mapping mapping = load_text(std::string(kHead) + "  a.b: {node: N, key: id, schema: public}\n");
  EXPECT_NE(mapping.find({"public", "a.b"}), nullptr);
}

TEST(Language, anchors_and_other_layouts_mean_the_same) {
  Mapping plain =
      load_text(std::string(kHead) + "  a: {node: A, key: id}\n  b: {node: B, key: id}\n");
  Mapping anchored = load_text(std::string(kHead) +
                               "  a: {node: A, key: &k id}\n  b:\n    node: B\n    key: [*k]\n");
  EXPECT_EQ(plain.fingerprint, anchored.fingerprint);
}

TEST(Language, is_described_by_an_example_that_loads) {
  std::string page = read("../../../mappings/README.md");
  size_t begin = page.find("```yaml\n");
  size_t end = page.find("```\n", begin + 1);
  ASSERT_NE(end, std::string::npos);
  EXPECT_EQ(load_text(page.substr(begin + 8, end - begin - 8)).tables.size(), 3u);
}

TEST(TheFingerprint, is_the_hash_of_the_canonical_text) {
  Mapping mapping = load_text(std::string(kHead) + "  a: {node: A, key: id}\n");
  EXPECT_EQ(canonical_text(mapping),
            "contextnexus mapping 1\n"
            "9:camelCase8:tenantId1[67:6:public1:a36:4:node1:A1[2:id]3:all0[]0[]0{}0[]0[]0:0:9:"
            "generated0:]\n");
  EXPECT_EQ(mapping.fingerprint, fingerprint(mapping));
  EXPECT_EQ(mapping.fingerprint.size(), 64u);
  EXPECT_EQ(mapping.fingerprint.find_first_not_of("0123456789abcdef"), std::string::npos);
}

TEST(TheFingerprint, does_not_depend_on_layout_comments_order_or_name) {
  const std::string one =
      "version: 1\nname: one\ntables:\n"
      "  a: {node: A, key: id, exclude: [x, y], properties: {p: q, r: {template: \"{s}\"}}}\n"
      "  b: {node: B, key: id, relationships: [{T: {from: {a: u}}}, {V: {to: {a: w}}}]}\n"
      "  c: none\n";
  const std::string other =
      "# A comment.\nname: other\nversion: 1\ntables:\n"
      "  b:\n    key: [id]   # the key\n    relationships:\n"
      "      - V:\n          to: {a: [w]}\n      - T: {from: {a: u}}\n    node: B\n"
      "  a:\n    properties:\n      r: {template: '{s}'}\n      p: q\n"
      "    exclude:\n      - y\n      - x\n    node: A\n    key: id\n";
  EXPECT_EQ(load_text(one).fingerprint, load_text(other).fingerprint);
}

TEST(TheFingerprint, changes_with_every_rule) {
  const std::string base = read("every_form.yaml");
  std::set<std::string> seen = {load_text(base).fingerprint};
  for (auto [from, to] : std::initializer_list<std::pair<std::string, std::string>>{
           {"naming: as_is", "naming: camelCase"},
           {"tenant_property: owner", "tenant_property: owners"},
           {"schema: shop", "schema: shops"},
           {"node: Order", "node: Orders"},
           {"version: changes", "version: change"},
           {"tenant: owner\n", "tenant: owners\n"},
           {"key: line_id", "key: line"},
           {"birth_date", "birthdate"},
           {"born:", "birth:"},
           {"include: [name, ", "include: [names, name, "},
           {"exclude: [country, city]", "exclude: [country]"},
           {"exclude: internal_note", "exclude: internal_notes"},
           {"to: {places", "from: {places"},
           {"https://", "http://"},
           {"choose: kind", "choose: kinds"},
           {"shop: \"shop\"", "shopp: \"shop\""},
           {"none:{kind}", "none"},
           {"SET o += row", "SET o = row"},
           {"price: unit_price", "prices: unit_price"},
           {"until: moved_out", "until: moved"},
           {"VISITED", "VISITS"},
           {"{customers: customer}", "{customers: client}"},
           {"{orders: order_id}", "{orders: order}"},
       }) {
    std::string changed = base;
    size_t at = changed.find(from);
    ASSERT_NE(at, std::string::npos) << from;
    changed.replace(at, from.size(), to);
    EXPECT_TRUE(seen.insert(load_text(changed).fingerprint).second) << from << " → " << to;
  }
}

}  // namespace
}  // namespace cnx::mapping
