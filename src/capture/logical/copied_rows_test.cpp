#include "capture/logical/copied_rows.hpp"

#include <gtest/gtest.h>

namespace cnx::capture {
namespace {

using change::Lsn;
using change::Operation;
using change::RowChange;
using change::Segment;
using change::Xid;
using Kind = change::DatumView::Kind;

change::RelationPtr relation() {
  auto relation = std::make_shared<change::Relation>();
  relation->oid = change::Oid(4711);
  relation->schema = "public";
  relation->name = "t";
  relation->columns = {{.name = "id", .identity = true}, {.name = "value"}};
  return relation;
}

Segment segment(change::KeyBound above, change::KeyBound upto, std::string snapshot) {
  Segment segment;
  segment.schema = "public";
  segment.table = "t";
  segment.key_columns = {{"id", change::KeyOrder::integer}};
  segment.above = std::move(above);
  segment.upto = std::move(upto);
  segment.done = true;
  if (!snapshot.empty()) segment.seen_until = Lsn(1000);
  segment.snapshot = std::move(snapshot);
  return segment;
}

// Up to 10 under the slot's snapshot; above, under a later one, which sees 50 and not 51.
class CopiedRowsTest : public ::testing::Test {
 protected:
  CopiedRowsTest()
      : rows_(*CopiedRows::make({segment({}, {"10"}, ""), segment({"10"}, {}, "51:52:51")})), relation_(relation()) {}

  std::vector<change::DatumView> row(std::string_view key, Kind value = Kind::text) {
    return {{Kind::text, key}, {value, value == Kind::text ? "v" : ""}};
  }
  RowChange change(Operation operation, std::vector<change::DatumView> old_row, std::vector<change::DatumView> row) {
    RowChange change;
    change.operation = operation;
    change.relation = relation_;
    change.old_row = std::move(old_row);
    change.row = std::move(row);
    return change;
  }
  bool counts(RowChange& change, uint32_t xid, Lsn final_lsn = Lsn(500)) {
    Result<bool> counts = rows_.counts({.final_lsn = final_lsn, .xid = Xid(xid)}, change);
    EXPECT_TRUE(counts) << counts.error().describe();
    return counts && *counts;
  }

  CopiedRows rows_;
  change::RelationPtr relation_;
};

TEST_F(CopiedRowsTest, a_change_counts_where_its_transaction_is_not_visible_to_its_key) {
  for (Operation operation : {Operation::insert, Operation::update}) {
    RowChange low = change(operation, {}, row("10"));
    EXPECT_TRUE(counts(low, 50));
    RowChange high = change(operation, {}, row("11"));
    EXPECT_FALSE(counts(high, 50));
    EXPECT_TRUE(counts(high, 51));
    EXPECT_TRUE(counts(high, 52));
  }
  RowChange removal = change(Operation::remove, row("11", Kind::null), {});
  EXPECT_FALSE(counts(removal, 50));
  EXPECT_TRUE(counts(removal, 51));
}

TEST_F(CopiedRowsTest, behind_all_that_was_seen_everything_counts) {
  RowChange high = change(Operation::insert, {}, row("11"));
  EXPECT_TRUE(counts(high, 50, Lsn(1000)));
}

TEST_F(CopiedRowsTest, a_key_change_is_a_removal_for_the_old_key_and_an_insertion_for_the_new) {
  RowChange up = change(Operation::update, row("5", Kind::null), row("15"));
  EXPECT_TRUE(counts(up, 50));
  EXPECT_EQ(up.operation, Operation::remove);
  EXPECT_TRUE(up.row.empty());
  EXPECT_EQ(up.old_row[0].text, "5");

  RowChange down = change(Operation::update, row("15", Kind::null), row("5"));
  EXPECT_TRUE(counts(down, 50));
  EXPECT_EQ(down.operation, Operation::insert);
  EXPECT_TRUE(down.old_row.empty());
  EXPECT_EQ(down.row[0].text, "5");

  RowChange within = change(Operation::update, row("15", Kind::null), row("16"));
  EXPECT_FALSE(counts(within, 50));
  RowChange both = change(Operation::update, row("5", Kind::null), row("15"));
  EXPECT_TRUE(counts(both, 51));
  EXPECT_EQ(both.operation, Operation::update);
  EXPECT_TRUE(both.over_copy);
  RowChange behind = change(Operation::update, row("5", Kind::null), row("15"));
  EXPECT_TRUE(counts(behind, 51, Lsn(1000)));
  EXPECT_FALSE(behind.over_copy);
}

TEST_F(CopiedRowsTest, an_insertion_takes_unchanged_columns_from_a_whole_old_row_and_else_stays_an_update) {
  RowChange whole = change(Operation::update, row("15"), row("5", Kind::unchanged));
  whole.old_is_full = true;
  EXPECT_TRUE(counts(whole, 50));
  EXPECT_EQ(whole.operation, Operation::insert);
  EXPECT_EQ(whole.row[1].text, "v");

  RowChange lacking = change(Operation::update, row("15", Kind::null), row("5", Kind::unchanged));
  EXPECT_TRUE(counts(lacking, 50));
  EXPECT_EQ(lacking.operation, Operation::update);
  EXPECT_TRUE(lacking.old_row.empty());
}

TEST_F(CopiedRowsTest, a_table_that_is_not_copied_counts_whole) {
  auto other = std::make_shared<change::Relation>(*relation());
  other->name = "elsewhere";
  RowChange row_change = change(Operation::insert, {}, row("11"));
  row_change.relation = other;
  EXPECT_TRUE(counts(row_change, 50));
}

TEST_F(CopiedRowsTest, a_key_column_that_is_gone_is_a_state_for_a_person) {
  auto other = std::make_shared<change::Relation>(*relation());
  other->columns[0].name = "renamed";
  RowChange row_change = change(Operation::insert, {}, row("11"));
  row_change.relation = other;
  Result<bool> counted = rows_.counts({.final_lsn = Lsn(500), .xid = Xid(50)}, row_change);
  ASSERT_FALSE(counted);
  EXPECT_EQ(counted.error().kind(), ErrorKind::state);
}

TEST(CopiedRows, a_truncate_counts_only_for_tables_that_do_not_show_it) {
  CopiedRows rows = *CopiedRows::make({segment({}, {}, "51:52:51")});
  auto other = std::make_shared<change::Relation>(*relation());
  other->name = "elsewhere";
  change::Truncate both{.position = {}, .relations = {relation(), other}};
  EXPECT_TRUE(*rows.counts({.final_lsn = Lsn(500), .xid = Xid(50)}, both));
  ASSERT_EQ(both.relations.size(), 1u);
  EXPECT_EQ(both.relations[0]->name, "elsewhere");
  change::Truncate alone{.position = {}, .relations = {relation()}};
  EXPECT_FALSE(*rows.counts({.final_lsn = Lsn(500), .xid = Xid(50)}, alone));
  change::Truncate later{.position = {}, .relations = {relation()}};
  EXPECT_TRUE(*rows.counts({.final_lsn = Lsn(500), .xid = Xid(51)}, later));
}

TEST(CopiedRows, under_the_slots_snapshot_everything_counts_without_a_look_at_the_key) {
  CopiedRows rows = *CopiedRows::make({segment({}, {"10"}, ""), segment({"10"}, {}, "")});
  RowChange change;
  change.relation = relation();
  EXPECT_TRUE(*rows.counts({.final_lsn = Lsn(1), .xid = Xid(3)}, change));
}

TEST(CopiedRows, a_snapshot_that_postgresql_did_not_print_is_malformed) {
  EXPECT_FALSE(CopiedRows::make({segment({}, {}, "x")}));
}

// Up to 10, copied as far as 5 under a snapshot that sees 50 and not 51; above, not begun.
class OpenRowsTest : public CopiedRowsTest {
 protected:
  OpenRowsTest() {
    Segment begun = segment({}, {"10"}, "51:52:51");
    begun.done = false;
    begun.last = {"5"};
    Segment untouched = segment({"10"}, {}, "");
    untouched.done = false;
    rows_ = *CopiedRows::make({begun, untouched});
  }
};

TEST_F(OpenRowsTest, what_is_still_to_be_read_does_not_count) {
  RowChange copied = change(Operation::insert, {}, row("5"));
  EXPECT_TRUE(counts(copied, 51));
  for (const char* key : {"6", "10", "11"}) {
    RowChange open = change(Operation::update, {}, row(key));
    EXPECT_FALSE(counts(open, 60, Lsn(5'000'000)));
  }
  EXPECT_TRUE(rows_.open());
}

TEST_F(OpenRowsTest, a_key_that_leads_into_what_is_to_be_read_is_removed_and_one_that_leads_out_is_inserted) {
  RowChange into = change(Operation::update, row("5", Kind::null), row("7"));
  EXPECT_TRUE(counts(into, 51));
  EXPECT_EQ(into.operation, Operation::remove);
  RowChange out = change(Operation::update, row("12", Kind::null), row("4"));
  EXPECT_TRUE(counts(out, 51));
  EXPECT_EQ(out.operation, Operation::insert);
}

TEST(OpenRows, a_table_that_is_not_begun_needs_no_look_at_its_keys) {
  Segment whole = segment({}, {}, "");
  whole.done = false;
  CopiedRows rows = *CopiedRows::make({whole});
  RowChange change;
  change.relation = relation();
  EXPECT_FALSE(*rows.counts({.final_lsn = Lsn(1), .xid = Xid(3)}, change));
  change::Truncate truncate{.position = {}, .relations = {relation()}};
  EXPECT_FALSE(*rows.counts({.final_lsn = Lsn(2), .xid = Xid(4)}, truncate));
}

TEST(OpenRows, rows_of_a_read_that_does_not_count_are_still_to_be_read) {
  Segment dirty = segment({}, {}, "51:52:51");
  dirty.done = false;
  dirty.last = {"100"};
  dirty.dirty = true;
  CopiedRows rows = *CopiedRows::make({dirty});
  RowChange change;
  change.relation = relation();
  EXPECT_FALSE(*rows.counts({.final_lsn = Lsn(1), .xid = Xid(77)}, change));
}

}  // namespace
}  // namespace cnx::capture
