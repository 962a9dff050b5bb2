#include "pipeline/copy_plan.hpp"

#include <gtest/gtest.h>

namespace cnx::pipeline {
namespace {

using change::KeyOrder;
using change::Lsn;
using change::Segment;

constexpr uint32_t kInt8 = 20, kText = 25, kUuid = 2950, kTimestamp = 1114;

postgres::Table table(std::vector<postgres::TableColumn> columns, std::vector<std::string> key) {
  postgres::Table table;
  table.name = {"public", "t"};
  table.columns = std::move(columns);
  table.keys = {{.name = "t_pkey", .columns = std::move(key), .primary = true}};
  return table;
}

postgres::TableColumn column(const char* name, uint32_t type, const char* collation = "") {
  return {.name = name, .type = change::Oid(type), .not_null = true, .collation = collation};
}

TEST(OrderedKey, is_the_mapped_key_in_the_order_of_its_index) {
  const postgres::Table two = table({column("a", kInt8), column("b", kUuid)}, {"b", "a"});
  const std::vector<change::KeyColumn> key = ordered_key(two, {"a", "b"});
  ASSERT_EQ(key.size(), 2u);
  EXPECT_EQ(key[0], (change::KeyColumn{"b", KeyOrder::bytes}));
  EXPECT_EQ(key[1], (change::KeyColumn{"a", KeyOrder::integer}));
}

TEST(OrderedKey, is_none_where_the_engine_would_compare_as_postgresql_does_not) {
  EXPECT_TRUE(ordered_key(table({column("id", kText, "default")}, {"id"}), {"id"}).empty());
  EXPECT_TRUE(ordered_key(table({column("id", kTimestamp)}, {"id"}), {"id"}).empty());
  EXPECT_FALSE(ordered_key(table({column("id", kText, "C")}, {"id"}), {"id"}).empty());
}

// A node's key that another row may take over would belong to two segments.
TEST(OrderedKey, is_none_where_the_graph_knows_the_row_by_another_key) {
  const postgres::Table two = table({column("id", kInt8), column("name", kText, "C")}, {"id"});
  EXPECT_TRUE(ordered_key(two, {"name"}).empty());
  EXPECT_TRUE(ordered_key(two, {"id", "name"}).empty());
}

TEST(OrderedKey, is_none_where_the_stream_would_not_tell_the_old_one) {
  postgres::Table other = table({column("id", kInt8)}, {"id"});
  other.replica_identity = change::ReplicaIdentity::nothing;
  EXPECT_TRUE(ordered_key(other, {"id"}).empty());
  postgres::Table deferrable = table({column("id", kInt8)}, {"id"});
  deferrable.keys[0].immediate = false;
  EXPECT_TRUE(ordered_key(deferrable, {"id"}).empty());
}

TEST(CutAt, cuts_in_equal_distances_and_never_twice_at_one_value) {
  EXPECT_EQ(cut_at({"1", "2", "3", "10", "11"}, KeyOrder::integer, 2), (std::vector<change::KeyBound>{{"3"}}));
  EXPECT_EQ(cut_at({"1", "1", "1", "1", "1", "9"}, KeyOrder::integer, 3), (std::vector<change::KeyBound>{{"1"}}));
  EXPECT_TRUE(cut_at({}, KeyOrder::integer, 4).empty());
  EXPECT_TRUE(cut_at({"1", "2"}, KeyOrder::integer, 4).empty());
}

Segment segment(const char* name, change::KeyBound above, change::KeyBound upto, bool ordered = true) {
  Segment segment;
  segment.schema = "public";
  segment.table = name;
  if (ordered) segment.key_columns = {{"id", KeyOrder::integer}};
  segment.above = std::move(above);
  segment.upto = std::move(upto);
  segment.files = "1:1";
  return segment;
}

const TakenSnapshot kNew{.text = "9:9:", .seen_until = Lsn(900)};

TEST(ContinueSegments, splits_what_was_being_read_at_its_last_key) {
  Segment open = segment("t", {"10"}, {"20"});
  open.last = {"14"};
  open.rows = 4;
  const auto next = continue_segments({open}, {{{"public", "t"}, "1:1"}}, kNew);
  ASSERT_EQ(next.size(), 2u);
  EXPECT_TRUE(next[0].done);
  EXPECT_EQ(next[0].above, change::KeyBound{"10"});
  EXPECT_EQ(next[0].upto, change::KeyBound{"14"});
  EXPECT_EQ(next[0].snapshot, "") << "its rows were read under the old one";
  EXPECT_EQ(next[0].rows, 4u);
  EXPECT_FALSE(next[1].done);
  EXPECT_EQ(next[1].above, change::KeyBound{"14"});
  EXPECT_EQ(next[1].upto, change::KeyBound{"20"});
  EXPECT_EQ(next[1].snapshot, "9:9:");
  EXPECT_EQ(next[1].seen_until, Lsn(900));
  EXPECT_EQ(next[1].rows, 0u);
  EXPECT_TRUE(next[1].last.empty());
}

TEST(ContinueSegments, leaves_what_is_done_and_renews_what_had_not_begun) {
  Segment done = segment("t", {}, {"10"});
  done.done = true;
  done.rows = 9;
  const auto next = continue_segments({done, segment("t", {"10"}, {})}, {{{"public", "t"}, "1:1"}}, kNew);
  ASSERT_EQ(next.size(), 2u);
  EXPECT_TRUE(next[0].done);
  EXPECT_EQ(next[0].snapshot, "");
  EXPECT_EQ(next[1].snapshot, "9:9:");
  EXPECT_FALSE(next[1].dirty);
}

TEST(ContinueSegments, starts_a_rewritten_table_over_whole) {
  Segment done = segment("t", {}, {"10"});
  done.done = true;
  done.rows = 9;
  Segment other = segment("other", {}, {});
  other.done = true;
  const auto next = continue_segments({done, segment("t", {"10"}, {}), other},
                                      {{{"public", "t"}, "1:2"}, {{"public", "other"}, "1:1"}}, kNew);
  ASSERT_EQ(next.size(), 3u);
  for (size_t i = 0; i < 2; ++i) {
    EXPECT_FALSE(next[i].done);
    EXPECT_TRUE(next[i].dirty);
    EXPECT_EQ(next[i].rows, 0u);
    EXPECT_EQ(next[i].files, "1:2");
    EXPECT_EQ(next[i].snapshot, "9:9:");
  }
  EXPECT_TRUE(next[2].done);
}

TEST(ContinueSegments, starts_a_table_without_an_order_over) {
  Segment open = segment("t", {}, {}, false);
  open.rows = 5;
  const auto next = continue_segments({open}, {{{"public", "t"}, "1:1"}}, kNew);
  ASSERT_EQ(next.size(), 1u);
  EXPECT_TRUE(next[0].dirty);
  EXPECT_EQ(next[0].rows, 0u);
}

TEST(ContinueSegments, does_not_forget_that_rows_are_still_to_be_removed) {
  Segment dirty = segment("t", {}, {});
  dirty.dirty = true;
  const auto next = continue_segments({dirty}, {{{"public", "t"}, "1:1"}}, kNew);
  ASSERT_EQ(next.size(), 1u);
  EXPECT_TRUE(next[0].dirty);
}

}  // namespace
}  // namespace cnx::pipeline
