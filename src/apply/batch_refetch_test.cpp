#include <gtest/gtest.h>

#include "apply/batch_stage.hpp"
#include "apply/testing/batch_line.hpp"

namespace cnx::apply {
namespace {

using change::Lsn;
using change::Operation;
using testing::streaming;

class BatchRefetchTest : public testing::BatchLine {
 protected:
  // Row 1, read at 0/500 when the transactions below 10 had been committed.
  RefetchedRow row_one(std::optional<std::string> value) {
    RefetchedRow row{.key = {{"public", "counted"}, {"id"}, {"1"}}, .relation = table_.relation};
    if (value) row.values = {"1", *value};
    row.snapshot = change::PgSnapshot::parse("10:10:").value();
    row.until = Lsn(5000);
    row.at = {Lsn(500), 0};
    return row;
  }
  void change(uint32_t xid, Lsn lsn, Operation operation, int64_t id, const std::string& value,
              std::optional<std::string> old_id = {}) {
    push(change::Begin{lsn, change::Xid(xid), 1000});
    change::RowChange row = table_.row({lsn, 1}, id, value);
    row.operation = operation;
    if (operation == Operation::remove) row.old_row = std::exchange(row.row, {});
    if (old_id) {
      old_id_ = *old_id;
      row.old_row = {{change::DatumView::Kind::text, old_id_}, {}};
    }
    push(std::move(row));
    push(change::Commit{Lsn(lsn.value() + 48)});
  }
  static int64_t value_of(const mapping::NodeUpsert& upsert) {
    for (const mapping::Property& property : upsert.properties) {
      if (property.name->name == "value") return std::get<int64_t>(property.value);
    }
    return -1;
  }
  mapping::NodeMutations only_table() {
    Batch batch = take();
    EXPECT_EQ(batch.mutations.nodes.size(), 1u);
    return batch.mutations.nodes.empty() ? mapping::NodeMutations{} : batch.mutations.nodes[0];
  }

 private:
  std::string old_id_;
};

TEST_F(BatchRefetchTest, the_graph_remembers_a_row_until_the_position_has_passed_what_its_read_saw) {
  make({.refetched = {row_one("77")}});
  change(7, Lsn(600), Operation::insert, 2, "5");
  settle();
  const std::string ahead = take().ahead.value();
  change(12, Lsn(5000), Operation::insert, 3, "5");
  settle();
  EXPECT_EQ(take().ahead, "");

  auto remembered = rows_ahead(ahead);
  ASSERT_TRUE(remembered) << remembered.error().describe();
  ASSERT_EQ(remembered->size(), 1u);
  EXPECT_EQ(remembered->front().table, (postgres::TableName{"public", "counted"}));
  EXPECT_EQ(remembered->front().columns, std::vector<std::string>{"id"});
  EXPECT_EQ(remembered->front().values, std::vector<std::string>{"1"});
}

TEST_F(BatchRefetchTest, what_a_strategy_decided_is_not_remembered_but_decided_again) {
  RefetchedRow row = row_one("77");
  row.decided = true;
  make({.refetched = {row}});
  change(7, Lsn(600), Operation::insert, 2, "5");
  settle();
  EXPECT_EQ(take().ahead, "");
}

TEST_F(BatchRefetchTest, what_is_remembered_is_read_only_where_it_was_written_so) {
  EXPECT_TRUE(rows_ahead("")->empty());
  for (const char* text : {"{", "[1]", "[[\"s\",\"t\",[\"a\"],[]]]", "[[\"s\",\"t\",[\"a\"]]]"}) {
    EXPECT_FALSE(rows_ahead(text)) << text;
  }
}

TEST_F(BatchRefetchTest, a_row_that_was_read_leads_the_first_batch_and_what_it_shows_is_passed_over) {
  make({.refetched = {row_one("77")}});
  change(7, Lsn(600), Operation::update, 1, "5");
  settle();
  mapping::NodeMutations node = only_table();
  ASSERT_EQ(node.upserts.size(), 1u);
  EXPECT_EQ(value_of(node.upserts[0]), 77);
  EXPECT_TRUE(node.upserts[0].replaced) << "whatever the graph has of it is replaced in its place";
}

TEST_F(BatchRefetchTest, what_the_read_had_not_seen_is_applied_over_it) {
  make({.refetched = {row_one("77")}});
  change(12, Lsn(600), Operation::update, 1, "5");
  settle();
  mapping::NodeMutations node = only_table();
  ASSERT_EQ(node.upserts.size(), 1u);
  EXPECT_EQ(value_of(node.upserts[0]), 5);
}

TEST_F(BatchRefetchTest, other_rows_are_applied_as_they_come) {
  make({.refetched = {row_one("77")}});
  change(7, Lsn(600), Operation::insert, 2, "5");
  settle();
  EXPECT_EQ(only_table().upserts.size(), 2u);
}

TEST_F(BatchRefetchTest, a_row_that_was_gone_is_removed_and_its_changes_are_passed_over) {
  make({.refetched = {row_one(std::nullopt)}});
  change(7, Lsn(600), Operation::update, 1, "5");
  settle();
  mapping::NodeMutations node = only_table();
  EXPECT_TRUE(node.upserts.empty());
  EXPECT_EQ(node.removed, std::vector<mapping::Key>{mapping::Key(int64_t{1})});
}

TEST_F(BatchRefetchTest, a_key_that_was_given_up_makes_the_new_keys_row) {
  make({.refetched = {row_one(std::nullopt)}});
  change(7, Lsn(600), Operation::update, 3, "5", "1");
  settle();
  mapping::NodeMutations node = only_table();
  EXPECT_TRUE(node.key_changes.empty());
  ASSERT_EQ(node.upserts.size(), 1u);
  EXPECT_EQ(node.upserts[0].key, mapping::Key(int64_t{3}));
}

TEST_F(BatchRefetchTest, a_key_that_was_taken_frees_the_old_one) {
  make({.refetched = {row_one("77")}});
  change(7, Lsn(600), Operation::update, 1, "5", "3");
  settle();
  mapping::NodeMutations node = only_table();
  EXPECT_EQ(node.removed, std::vector<mapping::Key>{mapping::Key(int64_t{3})});
  ASSERT_EQ(node.upserts.size(), 1u);
  EXPECT_EQ(value_of(node.upserts[0]), 77);
}

TEST_F(BatchRefetchTest, a_truncate_that_the_read_had_seen_does_not_take_the_row) {
  make({.refetched = {row_one("77")}});
  push(change::Begin{Lsn(600), change::Xid(7), 1000});
  push(change::Truncate{.position = {Lsn(600), 1}, .relations = {table_.relation}});
  push(change::Commit{Lsn(648)});
  settle();
  mapping::NodeMutations node = only_table();
  EXPECT_TRUE(node.truncated);
  ASSERT_EQ(node.upserts.size(), 1u);
  EXPECT_EQ(value_of(node.upserts[0]), 77);
}

TEST_F(BatchRefetchTest, a_truncate_takes_what_the_graph_was_to_keep_and_the_row_is_postgresqls) {
  RefetchedRow row = row_one("77");
  row.keeps_graph = row.decided = true;
  make({.refetched = {row}});
  push(change::Begin{Lsn(600), change::Xid(7), 1000});
  push(change::Truncate{.position = {Lsn(600), 1}, .relations = {table_.relation}});
  push(change::Commit{Lsn(648)});
  settle();
  mapping::NodeMutations node = only_table();
  ASSERT_EQ(node.upserts.size(), 1u);
  EXPECT_EQ(value_of(node.upserts[0]), 77);
}

TEST_F(BatchRefetchTest, a_row_that_is_in_the_graph_by_now_is_not_brought_once_more) {
  make({.start = streaming(Lsn(550)), .refetched = {row_one("77")}});
  change(7, Lsn(600), Operation::update, 1, "5");
  change(7, Lsn(700), Operation::insert, 2, "5");
  settle();
  size_t count = 0;
  while (std::optional<Batch> batch = batches_->try_pop()) count += upserts(*batch);
  EXPECT_EQ(count, 1u) << "the change that it shows is passed over all the same";
}

// A batch that ended where it starts would be taken for applied after a lost answer, and its rows lost.
TEST_F(BatchRefetchTest, rows_that_were_read_are_in_no_batch_that_moves_nothing) {
  make({.rows_target = 1, .refetched = {row_one("77")}});
  change(12, Lsn(600), Operation::insert, 2, "5");
  change(13, Lsn(700), Operation::insert, 3, "6");
  settle();
  EXPECT_EQ(upserts(take()), 2u) << "the row that was read, and the first transaction";
  EXPECT_EQ(upserts(take()), 1u);
}

TEST_F(BatchRefetchTest, rows_that_were_read_lead_the_first_piece_of_a_large_transaction) {
  make({.transaction_elements_max = 2, .piece_rows = 1, .refetched = {row_one("77")}});
  begin(Lsn(600));
  rows(Lsn(600), 1, 3);
  push(change::Commit{Lsn(648)});
  settle();
  EXPECT_EQ(upserts(take()), 2u);
  EXPECT_EQ(upserts(take()), 1u);
  EXPECT_EQ(upserts(take()), 1u);
}

// Removals in pieces.

TEST_F(BatchRefetchTest, half_a_removal_stays_partial_until_where_it_was_on_its_way_to) {
  LanePosition start = streaming(Lsn(500));
  start.partial = true;
  start.partial_until = Lsn(748);
  make({.start = start, .rows_target = 1});
  transaction(Lsn(600), 1);
  transaction(Lsn(700), 1);
  transaction(Lsn(800), 1);
  settle();
  LanePosition before = streaming(Lsn(648));
  before.partial = true;
  before.partial_until = Lsn(748);
  EXPECT_EQ(take().to, before);
  EXPECT_EQ(take().to, streaming(Lsn(748)));
  EXPECT_EQ(take().to, streaming(Lsn(848)));
}

}  // namespace
}  // namespace cnx::apply
