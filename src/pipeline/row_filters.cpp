#include "pipeline/row_filters.hpp"

#include <algorithm>

namespace cnx::pipeline {

Result<std::map<postgres::TableName, Error>> read_row_filters(postgres::Session& session, const mapping::Mapping& mapping,
                                                              std::vector<postgres::Table>& tables, TimePoint deadline) {
  std::map<postgres::TableName, Error> refused;
  for (postgres::Table& table : tables) {
    const mapping::TableRule* rule = mapping.find(table.name);
    if (rule == nullptr || rule->where.empty()) continue;
    Result<postgres::RowFilter> read = postgres::read_row_filter(session, table.name, rule->where, deadline);
    if (read) {
      table.filter = *std::move(read);
    } else if (read.error().kind() == ErrorKind::invalid) {
      refused.emplace(table.name, std::move(read.error()));
    } else {
      return fail(std::move(read.error()));
    }
  }
  return refused;
}

std::vector<std::string> columns_beyond_identity(const postgres::Table& table) {
  const std::vector<std::string> identity = table.identity_columns();
  std::vector<std::string> beyond;
  for (const std::string& column : table.filter.columns) {
    if (std::find(identity.begin(), identity.end(), column) == identity.end()) beyond.push_back(column);
  }
  return beyond;
}

Status check_filter_columns(const std::vector<postgres::Table>& tables) {
  for (const postgres::Table& table : tables) {
    const std::vector<std::string> beyond = columns_beyond_identity(table);
    if (beyond.empty()) continue;
    return fail(Error(ErrorKind::invalid,
                      "`where` reads a column that is no part of the replica identity: PostgreSQL would refuse every UPDATE and "
                      "DELETE of the table once it is published")
                    .with("table", postgres::to_string(table.name))
                    .with("column", beyond.front())
                    .advise("ALTER TABLE " + postgres::quote_table(table.name) +
                            " REPLICA IDENTITY FULL, or filter by key columns alone"));
  }
  return {};
}

bool sends_rows_of(const postgres::PublishedTable& published, const postgres::Table& table) {
  if (!table.filter.known) return !published.row_filter.empty();
  return published.row_filter == table.filter.printed;
}

}  // namespace cnx::pipeline
