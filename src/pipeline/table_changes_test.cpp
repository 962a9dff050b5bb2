#include "pipeline/table_changes.hpp"

#include <gtest/gtest.h>

namespace cnx::pipeline {
namespace {

ShapeColumn column(int16_t number, std::string name, uint32_t type = 23, std::string mark = "700") {
  ShapeColumn shape;
  shape.column.number = number;
  shape.column.name = std::move(name);
  shape.column.type = change::Oid(type);
  shape.column.base_type = change::Oid(type);
  shape.mark = std::move(mark);
  return shape;
}

TableShape table() {
  TableShape shape;
  shape.name = {"public", "t"};
  shape.oid = change::Oid(100);
  shape.columns = {column(1, "id"), column(2, "a")};
  shape.labels = {{"1", "sad"}, {"2", "ok"}};
  shape.files = {{100, "100"}};
  return shape;
}

TableShape partitioned() {
  TableShape shape = table();
  shape.kind = postgres::TableKind::partitioned;
  shape.files = {{100, ""}, {101, "101"}, {102, "102"}};
  shape.partitions = {101, 102};
  shape.attached = {{101, "700"}, {102, "700"}};
  return shape;
}

TEST(TableChanges, a_table_that_is_the_same_needs_nothing) {
  EXPECT_FALSE(compare(table(), table(), {}).any());
  EXPECT_FALSE(compare(partitioned(), partitioned(), {}).any());
}

TEST(TableChanges, another_table_of_the_name_is_read_and_what_the_former_made_is_swept) {
  TableShape now = table();
  now.oid = change::Oid(200);
  const TableChange change = compare(table(), now, {});
  EXPECT_TRUE(change.copy);
  EXPECT_EQ(change.why, "another table has its name");
}

TEST(TableChanges, an_added_column_is_read_only_where_rows_have_a_value_in_it) {
  TableShape now = table();
  now.columns.push_back(column(3, "b", 25, "800"));
  EXPECT_FALSE(compare(table(), now, {}).copy);
  EXPECT_TRUE(compare(table(), now, {}).columns);
  now.columns.back().filled = true;
  EXPECT_TRUE(compare(table(), now, {}).copy);
  // A DEFAULT that is not constant writes the rows anew.
  now.columns.back().filled = false;
  now.files = {{100, "999"}};
  EXPECT_TRUE(compare(table(), now, {}).copy);
}

TEST(TableChanges, a_dropped_column_takes_its_property_and_needs_no_read) {
  TableShape now = table();
  now.columns.pop_back();
  const TableChange change = compare(table(), now, {});
  EXPECT_FALSE(change.copy);
  EXPECT_TRUE(change.columns);
  EXPECT_EQ(change.why, "column a was dropped");
}

TEST(TableChanges, a_renamed_or_retyped_column_is_read) {
  TableShape renamed = table();
  renamed.columns[1].column.name = "z";
  EXPECT_TRUE(compare(table(), renamed, {}).copy);
  TableShape modifier = table();
  modifier.columns[1].column.type_modifier = 655366;
  EXPECT_TRUE(compare(table(), modifier, {}).copy);
  TableShape type = table();
  type.columns[1].column.type = change::Oid(25);
  EXPECT_EQ(compare(table(), type, {}).why, "the type of column a was changed");
}

TEST(TableChanges, rows_written_anew_are_read_only_where_a_column_was_defined_anew) {
  TableShape vacuumed = table();
  vacuumed.files = {{100, "999"}};
  EXPECT_FALSE(compare(table(), vacuumed, {}).any());
  TableShape altered = vacuumed;
  altered.columns[1].mark = "900";
  EXPECT_TRUE(compare(table(), altered, {}).copy);
  TableShape marked = table();
  marked.columns[1].mark = "900";  // SET DEFAULT.
  EXPECT_FALSE(compare(table(), marked, {}).any());
}

TEST(TableChanges, an_enum_value_that_is_new_is_in_no_row) {
  TableShape added = table();
  added.labels["3"] = "happy";
  EXPECT_FALSE(compare(table(), added, {}).any());
  TableShape renamed = table();
  renamed.labels["2"] = "fine";
  EXPECT_TRUE(compare(table(), renamed, {}).copy);
}

TEST(TableChanges, a_composite_type_that_is_altered_changes_the_text_of_every_row) {
  TableShape before = table();
  before.attributes = {{"50.1", "23 -1 x"}};
  TableShape now = before;
  now.attributes["50.2"] = "25 -1 y";
  EXPECT_TRUE(compare(before, now, {}).copy);
  EXPECT_FALSE(compare(table(), now, {}).copy);  // Of a column that is new.
}

TEST(TableChanges, partitions_that_come_with_rows_are_read_and_what_those_that_go_made_is_removed) {
  TableShape detached = partitioned();
  detached.files.erase(102);
  detached.partitions.erase(102);
  EXPECT_TRUE(compare(partitioned(), detached, {}).gone);
  EXPECT_FALSE(compare(partitioned(), detached, {}).copy);
  TableShape truncated = partitioned();
  truncated.files[101] = "999";
  EXPECT_TRUE(compare(partitioned(), truncated, {}).gone);
  EXPECT_FALSE(compare(partitioned(), truncated, {}).copy);
  TableShape attached = partitioned();
  attached.files[103] = "103";
  attached.partitions.insert(103);
  EXPECT_EQ(new_partitions(partitioned(), attached), std::set<uint32_t>{103});
  EXPECT_FALSE(compare(partitioned(), attached, {}).any());
  EXPECT_TRUE(compare(partitioned(), attached, {103}).copy);
  TableShape again = partitioned();
  again.attached[101] = "900";
  EXPECT_TRUE(compare(partitioned(), again, {}).copy);
  TableShape of_before = partitioned();
  of_before.attached.clear();
  EXPECT_FALSE(compare(of_before, partitioned(), {}).any());
}

TEST(TableChanges, a_new_partition_whose_file_is_not_its_first_may_have_lost_rows) {
  TableShape now = partitioned();
  now.partitions.insert({103, 104});
  now.files[103] = "103";
  now.files[104] = "";  // Partitioned itself.
  EXPECT_FALSE(compare(partitioned(), now, {}).any());
  now.files[103] = "999";
  const TableChange change = compare(partitioned(), now, {});
  EXPECT_TRUE(change.gone);
  EXPECT_FALSE(change.copy);
}

TEST(TableChanges, what_the_stream_alone_tells_of_has_rows_gone_or_read_again) {
  const TableShape now = partitioned();
  const auto traced = [&](const StreamTraces& traces) {
    TableChange change;
    add_traces(traces, now, change);
    EXPECT_EQ(change.any(), !change.why.empty());
    return change;
  };
  const postgres::TableName other{"public", "u"};
  EXPECT_FALSE(traced({}).any());
  EXPECT_FALSE(traced({.other_names = {other}, .other_tables = {}, .partitions = {{other, {change::Oid(1)}}}}).any());
  EXPECT_FALSE(traced({.other_names = {}, .other_tables = {}, .partitions = {{now.name, {change::Oid(101)}}}}).any());
  EXPECT_TRUE(traced({.other_names = {}, .other_tables = {}, .partitions = {{now.name, {change::Oid(101), change::Oid(103)}}}}).gone);
  EXPECT_TRUE(traced({.other_names = {now.name}, .other_tables = {}, .partitions = {}}).copy);
  EXPECT_TRUE(traced({.other_names = {}, .other_tables = {{now.name, {change::Oid(99)}}}, .partitions = {}}).copy);
  EXPECT_FALSE(traced({.other_names = {}, .other_tables = {{now.name, {now.oid}}}, .partitions = {}}).any());
}

TEST(TableChanges, changes_that_were_not_published_are_read) {
  TableShape before = table();
  before.published = "500 700";
  TableShape now = before;
  EXPECT_FALSE(compare(before, now, {}).any());
  now.published = "501 800";
  EXPECT_TRUE(compare(before, now, {}).copy);
}

TEST(TableShapes, are_read_back_as_they_were_kept) {
  TableShape shape = partitioned();
  shape.columns[1].column.name = "a \"quoted\" ü";
  shape.columns[1].filled = true;
  shape.attributes = {{"50.1", "23 -1 x"}};
  shape.published = "500 700";
  Result<TableShape> read = shape_of(shape.name, to_text(shape));
  ASSERT_TRUE(read) << read.error().describe();
  EXPECT_FALSE(compare(shape, *read, {}).any());
  EXPECT_EQ(to_text(*read), to_text(shape));
  EXPECT_EQ(table_of(*read).columns[1].name, "a \"quoted\" ü");
  for (const char* strange : {"", "{}", "[]", "{\"oid\": \"x\"}", "{\"oid\": 1, \"kind\": \"\"}"}) {
    EXPECT_FALSE(shape_of(shape.name, strange)) << strange;
  }
}

}  // namespace
}  // namespace cnx::pipeline
