#include "apply/dead_rows.hpp"

#include <gtest/gtest.h>

#include "apply/testing/counted_table.hpp"
#include "mapping/bindings.hpp"

namespace cnx::apply {
namespace {

using change::Lsn;
using change::Operation;

class DeadRowsTest : public ::testing::Test {
 protected:
  static DeadKey key(const std::string& id, change::Position since = {Lsn(600), 2}) {
    return {.key = {{"public", "counted"}, {"id"}, {id}}, .since = since};
  }
  const mapping::Binding& binding() { return **bindings_.bind(table_.relation); }
  Verdict judge(DeadRows& dead, Operation operation, change::Position position, int64_t id, std::optional<std::string> old_id = {}) {
    change::RowChange row = table_.row(position, id, "1");
    row.operation = operation;
    if (operation == Operation::remove) row.old_row = std::exchange(row.row, {});
    if (old_id) {
      old_id_ = *old_id;
      row.old_row = {{change::DatumView::Kind::text, old_id_}, {}};
    }
    return dead.judge(binding(), row);
  }
  static std::vector<std::string> told(DeadRows& dead) {
    std::vector<std::string> lines;
    for (const DeadNote& note : dead.take_notes()) {
      lines.push_back(note.key.values.at(0) + (note.ended ? " ended " : " held ") + note.position.to_string());
    }
    return lines;
  }

  testing::CountedTable table_;
  postgres::TypeCatalog types_ = postgres::TypeCatalog::built_in();
  mapping::Bindings bindings_{table_.model(), types_};
  std::string old_id_;
};

TEST_F(DeadRowsTest, a_change_of_a_dead_key_passes_by_from_its_letter_on) {
  DeadRows dead({key("1")});
  EXPECT_EQ(judge(dead, Operation::insert, {Lsn(600), 1}, 1), Verdict::as_it_is);
  EXPECT_EQ(judge(dead, Operation::update, {Lsn(600), 2}, 1), Verdict::passes_by);
  EXPECT_EQ(judge(dead, Operation::update, {Lsn(700), 1}, 1), Verdict::passes_by);
  EXPECT_EQ(judge(dead, Operation::update, {Lsn(700), 1}, 11), Verdict::as_it_is);
  EXPECT_EQ(told(dead), std::vector<std::string>{"1 held 0/2BC+1"}) << "its own change is not held behind it";
}

TEST_F(DeadRowsTest, a_row_in_conflict_that_takes_another_key_is_written_over) {
  DeadKey conflict = key("1");
  conflict.conflict = true;
  DeadRows dead({conflict});
  EXPECT_EQ(judge(dead, Operation::update, {Lsn(700), 1}, 2, "1"), Verdict::overwrites);
  EXPECT_EQ(told(dead), std::vector<std::string>{"1 ended 0/2BC+1"});
  EXPECT_TRUE(dead.empty());
}

TEST_F(DeadRowsTest, the_removal_of_a_dead_key_counts_and_ends_its_letter) {
  DeadRows dead({key("1")});
  EXPECT_EQ(judge(dead, Operation::remove, {Lsn(700), 1}, 1), Verdict::as_it_is);
  EXPECT_EQ(told(dead), std::vector<std::string>{"1 ended 0/2BC+1"});
  EXPECT_EQ(judge(dead, Operation::insert, {Lsn(800), 1}, 1), Verdict::as_it_is);
  EXPECT_TRUE(dead.empty());
}

TEST_F(DeadRowsTest, a_dead_row_that_takes_another_key_needs_a_letter_there_first) {
  DeadRows dead({key("1")});
  EXPECT_EQ(judge(dead, Operation::update, {Lsn(700), 1}, 2, "1"), Verdict::needs_letter);
  EXPECT_TRUE(told(dead).empty());
  dead.add(key("2", {Lsn(700), 1}));
  EXPECT_EQ(judge(dead, Operation::update, {Lsn(700), 1}, 2, "1"), Verdict::as_removal);
  EXPECT_EQ(told(dead), std::vector<std::string>{"1 ended 0/2BC+1"});
}

TEST_F(DeadRowsTest, a_row_that_was_refused_with_its_new_key_leaves_the_old_one) {
  DeadRows dead({key("2")});
  EXPECT_EQ(judge(dead, Operation::update, {Lsn(600), 2}, 2, "1"), Verdict::as_removal);
}

TEST_F(DeadRowsTest, an_old_row_with_the_same_key_is_no_change_of_it) {
  DeadRows dead({key("1")});
  EXPECT_EQ(judge(dead, Operation::update, {Lsn(700), 1}, 1, "1"), Verdict::passes_by);
}

TEST_F(DeadRowsTest, a_truncate_ends_what_stands_before_it) {
  DeadRows dead({key("1"), key("2", {Lsn(900), 1})});
  dead.truncate({"public", "counted"}, {Lsn(700), 1});
  dead.truncate({"public", "other"}, {Lsn(700), 1});
  EXPECT_EQ(told(dead), std::vector<std::string>{"1 ended 0/2BC+1"});
  EXPECT_EQ(judge(dead, Operation::insert, {Lsn(800), 1}, 1), Verdict::as_it_is);
  EXPECT_EQ(judge(dead, Operation::insert, {Lsn(950), 1}, 2), Verdict::passes_by);
}

TEST_F(DeadRowsTest, keys_of_several_columns_do_not_run_together) {
  const mapping::TableName table{"public", "counted"};
  EXPECT_NE(identity_of({table, {"a", "b"}, {"x", "y1:z"}}), identity_of({table, {"a", "b"}, {"xy", "1:z"}}));
}

}  // namespace
}  // namespace cnx::apply
