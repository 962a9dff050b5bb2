#include "record/audit_text.hpp"

#include <gtest/gtest.h>

#include "postgres/copy_text.hpp"

namespace cnx::record {
namespace {

const change::CorrelationSource kSource{"7012345678901234567", "app"};

// Columns of the only line, as PostgreSQL reads them; "-" for NULL.
std::vector<std::string> columns_of(std::string lines) {
  EXPECT_EQ(std::count(lines.begin(), lines.end(), '\n'), 1) << lines;
  const size_t columns = 20;
  auto row = postgres::decode_copy_line(lines, columns);
  EXPECT_TRUE(row) << lines;
  std::vector<std::string> texts;
  if (!row) return texts;
  for (const change::DatumView& column : *row) {
    texts.emplace_back(column.kind == change::DatumView::Kind::null ? "-" : std::string(column.text));
  }
  return texts;
}

change::RelationPtr relation() {
  auto made = std::make_shared<change::Relation>();
  made->schema = "public";
  made->name = "odd\tname";
  return made;
}

TEST(AuditText, the_copy_names_as_many_columns_as_a_line_has) {
  const std::string text = audit_copy_text();
  EXPECT_EQ(std::count(text.begin(), text.end(), ','), 19);
}

TEST(AuditText, a_batch_is_a_line) {
  const AuditEntry entry{.at_microseconds = 1'700'000'000'123'456,
                         .operation = "batch",
                         .correlation_id = "8d3a64c1-98be-57b2-9470-a7b04da1fc8a",
                         .position = {change::Lsn(0x10000002A), 0},
                         .from = change::Position{change::Lsn(0x100000000), 3},
                         .rows = 17,
                         .attempt = 2,
                         .seconds = 0.0125,
                         .outcome = "retried",
                         .code = "Neo.TransientError.Transaction.DeadlockDetected"};
  std::string lines;
  EXPECT_EQ(add_lines(lines, "app_line", entry), 1u);
  EXPECT_EQ(columns_of(lines),
            (std::vector<std::string>{"2023-11-14 22:13:20.123456+00", "app_line", "8d3a64c1-98be-57b2-9470-a7b04da1fc8a", "-", "batch", "-",
                                      "-", "-", "-", "-", "1/2A", "0", "1/0", "3", "17", "-", "2", "0.012500", "retried",
                                      "Neo.TransientError.Transaction.DeadlockDetected"}));
}

TEST(AuditText, each_change_has_its_own_id_and_its_batchs_and_nothing_breaks_its_line) {
  AuditEntry entry{.at_microseconds = 0, .correlation_id = "batch-id", .attempt = 1, .seconds = 1.0, .outcome = "applied", .source = kSource};
  entry.changes.push_back({.operation = mapping::AuditedOperation::update,
                           .relation = relation(),
                           .position = {change::Lsn(0x10000002A), 3},
                           .key = "a\tb\\c\nd\re",
                           .old_key = "",
                           .tenant = "\\N"});
  std::string lines;
  EXPECT_EQ(add_lines(lines, "p", entry), 1u) << "an entry without an operation has no line of its own";
  EXPECT_EQ(columns_of(lines), (std::vector<std::string>{"1970-01-01 00:00:00.000000+00", "p",
                                                         change::correlation_id(kSource, {change::Lsn(0x10000002A), 3}), "batch-id", "update",
                                                         "public", "odd\tname", "a\tb\\c\nd\re", "", "\\N", "1/2A", "3", "-", "-", "-", "-",
                                                         "1", "1.000000", "applied", "-"}));
}

TEST(AuditText, what_was_not_tried_now_says_so) {
  AuditEntry entry{.attempt = 4, .seconds = 1.0, .outcome = "applied", .source = kSource};
  for (const auto as : {mapping::AuditedAs::held, mapping::AuditedAs::recovered}) {
    entry.changes = {{.as = as, .relation = relation(), .position = {change::Lsn(0x2A), 1}, .key = "1"}};
    std::string lines;
    add_lines(lines, "p", entry);
    const std::vector<std::string> columns = columns_of(lines);
    ASSERT_EQ(columns.size(), 20u);
    EXPECT_EQ(columns[18], as == mapping::AuditedAs::held ? "held" : "recovered");
    EXPECT_EQ(columns[16], "0");
    EXPECT_EQ(columns[17], "-");
  }
}

TEST(AuditText, a_row_that_was_read_again_is_no_change_of_a_position) {
  AuditEntry entry{.outcome = "applied", .source = kSource};
  entry.changes = {{.operation = mapping::AuditedOperation::read_again, .relation = relation(), .position = {change::Lsn(0x2A), 0}, .key = "1"}};
  std::string lines;
  add_lines(lines, "p", entry);
  EXPECT_EQ(columns_of(lines)[2], "-");
}

TEST(AuditText, days_are_of_utc) {
  EXPECT_EQ(day_of({.at_microseconds = 0}), 0);
  EXPECT_EQ(day_of({.at_microseconds = int64_t{86'400'000'000} - 1}), 0);
  EXPECT_EQ(day_of({.at_microseconds = int64_t{86'400'000'000}}), 1);
  EXPECT_EQ(day_of({.at_microseconds = -1}), -1);
}

TEST(AuditText, levels_are_known_by_their_words) {
  EXPECT_EQ(audit_level("all"), AuditLevel::all);
  EXPECT_EQ(audit_level("batches"), AuditLevel::batches);
  EXPECT_EQ(audit_level("failures"), AuditLevel::failures);
  EXPECT_EQ(audit_level("off"), AuditLevel::off);
}

}  // namespace
}  // namespace cnx::record
