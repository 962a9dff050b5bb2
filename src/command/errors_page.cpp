#include "command/errors_page.hpp"

#include "stream/error_table.hpp"

namespace cnx::command {
namespace {

using stream::RetryClass;

constexpr std::string_view kHead = R"(# Errors

This page is made by `contextnexus docs errors` from the table that the engine decides by; a test fails where it is stale.

A server answers with a code; the code alone (in one case with a word of the message) says what is done. A code that ends with `…` stands for
all that begin so; the first row that fits counts. **What is not listed is unknown, and stops the line with its message**: nothing is lost by that, since
the next start goes on from the position. What becomes of rows: [dead letters](dead-letters.md).

## What is done

| class | what is done |
|---|---|
)";

constexpr std::string_view kRows = "| code | class | what it means | what to do |\n|---|---|---|---|\n";

std::string code_of(const stream::ErrorRow& row) {
  std::string text = "`" + std::string(row.code) + (row.is_prefix() ? "…" : "") + "`";
  if (!row.says.empty()) text += ", saying “" + std::string(row.says) + "”";
  return text;
}

void add_rows(std::string& page, std::span<const stream::ErrorRow> rows) {
  page += kRows;
  for (const stream::ErrorRow& row : rows) {
    page += "| " + code_of(row) + " | " + std::string(to_string(row.retry)) + " | " + std::string(row.what) + " | " +
            std::string(row.advice) + " |\n";
  }
}

}  // namespace

std::string errors_page() {
  std::string page(kHead);
  for (RetryClass retry : {RetryClass::at_once, RetryClass::later, RetryClass::reconnect, RetryClass::smaller, RetryClass::in_pieces,
                           RetryClass::dead_letter, RetryClass::stop}) {
    page += "| **" + std::string(to_string(retry)) + "** | " + std::string(meaning(retry)) + " |\n";
  }
  page += "\n## Without a server's code\n\n| kind | class | what it means |\n|---|---|---|\n";
  for (const stream::ErrorKindRow& row : stream::error_kinds()) {
    page += "| " + std::string(to_string(row.kind)) + " | " + std::string(to_string(row.retry)) + " | " + std::string(row.what) + " |\n";
  }
  page += "\n## Neo4j\n\n";
  add_rows(page, stream::neo4j_errors());
  page += "\n## PostgreSQL\n\n";
  add_rows(page, stream::postgres_errors());
  return page;
}

}  // namespace cnx::command
