#include "mapping/reference.hpp"

#include <gmock/gmock.h>

#include "mapping/testing/source.hpp"

namespace cnx::mapping {
namespace {

using testing::References;
using testing::Source;

// "children (tenant, project)" with a foreign key to "projects (tenant, id)".
postgres::Table children() {
  postgres::Table table = testing::table_of("children (id int8, tenant int8, project int8)");
  for (postgres::TableColumn& column : table.columns) column.not_null = column.name != "project";
  table.foreign_keys.push_back({.columns = {"tenant", "project"},
                                .referenced_table = {"public", "projects"},
                                .referenced_columns = {"tenant", "id"},
                                .update_cascades = true});
  return table;
}

bool follows_project(const postgres::Table& table) { return follows(table, {"project"}, {"public", "projects"}, {"id"}); }

TEST(Follows, a_cascading_foreign_key_of_more_columns_than_the_mapping_names) {
  EXPECT_TRUE(follows_project(children()));
  EXPECT_TRUE(follows(children(), {"project", "tenant"}, {"public", "projects"}, {"id", "tenant"}));
}

TEST(Follows, not_where_another_of_its_columns_may_be_null) {
  postgres::Table table = children();
  table.columns[1].not_null = false;
  EXPECT_FALSE(follows_project(table));
  // Where the mapping names it, a NULL makes no relationship either.
  EXPECT_TRUE(follows(table, {"project", "tenant"}, {"public", "projects"}, {"id", "tenant"}));
}

TEST(Follows, not_without_a_cascade_nor_where_older_rows_are_not_held_to_it) {
  postgres::Table restricting = children();
  restricting.foreign_keys[0].update_cascades = false;
  EXPECT_FALSE(follows_project(restricting));
  postgres::Table not_valid = children();
  not_valid.foreign_keys[0].validated = false;
  EXPECT_FALSE(follows_project(not_valid));
  postgres::Table none = children();
  none.foreign_keys.clear();
  EXPECT_FALSE(follows_project(none));
}

TEST(Follows, only_from_these_columns_to_those) {
  EXPECT_FALSE(follows(children(), {"project"}, {"public", "projects"}, {"tenant"}));
  EXPECT_FALSE(follows(children(), {"id"}, {"public", "projects"}, {"id"}));
  EXPECT_FALSE(follows(children(), {"project"}, {"other", "projects"}, {"id"}));
  EXPECT_FALSE(follows(children(), {"tenant", "project"}, {"public", "projects"}, {"id", "tenant"}));
}

constexpr const char* kShop = R"(
defaults: {key: id}
tables:
  customers: {node: Customer}
  orders: {node: Order, relationships: [{PLACED: {from: {customers: customer}}}, {FOLLOWS: {to: {orders: previous}}}]}
  likes: {relationship: LIKES, from: {customers: liking}, to: {customers: liked}}
)";
const std::vector<std::string> kTables = {"customers (id int8)", "orders (id int8, customer int8, previous int8)",
                                          "likes (liking int8, liked int8)"};

TEST(Staying, is_what_no_foreign_key_moves_in_the_order_of_the_tables) {
  Source shop(kShop, kTables, References::stay);
  ASSERT_FALSE(shop.error()) << shop.error()->describe();
  const NodeTable& customers = shop.node("customers");
  ASSERT_EQ(customers.staying.size(), 3u);
  EXPECT_EQ(customers.staying[0].child, &shop.node("orders"));
  EXPECT_EQ(customers.staying[0].foreign_key, 0u);
  EXPECT_EQ(customers.staying[1].relationship, &shop.relationship("likes"));
  EXPECT_TRUE(customers.staying[1].at_start);
  EXPECT_FALSE(customers.staying[2].at_start);
  ASSERT_EQ(shop.node("orders").staying.size(), 1u);
  EXPECT_EQ(shop.node("orders").staying[0].foreign_key, 1u);
}

// The graph does not tell the children of one table from those of another of their label.
TEST(Staying, is_what_makes_the_same_relationships_as_one_that_stays) {
  postgres::Table following = testing::table_of("cats (id int8, owner int8)");
  following.foreign_keys.push_back({.columns = {"owner"},
                                    .referenced_table = {"public", "people"},
                                    .referenced_columns = {"id"},
                                    .update_cascades = true});
  auto loaded = load("version: 1\nname: pets\ndefaults: {key: id}\ntables:\n"
                     "  people: {node: Person}\n"
                     "  cats: {node: Pet, relationships: [{OWNS: {from: {people: owner}}}]}\n"
                     "  dogs: {node: Pet, relationships: [{OWNS: {from: {people: owner}}}]}\n",
                     "pets.yaml");
  ASSERT_TRUE(loaded) << format(loaded.error());
  auto model = Model::make(*loaded, {testing::table_of("people (id int8)"), following, testing::table_of("dogs (id int8, owner int8)")});
  ASSERT_TRUE(model) << model.error().describe();
  EXPECT_FALSE((*model)->find_node({"public", "cats"})->foreign_keys[0].follows);
  EXPECT_EQ((*model)->find_node({"public", "people"})->staying.size(), 2u);
}

TEST(Staying, is_nothing_where_foreign_keys_cascade) {
  Source shop(kShop, kTables);
  ASSERT_FALSE(shop.error()) << shop.error()->describe();
  EXPECT_TRUE(shop.node("customers").staying.empty());
  EXPECT_TRUE(shop.node("orders").staying.empty());
  EXPECT_TRUE(shop.relationship("likes").start_follows);
  EXPECT_TRUE(shop.relationship("likes").end_follows);
}

}  // namespace
}  // namespace cnx::mapping
