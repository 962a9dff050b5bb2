// What becomes of a catalog, rule by rule; the text is shown, since that is what a person keeps.
#include "mapping/infer.hpp"

#include <gmock/gmock.h>

#include "mapping/load.hpp"
#include "mapping/mapping_text.hpp"
#include "mapping/testing/catalog_lines.hpp"

namespace cnx::mapping {
namespace {

using ::testing::AllOf;
using testing::CatalogLines;
using ::testing::HasSubstr;
using ::testing::Not;

// The text of the mapping, which has to load.
std::string text_of(CatalogLines& catalog) {
  std::sort(catalog.list().tables.begin(), catalog.list().tables.end(),
            [](const auto& a, const auto& b) { return a.table.name < b.table.name; });
  std::string text = mapping_text(infer(catalog.list()));
  auto loaded = load(text, "shop.yaml");
  EXPECT_TRUE(loaded) << format(loaded.error()) << text;
  return text.substr(text.find("\nversion: 1") + 1);
}

postgres::TableName in_public(const std::string& name) {
  return {"public", name};
}

// A table with the primary key `id`.
postgres::DescribedTable& entity(CatalogLines& catalog, const std::string& name,
                                 std::vector<std::string> columns = {}) {
  columns.insert(columns.begin(), "id");
  auto& table = catalog.table(name, columns);
  CatalogLines::key(table, {"id"});
  return table;
}

TEST(Infer, writes_nodes_and_their_foreign_keys) {
  CatalogLines catalog;
  entity(catalog, "customers");
  auto& orders = entity(catalog, "orders", {"customer_id", "approved_by", "parent_id"});
  entity(catalog, "people");
  CatalogLines::refer(orders, {"customer_id"}, in_public("customers"), {"id"});
  CatalogLines::refer(orders, {"approved_by"}, in_public("people"), {"id"});
  CatalogLines::refer(orders, {"parent_id"}, in_public("orders"), {"id"});
  EXPECT_EQ(text_of(catalog), R"(version: 1
name: shop
schema: public
naming: camelCase

# Of every table that does not say its own.
defaults:
  key: id

tables:
  customers:
    node: Customer

  orders:
    node: Order
    relationships:
      - HAS_CUSTOMER: {to: {customers: customer_id}}
      - APPROVED_BY: {to: {people: approved_by}}
      - HAS_PARENT: {to: {orders: parent_id}}

  people:
    node: Person
)");
}

TEST(Infer, a_table_between_two_is_a_relationship_in_the_direction_of_its_name) {
  CatalogLines catalog;
  entity(catalog, "actors");
  entity(catalog, "films");
  auto& cast = catalog.table("film_actors", {"actor_id", "film_id", "role:text", "password:text"});
  CatalogLines::key(cast, {"actor_id", "film_id"});
  CatalogLines::refer(cast, {"actor_id"}, in_public("actors"), {"id"});
  CatalogLines::refer(cast, {"film_id"}, in_public("films"), {"id"});
  EXPECT_THAT(text_of(catalog), HasSubstr(R"(  film_actors:
    relationship: HAS_ACTOR
    from: {films: film_id}
    to: {actors: actor_id}
    properties: [role]
    # Not among its properties: password (looks like a secret).
)"));
}

TEST(Infer, a_table_between_two_that_others_refer_to_is_a_node) {
  CatalogLines catalog;
  entity(catalog, "orders");
  entity(catalog, "products");
  auto& lines = catalog.table("order_lines", {"order_id", "product_id"});
  CatalogLines::key(lines, {"order_id", "product_id"});
  CatalogLines::refer(lines, {"order_id"}, in_public("orders"), {"id"});
  CatalogLines::refer(lines, {"product_id"}, in_public("products"), {"id"});
  auto& returns = entity(catalog, "returns", {"product_id", "order_id"});
  CatalogLines::refer(returns, {"product_id", "order_id"}, in_public("order_lines"),
                      {"product_id", "order_id"});
  EXPECT_THAT(text_of(catalog),
              AllOf(HasSubstr("    node: OrderLine\n    key: [order_id, product_id]\n"),
                    // The columns in the order of the other's key.
                    HasSubstr("- HAS_ORDER_LINE: {to: {order_lines: [order_id, product_id]}}")));
}

TEST(Infer, tables_without_a_key_are_named_with_the_reason_and_the_cure) {
  CatalogLines catalog;
  catalog.table("a_log", {"line:text"});
  catalog.table("b_log", {"line:text"});
  auto& late = catalog.table("late", {"id"});
  CatalogLines::key(late, {"id"}).immediate = false;
  auto& sessions = catalog.table("sessions", {"token:text"});
  CatalogLines::key(sessions, {"token"});
  auto& cache = entity(catalog, "cache");
  cache.table.persistent = false;
  auto& unique = catalog.table("unique", {"code:text"});
  CatalogLines::key(unique, {"code"}, false);
  EXPECT_THAT(
      text_of(catalog),
      AllOf(HasSubstr("  # Not in the graph: it has no primary key"),
            HasSubstr("  a_log: none\n  b_log: none\n\n"), HasSubstr("  cache: none\n"),
            HasSubstr("unlogged"), HasSubstr("  late: none\n"), HasSubstr("DEFERRABLE"),
            HasSubstr("(token) looks like a secret"),
            HasSubstr("ALTER TABLE public.unique REPLICA IDENTITY USING INDEX unique_key0")));
}

TEST(Infer, a_unique_key_that_the_log_tells_is_taken_for_a_missing_primary_key) {
  CatalogLines catalog;
  auto& countries = catalog.table("countries", {"name:text", "code:text", "note:text"});
  CatalogLines::key(countries, {"name", "code"}, false);
  auto& index = CatalogLines::key(countries, {"code"}, false);
  index.replica_identity = true;
  countries.table.replica_identity = change::ReplicaIdentity::index;
  EXPECT_THAT(
      text_of(catalog),
      HasSubstr("there is no primary key.\n  countries:\n    node: Country\n    key: code\n"));
}

TEST(Infer, foreign_keys_that_find_no_node_say_why) {
  CatalogLines catalog;
  auto& customers = entity(catalog, "customers", {"email:text"});
  CatalogLines::key(customers, {"email"}, false);
  catalog.table("log", {"line:text"});
  auto& orders = entity(catalog, "orders", {"email:text", "line:text"});
  CatalogLines::refer(orders, {"email"}, in_public("customers"), {"email"});
  CatalogLines::refer(orders, {"line"}, in_public("log"), {"line"});
  EXPECT_THAT(text_of(catalog),
              AllOf(HasSubstr("    # No relationship for orders_fkey0: it refers to "
                              "public.customers (email), and a node is found by its key (id).\n"),
                    HasSubstr("    # No relationship for orders_fkey1: public.log has no node.\n"),
                    Not(HasSubstr("relationships:"))));
}

TEST(Infer, columns_that_the_graph_should_not_have_are_excluded) {
  CatalogLines catalog;
  auto& users = entity(catalog, "users",
                       {"password:text", "hash:text", "search:tsvector", "age", "created_at:date",
                        "createdAt:date", "_cnx_:text"});
  users.table.columns[4].generated = true;
  EXPECT_THAT(text_of(catalog), HasSubstr(R"(    exclude:
      - password                        # Looks like a secret.
      - hash                            # Looks like a secret.
      - search                          # A tsvector, which serves PostgreSQL's own search.
      - age                             # Generated, and the log does not carry it.
    properties:
      created_at: created_at            # In camelCase it would be another column's name, or the engine's.
      cnx_: _cnx_                       # In camelCase it would be another column's name, or the engine's.
)"));
}

TEST(Infer, types_between_two_tables_stay_apart) {
  CatalogLines catalog;
  entity(catalog, "people");
  auto& orders = entity(catalog, "orders", {"person_id", "person_no", "personId"});
  for (const char* column : {"person_id", "person_no", "personId"})
    CatalogLines::refer(orders, {column}, in_public("people"), {"id"});
  EXPECT_THAT(text_of(catalog), HasSubstr(R"(      - HAS_PERSON: {to: {people: person_id}}
      - HAS_PERSON_NO: {to: {people: person_no}}
      - HAS_PERSON_ID: {to: {people: personId}}
)"));
}

TEST(Infer, keys_that_share_a_tenant_are_told_apart_by_their_own_column) {
  CatalogLines catalog;
  auto& users = catalog.table("users", {"tenant_id", "id"});
  CatalogLines::key(users, {"tenant_id", "id"});
  auto& notes = catalog.table("notes", {"tenant_id", "id", "author_id", "editor_id"});
  CatalogLines::key(notes, {"tenant_id", "id"});
  CatalogLines::refer(notes, {"tenant_id", "author_id"}, in_public("users"), {"tenant_id", "id"});
  CatalogLines::refer(notes, {"tenant_id", "editor_id"}, in_public("users"), {"tenant_id", "id"});
  EXPECT_THAT(text_of(catalog),
              AllOf(HasSubstr("- HAS_AUTHOR: {to: {users: [tenant_id, author_id]}}"),
                    HasSubstr("- HAS_EDITOR: {to: {users: [tenant_id, editor_id]}}")));
}

TEST(Infer, tables_of_two_schemas_that_are_called_alike_have_two_labels) {
  CatalogLines catalog;
  auto& sold = entity(catalog, "orders");
  auto& bought = catalog.table("orders", {"id", "counterpart_id"}, "purchasing");
  CatalogLines::key(bought, {"id"});
  CatalogLines::refer(bought, {"counterpart_id"}, sold.table.name, {"id"});
  EXPECT_THAT(text_of(catalog),
              AllOf(HasSubstr("  orders:\n    node: Order\n"), HasSubstr(R"(  purchasing_orders:
    schema: purchasing
    table: orders
    node: PurchasingOrder
    key: id
    relationships:
      - HAS_COUNTERPART: {to: {orders: counterpart_id}}
)")));
}

TEST(Infer, names_that_yaml_would_misread_are_quoted_and_dots_are_no_schemas) {
  CatalogLines catalog;
  auto& odd = catalog.table("a.b", {"no:text", "y"});
  CatalogLines::key(odd, {"y"});
  auto& null = catalog.table("null", {"id", "on"});
  CatalogLines::key(null, {"id"});
  CatalogLines::refer(null, {"on"}, in_public("a.b"), {"y"});
  catalog.table("c.d", {"x:text"});
  EXPECT_THAT(
      text_of(catalog),
      AllOf(HasSubstr("  \"a.b\":\n    schema: public\n    node: \"a.b\"\n    key: \"y\"\n"),
            HasSubstr("  \"null\":\n    node: \"Null\"\n    key: id\n    relationships:\n      - "
                      "HAS_ON: {to: {\"a.b\": \"on\"}}\n"),
            HasSubstr("  \"c.d\":\n    schema: public\n    graph: none\n")));
}

TEST(Infer, what_people_wrote_in_the_database_stands_at_its_table) {
  CatalogLines catalog;
  auto& users = entity(catalog, "users", {"mail:text"});
  users.comment = "Who may sign in.\nnode: Evil";
  users.column_comments["mail"] = "Checked at sign-up: \"yes\"";
  users.parents.push_back(in_public("people"));
  users.table.may_select = false;
  EXPECT_THAT(text_of(catalog), HasSubstr(R"(tables:
  # Who may sign in.
  # mail: Checked at sign-up: "yes"
  # Inherits from public.people; its rows are its own here, and no part of that table's.
  # The role that looked may not SELECT it; the one that runs the pipeline has to.
  users:
)"));
}

TEST(Infer, partitions_are_counted_and_lend_their_foreign_keys) {
  CatalogLines catalog;
  entity(catalog, "customers");
  auto& root = catalog.table("payments", {"id", "customer_id"});
  CatalogLines::key(root, {"id"});
  root.table.kind = postgres::TableKind::partitioned;
  for (int i = 1; i <= 3; ++i) {
    auto& part = catalog.table("payments_" + std::to_string(i), {"id", "customer_id"});
    part.table.partition_root = root.table.oid;
    if (i < 3) CatalogLines::refer(part, {"customer_id"}, in_public("customers"), {"id"});
  }
  EXPECT_THAT(
      text_of(catalog),
      AllOf(HasSubstr("  # Partitioned: 3 partitions, whose rows are this table's.\n  payments:\n"),
            HasSubstr("- HAS_CUSTOMER: {to: {customers: customer_id}}"),
            Not(HasSubstr("payments_1"))));
}

TEST(Infer, views_and_their_like_are_named_in_a_comment) {
  CatalogLines catalog;
  entity(catalog, "users");
  catalog.table("user_list", {"id"}).table.kind = postgres::TableKind::view;
  catalog.table("u\nv", {"id"}).table.kind = postgres::TableKind::foreign;
  EXPECT_THAT(text_of(catalog), HasSubstr(R"(
# Not mapped:
#   u          a foreign table: its rows are in another database
#   user_list  a view: map the tables that it reads
)"));
}

}  // namespace
}  // namespace cnx::mapping
