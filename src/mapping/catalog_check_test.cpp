// What a live catalog can have against a mapping: all of it at once.
#include "mapping/catalog_check.hpp"

#include <gmock/gmock.h>

#include "mapping/load.hpp"
#include "mapping/model.hpp"

namespace cnx::mapping {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr uint32_t kInteger = 23, kText = 25, kDate = 1082;

postgres::Table table(const std::string& name,
                      const std::vector<std::pair<std::string, uint32_t>>& columns) {
  postgres::Table made;
  made.name = {"public", name};
  for (const auto& [column, type] : columns) {
    made.columns.push_back({.number = static_cast<int16_t>(made.columns.size() + 1),
                            .name = column,
                            .type = change::Oid(type)});
  }
  return made;
}

std::vector<postgres::Table> shop() {
  return {table("customers", {{"id", kInteger}, {"name", kText}}),
          table("orders", {{"id", kInteger}, {"customer_id", kInteger}, {"placed_on", kDate}}),
          table("likes", {{"customer_id", kInteger}, {"order_id", kInteger}})};
}

constexpr const char* kShop = R"(version: 1
name: shop
schema: public
tables:
  customers:
    node: Customer
    key: id
  orders:
    node: Order
    key: id
    relationships:
      - PLACED: {from: {customers: customer_id}}
  likes:
    relationship: LIKES
    from: {customers: customer_id}
    to: {orders: order_id}
)";

std::vector<std::string> faults(const std::string& text,
                                const std::vector<postgres::Table>& catalog) {
  auto mapping = load(text, "shop.yaml");
  EXPECT_TRUE(mapping) << format(mapping.error());
  std::vector<std::string> messages;
  if (!mapping) return messages;
  for (const CatalogFault& fault : catalog_faults(*mapping, catalog)) {
    messages.push_back(fault.table.name + ": " + fault.message + " (" + fault.advice + ")");
  }
  // What is not found here must not be found later either.
  if (messages.empty()) {
    EXPECT_TRUE(Model::make(*mapping, catalog));
  }
  return messages;
}

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos);
  return at == std::string::npos ? text : text.replace(at, from.size(), to);
}

TEST(CatalogCheck, a_mapping_that_fits_has_no_faults) {
  EXPECT_THAT(faults(kShop, shop()), IsEmpty());
}

TEST(CatalogCheck, every_missing_table_and_column_is_named_at_once) {
  auto catalog = shop();
  catalog[0].columns[0].name = "nummer";
  catalog[2].columns[1].name = "ordre_id";
  catalog.erase(catalog.begin() + 1);
  EXPECT_THAT(faults(kShop, catalog),
              ElementsAre(HasSubstr("customers: the table has no column `id`"),
                          HasSubstr("orders: the mapping names a table"),
                          AllOf(HasSubstr("likes: the table has no column `order_id`"),
                                HasSubstr("did you mean `ordre_id`?"))));
}

TEST(CatalogCheck, a_column_that_leads_to_a_key_of_another_kind_is_named) {
  EXPECT_THAT(
      faults(replaced(kShop, "key: id\n    relationships", "key: placed_on\n    relationships"),
             shop()),
      ElementsAre(HasSubstr("likes: the column `order_id` of the relationship `LIKES`")));
}

TEST(CatalogCheck, an_end_of_another_kind_than_the_key_is_named) {
  auto catalog = shop();
  catalog[1].columns[1].type = change::Oid(kText);
  EXPECT_THAT(
      faults(kShop, catalog),
      ElementsAre(HasSubstr("`customer_id` of the relationship `PLACED` is of another kind")));
}

TEST(CatalogCheck, two_columns_of_one_property_are_named) {
  auto catalog = shop();
  catalog[1].columns.push_back({.number = 4, .name = "placedOn", .type = change::Oid(kDate)});
  EXPECT_THAT(faults(kShop, catalog),
              ElementsAre(HasSubstr(
                  "`placed_on` and `placedOn` would both become the property `placedOn`")));
}

TEST(CatalogCheck, names_of_the_engine_are_refused) {
  auto catalog = shop();
  catalog[0].columns.push_back({.number = 3, .name = "_cnx_stub", .type = change::Oid(kText)});
  catalog[1].columns.push_back({.number = 4, .name = "total__pg", .type = change::Oid(kText)});
  EXPECT_THAT(faults(replaced(kShop, "tables:", "naming: as_is\ntables:"), catalog),
              ElementsAre(HasSubstr("`_cnx_stub`, a name that belongs to the engine"),
                          HasSubstr("`total__pg`, a name that belongs to the engine")));
}

TEST(CatalogCheck, a_generated_column_that_the_mapping_names_is_a_fault_and_any_other_is_not) {
  auto catalog = shop();
  catalog[0].columns.push_back(
      {.number = 3, .name = "initials", .type = change::Oid(kText), .generated = true});
  EXPECT_THAT(faults(kShop, catalog), IsEmpty());
  EXPECT_THAT(faults(replaced(kShop, "node: Customer\n    key: id",
                              "node: Customer\n    key: id\n    properties: {short: initials}"),
                     catalog),
              ElementsAre(HasSubstr("`initials` is generated")));
}

}  // namespace
}  // namespace cnx::mapping
