#include "command/audit_lines.hpp"

#include <gtest/gtest.h>

#include "command/table_text.hpp"

namespace cnx::command {
namespace {

record::AuditRecord change() {
  return {.at = "2026-11-27T10:00:00.123456Z",
          .correlation_id = "8d3a64c1-98be-57b2-9470-a7b04da1fc8a",
          .operation = "update",
          .table = "public.users",
          .key = "17",
          .tenant = "acme",
          .position = "0/2A+3",
          .attempt = 1,
          .seconds = 0.0042,
          .outcome = "applied"};
}

TEST(AuditLines, a_change_says_what_and_how_and_what_finds_it) {
  EXPECT_EQ(audit_lines(change(), 100),
            "2026-11-27T10:00:00.123Z  applied  update  public.users (17)\n"
            "    8d3a64c1-98be-57b2-9470-a7b04da1fc8a at 0/2A+3 attempt 1 4.2 ms tenant acme\n");
}

TEST(AuditLines, a_key_that_changed_shows_both) {
  record::AuditRecord record = change();
  record.old_key = "16";
  EXPECT_NE(audit_lines(record, 100).find("public.users (16 → 17)"), std::string::npos);
}

TEST(AuditLines, a_batch_says_its_rows_and_its_reach) {
  const record::AuditRecord record{.at = "2026-11-27T10:00:00.123456Z",
                                   .operation = "batch",
                                   .position = "0/2A",
                                   .from = "0/10",
                                   .rows = 20,
                                   .refused = 2,
                                   .attempt = 3,
                                   .seconds = 2.5,
                                   .outcome = "retried",
                                   .code = "Neo.TransientError.Transaction.DeadlockDetected"};
  EXPECT_EQ(audit_lines(record, 120),
            "2026-11-27T10:00:00.123Z  retried  batch  20 rows, 2 of them refused\n"
            "    0/10 to 0/2A attempt 3 2.5 s Neo.TransientError.Transaction.DeadlockDetected\n");
}

TEST(AuditLines, no_key_makes_a_line_longer_than_the_terminal_or_breaks_it) {
  record::AuditRecord record = change();
  record.key = std::string(500, 'x') + "\n" + std::string(500, 'y');
  record.tenant = "é\t" + std::string(300, 'z');
  const std::string text = audit_lines(record, 80);
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 2);
  const size_t end = text.find('\n');
  EXPECT_EQ(length_of(text.substr(0, end)), 80u);
  EXPECT_EQ(length_of(text.substr(end + 1)), 81u) << "with its line feed";
  EXPECT_EQ(text.find('\t'), std::string::npos);
}

}  // namespace
}  // namespace cnx::command
