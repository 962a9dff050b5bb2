// Rows that are dead letters, and batches that are cut narrow where one was refused.
#include "apply/batch_stage.hpp"
#include "apply/testing/batch_line.hpp"

namespace cnx::apply {
namespace {

using change::Lsn;
using testing::streaming;

class BatchDeadTest : public testing::BatchLine {
 protected:
  static DeadKey dead(const std::string& id, change::Position since) {
    return {.key = {{"public", "counted"}, {"id"}, {id}}, .since = since};
  }
  static Narrowing alone_until(Lsn lsn) { return {.until = {lsn, 0}, .rows = 1, .bytes = 4u << 20}; }
  RefetchedRow read_again(const std::string& id) {
    RefetchedRow row{.key = {{"public", "counted"}, {"id"}, {id}}, .relation = table_.relation};
    row.values = {id, "7"};
    row.snapshot = change::PgSnapshot::parse("7:7:").value();
    row.until = Lsn(5000);
    row.at = {Lsn(500), 0};
    return row;
  }
};

TEST_F(BatchDeadTest, a_dead_row_is_left_out_and_the_position_passes_it) {
  // Of the rows 601 and 602 the second.
  std::vector<std::string> told;
  make({.dead = {dead("602", {Lsn(600), 2})}, .on_dead_notes = [&](std::vector<DeadNote>&& notes) {
          for (const DeadNote& note : notes) told.push_back(note.key.values[0] + "@" + note.position.to_string());
        }});
  transaction(Lsn(600), 2);
  begin(Lsn(700));
  push(table_.row({Lsn(700), 1}, 602, "2"));
  push(change::Commit{Lsn(748)});
  settle();
  Batch batch = take();
  EXPECT_EQ(upserts(batch), 1u);
  EXPECT_EQ(batch.to, streaming(Lsn(748)));
  EXPECT_EQ(told, std::vector<std::string>{"602@0/2BC+1"});
  EXPECT_TRUE(batch.kept.empty());
}

TEST_F(BatchDeadTest, where_one_was_refused_each_transaction_is_a_batch_of_its_own_that_keeps_its_rows) {
  make({.narrowing = alone_until(Lsn(748))});
  for (uint64_t lsn : {600u, 700u, 800u, 900u}) transaction(Lsn(lsn), 2);
  settle();
  for (uint64_t lsn : {600u, 700u}) {
    Batch batch = take();
    EXPECT_EQ(batch.to, streaming(Lsn(lsn + 48)));
    EXPECT_EQ(batch.kept.size(), 2u);
  }
  settle();
  Batch rest = take();
  EXPECT_EQ(rest.rows, 4u);
  EXPECT_TRUE(rest.kept.empty());
}

TEST_F(BatchDeadTest, behind_it_batches_grow_anew) {
  BatchOptions options{.narrowing = alone_until(Lsn(648))};
  options.rows_first = 2;
  make_as_it_is(options);
  transaction(Lsn(600), 1);
  transaction(Lsn(700), 2);
  for (uint64_t lsn = 800; lsn < 1600; lsn += 100) transaction(Lsn(lsn), 1);
  settle();
  EXPECT_EQ(take().rows, 1u);
  EXPECT_EQ(take().rows, 2u);
  EXPECT_EQ(take().rows, 8u);
}

TEST_F(BatchDeadTest, with_too_little_memory_a_transaction_goes_in_pieces) {
  make({.narrowing = Narrowing{.until = {Lsn(648), 0}, .rows = 2, .bytes = 4u << 20, .pieces = true}});
  transaction(Lsn(600), 5);
  transaction(Lsn(700), 5);
  settle();
  EXPECT_EQ(take().to, streaming(Lsn(600), 2));
  EXPECT_EQ(take().to, streaming(Lsn(600), 4));
  EXPECT_EQ(take().to, streaming(Lsn(648)));
  settle();
  EXPECT_EQ(take().rows, 5u);
}

TEST_F(BatchDeadTest, what_was_read_again_goes_along_with_the_transaction_behind_it) {
  // A batch of its own would move no position, and one whose answer is lost could not be told from one that was applied.
  BatchOptions options{.refetched = {read_again("1"), read_again("2")}};
  options.rows_first = 1;
  make_as_it_is(options);
  transaction(Lsn(600), 1);
  settle();
  Batch batch = take();
  EXPECT_EQ(batch.to, streaming(Lsn(648)));
  EXPECT_EQ(upserts(batch), 3u);
}

TEST_F(BatchDeadTest, a_value_that_cannot_be_read_ends_the_pass_with_its_row) {
  make({.keep_values = true});
  transaction(Lsn(600), 1);
  begin(Lsn(700));
  rows(Lsn(700), 1, 1);
  rows(Lsn(700), 2, 2, "no number");
  push(change::Commit{Lsn(748)});
  stream::Step step = settle();
  ASSERT_EQ(step.kind, stream::Step::Kind::failed);
  EXPECT_EQ(step.error->code(), kRowsRefused);
  EXPECT_EQ(step.error->describe().find("no number"), std::string::npos);
  std::vector<RefusedRow> refused = stage_->take_refused();
  ASSERT_EQ(refused.size(), 1u);
  EXPECT_EQ(refused[0].key.values, std::vector<std::string>{"702"});
  EXPECT_EQ(refused[0].position, (change::Position{Lsn(700), 2}));
  EXPECT_EQ(refused[0].values.at(1).second, "no number");
  EXPECT_EQ(refused[0].refusal.error.kind(), ErrorKind::malformed);
  EXPECT_EQ(refused[0].refusal.error.describe().find("no number"), std::string::npos);
}

TEST_F(BatchDeadTest, values_are_told_only_where_they_are_kept) {
  make({});
  transaction(Lsn(600), 1, "no number");
  settle();
  std::vector<RefusedRow> refused = stage_->take_refused();
  ASSERT_EQ(refused.size(), 1u);
  EXPECT_TRUE(refused[0].values.empty());
}

TEST_F(BatchDeadTest, the_copy_leaves_dead_rows_out_and_goes_on_behind_them) {
  BatchOptions options{.start = {.position = {}, .phase = Phase::snapshot}, .dead = {dead("2", {})}};
  options.narrowing = Narrowing{.until = {Lsn(~uint64_t{0}), 0}, .rows = 500, .bytes = 4u << 20};
  make(options);
  push(change::SegmentBegin{"p/0", {0}});
  for (int64_t id : {1, 2}) push(table_.snapshot_row(id, "1"));
  push(change::SegmentEnd{});
  settle();
  Batch batch = take();
  EXPECT_EQ(upserts(batch), 1u);
  EXPECT_EQ(batch.kept.size(), 1u);
  ASSERT_TRUE(batch.segment);
  EXPECT_EQ(batch.segment->last, std::vector<std::string>{"2"});
}

}  // namespace
}  // namespace cnx::apply
