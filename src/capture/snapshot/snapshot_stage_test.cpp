#include "capture/snapshot/snapshot_stage.hpp"

#include <gtest/gtest.h>

#include <string_view>

namespace cnx::capture {
namespace {

postgres::Table table() {
  postgres::Table table;
  table.oid = change::Oid(4711);
  table.name = {"public", "counted"};
  table.columns = {
      {.number = 1, .name = "id", .type = change::Oid(20)},
      {.number = 2, .name = "twice", .type = change::Oid(20), .generated = true},
      {.number = 4, .name = "Näme \"x\"", .type = change::Oid(1043), .type_modifier = 14}};
  table.keys = {{.name = "counted_pkey", .columns = {"id"}, .primary = true}};
  return table;
}

// What the stream would say of the table: rows of either are read by the same binding.
TEST(RelationOf, describes_the_table_as_the_stream_would) {
  const change::RelationPtr relation = relation_of(table());
  EXPECT_EQ(relation->oid, change::Oid(4711));
  EXPECT_EQ(relation->schema, "public");
  EXPECT_EQ(relation->name, "counted");
  ASSERT_EQ(relation->columns.size(), 2u) << "a generated column is in neither";
  EXPECT_EQ(relation->columns[0].name, "id");
  EXPECT_TRUE(relation->columns[0].identity);
  EXPECT_EQ(relation->columns[1].name, "Näme \"x\"");
  EXPECT_EQ(relation->columns[1].type, change::Oid(1043));
  EXPECT_EQ(relation->columns[1].type_modifier, 14);
  EXPECT_FALSE(relation->columns[1].identity);
}

TEST(RelationOf, marks_all_columns_where_the_whole_row_identifies) {
  postgres::Table full = table();
  full.replica_identity = change::ReplicaIdentity::full;
  const change::RelationPtr relation = relation_of(full);
  EXPECT_EQ(relation->identity, change::ReplicaIdentity::full);
  for (const change::Column& column : relation->columns) EXPECT_TRUE(column.identity);
}

TEST(RelationOf, marks_none_where_nothing_identifies) {
  postgres::Table nothing = table();
  nothing.replica_identity = change::ReplicaIdentity::nothing;
  const change::RelationPtr relation = relation_of(nothing);
  for (const change::Column& column : relation->columns) EXPECT_FALSE(column.identity);
}

SegmentTask task(const postgres::Table& table, change::KeyBound above, change::KeyBound upto, change::KeyBound last) {
  SegmentTask task;
  task.table = &table;
  task.segment.key_columns = {{"id", change::KeyOrder::integer}, {"Näme \"x\"", change::KeyOrder::bytes}};
  task.segment.above = std::move(above);
  task.segment.upto = std::move(upto);
  task.segment.last = std::move(last);
  return task;
}

constexpr std::string_view kCopy = "COPY (SELECT \"id\", \"Näme \"\"x\"\"\" FROM \"public\".\"counted\"";

TEST(CopyStatement, reads_between_the_bounds_in_the_order_of_the_key) {
  const postgres::Table counted = table();
  const std::string order = " ORDER BY \"id\", \"Näme \"\"x\"\"\") TO STDOUT";
  const change::RelationPtr relation = relation_of(counted);
  EXPECT_EQ(copy_statement(task(counted, {}, {}, {}), *relation), std::string(kCopy) + order);
  EXPECT_EQ(copy_statement(task(counted, {"5"}, {"9"}, {}), *relation),
            std::string(kCopy) + " WHERE \"id\" > '5' AND \"id\" <= '9'" + order);
  EXPECT_EQ(copy_statement(task(counted, {"5"}, {"9"}, {"7", "o'k"}), *relation),
            std::string(kCopy) + " WHERE (\"id\", \"Näme \"\"x\"\"\") > ('7', 'o''k') AND \"id\" <= '9'" + order);
}

TEST(CopyStatement, reads_the_rows_that_the_mapping_takes) {
  postgres::Table counted = table();
  counted.filter.sql = "kind = 'a' -- only";
  SegmentTask whole;
  whole.table = &counted;
  EXPECT_EQ(copy_statement(whole, *relation_of(counted)), std::string(kCopy) + " WHERE (kind = 'a' -- only\n)) TO STDOUT");
  EXPECT_EQ(copy_statement(task(counted, {"5"}, {}, {}), *relation_of(counted)),
            std::string(kCopy) + " WHERE \"id\" > '5' AND (kind = 'a' -- only\n) ORDER BY \"id\", \"Näme \"\"x\"\"\") TO STDOUT");
}

TEST(CopyStatement, reads_a_table_without_an_order_as_it_stands) {
  const postgres::Table counted = table();
  SegmentTask whole;
  whole.table = &counted;
  EXPECT_EQ(copy_statement(whole, *relation_of(counted)), std::string(kCopy) + ") TO STDOUT");
}

}  // namespace
}  // namespace cnx::capture
