#include "mapping/model.hpp"

#include <gmock/gmock.h>

#include "mapping/testing/source.hpp"

namespace cnx::mapping {
namespace {

using ::testing::HasSubstr;
using testing::Source;

std::string fault_of(const Source& source) {
  return source.error() ? source.error()->describe() : "none";
}

constexpr const char* kShop = R"(
defaults: {key: id, version: version, tenant: tenant_id}
tables:
  customers: {node: Customer}
  orders:
    node: Order
    relationships: [{PLACED: {from: {customers: customer_id}}}]
  likes:
    relationship: LIKES
    from: {customers: liking}
    to: {customers: liked}
)";
const std::vector<std::string> kShopTables = {"customers (id int8, version int8, tenant_id uuid)",
                                              "orders (id uuid, customer_id int8)",
                                              "likes (liking int8, liked int8, version int8)"};

TEST(Model, holds_each_table_against_the_catalog) {
  Source shop(kShop, kShopTables);
  ASSERT_FALSE(shop.error());
  const NodeTable& customers = shop.node("customers");
  EXPECT_EQ(customers.key_property, "id");
  EXPECT_TRUE(customers.integer_key);
  EXPECT_EQ(customers.version_property, "version");
  EXPECT_EQ(customers.tenant_column, "tenant_id");
  EXPECT_EQ(customers.tenant_property, "tenantId");
  const NodeTable& orders = shop.node("orders");
  EXPECT_FALSE(orders.integer_key);
  ASSERT_EQ(orders.foreign_keys.size(), 1u);
  EXPECT_EQ(orders.foreign_keys[0].other, &customers);
  const RelationshipTable& likes = shop.relationship("likes");
  EXPECT_EQ(likes.start, &customers);
  EXPECT_EQ(likes.end, &customers);
  EXPECT_EQ(likes.version_property, "version");
  EXPECT_EQ(shop.model().find_node({"public", "likes"}), nullptr);
  EXPECT_EQ(shop.model().find_node({"other", "orders"}), nullptr);
}

TEST(Model, passes_over_columns_that_only_the_defaults_name) {
  Source shop(kShop, kShopTables);
  EXPECT_EQ(shop.node("orders").version_property, "");
  EXPECT_EQ(shop.node("orders").tenant_column, "");
  EXPECT_EQ(shop.node("orders").tenant_property, "");
  EXPECT_EQ(shop.relationship("likes").tenant_column, "");
}

TEST(Model, a_version_stands_under_the_name_that_the_mapping_gives_it) {
  Source shop(R"(
tables:
  customers: {node: Customer, key: id, version: row_version, properties: {revision: row_version}}
  likes:
    relationship: LIKES
    from: {customers: liking}
    to: {customers: liked}
    version: row_version
    properties: {revision: row_version}
)",
              {"customers (id int8, row_version int8)",
               "likes (liking int8, liked int8, row_version int8)"});
  ASSERT_FALSE(shop.error()) << fault_of(shop);
  EXPECT_EQ(shop.node("customers").version_property, "revision");
  EXPECT_EQ(shop.relationship("likes").version_property, "revision");
}

TEST(Model, a_key_stands_under_the_name_that_the_mapping_gives_it) {
  Source shop("tables: {customers: {node: Customer, key: no, properties: {number: no}}}",
              {"customers (no varchar)"});
  ASSERT_FALSE(shop.error());
  EXPECT_EQ(shop.node("customers").key_property, "number");
  EXPECT_FALSE(shop.node("customers").integer_key);
}

struct Refused {
  const char* mapping;
  std::vector<std::string> tables;
  const char* word;
};

class ModelRefuses : public ::testing::TestWithParam<Refused> {};

TEST_P(ModelRefuses, what_does_not_fit_the_catalog) {
  Source shop(GetParam().mapping, GetParam().tables);
  ASSERT_TRUE(shop.error());
  EXPECT_THAT(fault_of(shop), HasSubstr(GetParam().word));
}

constexpr const char* kItems = "tables: {items: {node: Item, key: id}}";
INSTANTIATE_TEST_SUITE_P(
    Mapping, ModelRefuses,
    ::testing::Values(
        Refused{kItems, {"others (id int8)"}, "table that the database does not have"},
        Refused{kItems, {"items (no int8)"}, "column=id"},
        Refused{"tables: {items: {node: Item, key: id, exclude: [secret]}}",
                {"items (id int8)"},
                "column=secret"},
        // Known from the catalog alone.
        Refused{kItems, {"items (id int8, created_at date, createdAt date)"}, "two columns"},
        Refused{"naming: as_is\ntables: {items: {node: Item, key: id}}",
                {"items (id int8, _cnx_stub bool)"},
                "property=_cnx_stub"},
        Refused{"naming: as_is\ntables: {items: {node: Item, key: id}}",
                {"items (id int8, seen__pg text)"},
                "property=seen__pg"},
        Refused{"tables: {items: {node: Item, key: id, properties: {url: {template: \"/{id}\"}}}}",
                {"items (id int8, url text)"},
                "a template"},
        Refused{"defaults: {key: id, version: rev}\ntables:\n"
                "  items: {node: Item}\n"
                "  pairs: {relationship: PAIR, from: {items: a}, to: {items: b}, key: [a, b], "
                "properties: {rev: other}}",
                {"items (id int8)", "pairs (a int8, b int8, rev int8, other int8)"},
                "keeps it out of the graph"}));

TEST(Model, a_key_is_a_columns_own_property_or_one_text_for_all_its_columns) {
  Source shop("tables:\n"
              "  items: {node: Item, key: id}\n"
              "  amounts: {node: Amount, key: n}\n"
              "  places: {node: Place, key: [country, city], exclude: [city]}\n"
              "  visits: {relationship: VISITED, from: {items: item}, to: {places: [country, city]}, key: id}\n",
              {"items (id int8)", "amounts (n numeric)", "places (country text, city text)",
               "visits (id int8, item int8, country text, city text)"});
  ASSERT_FALSE(shop.error()) << shop.error()->describe();
  EXPECT_EQ(shop.node("items").key_property, "id");
  EXPECT_EQ(shop.node("amounts").key_property, "_cnx_key");
  EXPECT_EQ(shop.node("places").key_property, "_cnx_key");
  EXPECT_FALSE(shop.model().relationships()[0].key_is_pair);
}

TEST(Model, a_key_that_is_checked_only_at_commit_is_refused) {
  auto mapping =
      load("version: 1\nname: test\ntables: {items: {node: Item, key: id}}", "test.yaml");
  ASSERT_TRUE(mapping);
  postgres::Table table = testing::table_of("items (id int8)");
  table.keys = {{.name = "items_pkey", .columns = {"id"}, .primary = true, .immediate = false}};
  auto made = Model::make(*mapping, {table});
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().kind(), ErrorKind::unsupported);
  table.keys.push_back({.name = "items_id", .columns = {"id"}});
  EXPECT_TRUE(Model::make(*mapping, {table}));
}

TEST(Model, an_excluded_column_collides_with_nothing) {
  Source shop("tables: {items: {node: Item, key: id, exclude: [createdAt]}}",
              {"items (id int8, created_at date, createdAt date)"});
  EXPECT_FALSE(shop.error()) << fault_of(shop);
}

TEST(PropertyNames, one_name_is_interned_once_and_stays_where_it_is) {
  PropertyNames names;
  const PropertyName* seen = names.intern("seen", true);
  for (int i = 0; i < 100; ++i) names.intern("other" + std::to_string(i), false);
  EXPECT_EQ(names.intern("seen", true), seen);
  EXPECT_EQ(seen->companion, "seen__pg");
  // A column whose type has changed: two mutations may speak of either.
  EXPECT_NE(names.intern("seen", false), seen);
  EXPECT_EQ(names.all().size(), 102u);
}

}  // namespace
}  // namespace cnx::mapping
