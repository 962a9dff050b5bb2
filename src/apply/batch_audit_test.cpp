// What a batch tells the audit of its changes.
#include "apply/testing/batch_line.hpp"

namespace cnx::apply {
namespace {

using change::Lsn;
using mapping::AuditedAs;
using mapping::AuditedRow;

class BatchAuditTest : public testing::BatchLine {
 protected:
  static std::vector<std::string> keys(const std::vector<AuditedRow>& rows) {
    std::vector<std::string> keys;
    for (const AuditedRow& row : rows) keys.push_back((row.as == AuditedAs::held ? "held " : "") + row.key.value_or("-"));
    return keys;
  }
};

using Keys = std::vector<std::string>;

TEST_F(BatchAuditTest, a_batch_tells_each_of_its_changes_where_that_is_asked_for) {
  make({.audits_rows = true});
  transaction(Lsn(600), 2);
  transaction(Lsn(700), 1);
  settle();
  const Batch batch = take();
  EXPECT_EQ(keys(batch.audited), (Keys{"601", "602", "701"}));
  EXPECT_EQ(batch.audited[1].position, (change::Position{Lsn(600), 2}));
}

TEST_F(BatchAuditTest, nothing_is_told_otherwise) {
  make({});
  transaction(Lsn(600), 2);
  settle();
  EXPECT_TRUE(take().audited.empty());
}

TEST_F(BatchAuditTest, a_truncate_is_told) {
  make({.audits_rows = true});
  begin(Lsn(600));
  push(change::Truncate{.position = {Lsn(600), 1}, .relations = {table_.relation}});
  push(change::Commit{Lsn(648)});
  settle();
  const Batch batch = take();
  ASSERT_EQ(batch.audited.size(), 1u);
  EXPECT_EQ(batch.audited[0].operation, mapping::AuditedOperation::truncate);
}

TEST_F(BatchAuditTest, pieces_tell_their_own_rows) {
  make({.transaction_elements_max = 4, .piece_rows = 3, .audits_rows = true});
  transaction(Lsn(600), 7);
  settle();
  Keys told;
  for (int i = 0; i < 3; ++i) {
    const Keys piece = keys(take().audited);
    EXPECT_LE(piece.size(), 3u);
    told.insert(told.end(), piece.begin(), piece.end());
  }
  EXPECT_EQ(told, (Keys{"601", "602", "603", "604", "605", "606", "607"}));
}

TEST_F(BatchAuditTest, a_change_that_is_held_is_told_with_its_own_transaction) {
  make({.audits_rows = true, .dead = {{.key = {{"public", "counted"}, {"id"}, {"701"}}, .since = {Lsn(500), 1}}}});
  transaction(Lsn(600), 1);
  transaction(Lsn(700), 2);
  settle();
  EXPECT_EQ(keys(take().audited), (Keys{"601", "702", "held 701"}));
}

TEST_F(BatchAuditTest, a_letters_own_change_is_not_held_behind_it) {
  make({.audits_rows = true, .dead = {{.key = {{"public", "counted"}, {"id"}, {"601"}}, .since = {Lsn(600), 1}}}});
  transaction(Lsn(600), 2);
  settle();
  EXPECT_EQ(keys(take().audited), (Keys{"602"}));
}

TEST_F(BatchAuditTest, a_held_tables_changes_are_told_and_others_that_are_not_mapped_are_not) {
  make({.held = {{"public", "counted"}}, .audits_rows = true});
  begin(Lsn(600));
  rows(Lsn(600), 1, 1);
  change::RowChange other = table_.row({Lsn(600), 2}, 5, "1");
  other.relation = testing::CountedTable::described("other", 1);
  push(std::move(other));
  push(change::Commit{Lsn(648)});
  settle();
  EXPECT_EQ(keys(take().audited), (Keys{"held 601"}));
}

// They are handed on once more for the audit: the graph has them.
TEST_F(BatchAuditTest, what_was_applied_before_is_told_and_not_applied_again) {
  std::vector<std::pair<Keys, Lsn>> recovered;
  // A table that is another by now is not asked about.
  BatchOptions options{.expects = [](const change::Relation& relation) { return relation.columns.size() == 2; }, .audits_rows = true};
  options.on_recovered = [&](std::vector<AuditedRow>&& rows, Lsn whole) {
    for (const AuditedRow& row : rows) EXPECT_EQ(row.as, AuditedAs::recovered);
    recovered.emplace_back(keys(rows), whole);
  };
  options.start = testing::streaming(Lsn(700), 2);
  make(options);
  begin(Lsn(500));
  change::RowChange older = table_.row({Lsn(500), 1}, 501, "1");
  auto described = std::make_shared<change::Relation>(*table_.relation);
  described->columns.push_back({.name = "gone"});
  older.relation = described;
  push(std::move(older));
  push(change::Commit{Lsn(548)});
  transaction(Lsn(600), 2);
  transaction(Lsn(700), 3);
  settle();
  using Told = std::vector<std::pair<Keys, Lsn>>;
  EXPECT_EQ(recovered, (Told{{{"501"}, Lsn(548)}, {{"601", "602"}, Lsn(648)}, {{"701", "702"}, Lsn(700)}}));
  const Batch batch = take();
  EXPECT_EQ(upserts(batch), 1u);
  EXPECT_EQ(keys(batch.audited), (Keys{"703"}));
}

}  // namespace
}  // namespace cnx::apply
