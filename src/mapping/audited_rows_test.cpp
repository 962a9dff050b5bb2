#include "mapping/audited_rows.hpp"

#include <gtest/gtest.h>

#include "mapping/testing/source.hpp"

namespace cnx::mapping {
namespace {

using change::Operation;
using testing::Row;
using testing::Source;

class AuditedRowsTest : public ::testing::Test {
 protected:
  void add(const std::string& table, Operation operation, const Row& old_row, const Row& row, AuditedAs as = AuditedAs::tried) {
    change::RowChange change;
    change.operation = operation;
    change.position = {change::Lsn(0x2A), 7};
    change.relation = source_.binding(table).relation;
    change.old_row = testing::views(old_row);
    change.row = testing::views(row);
    rows_.add(change, as);
  }
  AuditedRow only() {
    std::vector<AuditedRow> rows = rows_.take();
    EXPECT_EQ(rows.size(), 1u);
    return rows.empty() ? AuditedRow{} : rows.front();
  }

  Source source_{"tables:\n"
                 "  items: {node: Item, key: id, tenant: org}\n"
                 "  parts: {node: Part, key: [a, b]}\n"
                 "  links: {relationship: LINKS, from: {items: x}, to: {items: y}}\n",
                 {"items (id int8, org text, body text)", "parts (a text, b int4)", "links (x int8, y int8)"}};
  AuditedRows rows_{source_.model()};
};

TEST_F(AuditedRowsTest, an_insert_tells_its_key_and_its_tenant) {
  add("items", Operation::insert, {}, {"1", "acme", "a secret"});
  const AuditedRow row = only();
  EXPECT_EQ(to_string(row.operation), "insert");
  EXPECT_EQ(row.key, "1");
  EXPECT_EQ(row.tenant, "acme");
  EXPECT_FALSE(row.old_key);
  EXPECT_EQ(row.position, (change::Position{change::Lsn(0x2A), 7}));
}

TEST_F(AuditedRowsTest, an_update_tells_the_key_before_only_where_it_is_another) {
  add("items", Operation::update, {"1", "acme", "x"}, {"1", "acme", testing::kUnchanged});
  EXPECT_FALSE(only().old_key);
  add("items", Operation::update, {"1", std::nullopt, std::nullopt}, {"2", "acme", "y"});
  const AuditedRow row = only();
  EXPECT_EQ(row.old_key, "1");
  EXPECT_EQ(row.key, "2");
}

TEST_F(AuditedRowsTest, a_removal_that_tells_its_key_alone_has_no_tenant) {
  add("items", Operation::remove, {"1", std::nullopt, std::nullopt}, {});
  const AuditedRow row = only();
  EXPECT_EQ(to_string(row.operation), "delete");
  EXPECT_EQ(row.key, "1");
  EXPECT_FALSE(row.tenant);
}

TEST_F(AuditedRowsTest, keys_of_several_columns_are_joined_and_a_relationships_is_the_pair_of_its_ends) {
  add("parts", Operation::insert, {}, {"left", "2"});
  EXPECT_EQ(only().key, "left,2");
  add("links", Operation::insert, {}, {"1", "9"});
  EXPECT_EQ(only().key, "1,9");
}

TEST_F(AuditedRowsTest, a_truncate_is_a_row_for_each_of_its_tables_that_is_mapped) {
  change::Truncate truncate{.position = {change::Lsn(0x2A), 1}};
  auto other = std::make_shared<change::Relation>(*source_.binding("items").relation);
  other->oid = change::Oid(1);
  other->name = "others";
  truncate.relations = {source_.binding("items").relation, source_.binding("links").relation, other};
  rows_.add(truncate, AuditedAs::tried);
  const std::vector<AuditedRow> rows = rows_.take();
  ASSERT_EQ(rows.size(), 2u);
  EXPECT_EQ(to_string(rows[0].operation), "truncate");
  EXPECT_FALSE(rows[0].key);
  EXPECT_EQ(rows[1].relation->name, "links");
}

// What was applied long ago may be of a table that had other columns then.
TEST_F(AuditedRowsTest, a_table_that_lacks_a_column_of_its_key_has_none) {
  auto older = std::make_shared<change::Relation>(*source_.binding("parts").relation);
  older->columns[1].name = "before";
  change::RowChange change;
  change.relation = older;
  const Row row{"left", "2"};
  change.row = testing::views(row);
  rows_.add(change, AuditedAs::recovered);
  EXPECT_FALSE(only().key);
}

}  // namespace
}  // namespace cnx::mapping
