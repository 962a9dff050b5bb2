#include "pipeline/live_tables.hpp"

#include "pipeline/row_filters.hpp"

namespace cnx::pipeline {

Result<LiveTables> read_live_tables(postgres::Session& session, const mapping::Mapping& mapping, const std::string& publication,
                                    TimePoint deadline) {
  const std::vector<postgres::TableName> names = mapping.table_names();
  LiveTables live;
  CNX_TRY(session.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", deadline));
  CNX_TRY(live.tables, postgres::read_tables(session, names, deadline));
  CNX_TRY(live.shapes, read_shapes(session, names, publication, deadline));
  CNX_TRY(live.types, postgres::read_types(session, deadline));
  CNX_TRY(live.publication, postgres::read_publication(session, publication, deadline));
  CNX_TRY(postgres::Rows end, session.query("SELECT pg_catalog.pg_current_wal_insert_lsn()", deadline));
  CNX_TRY(live.log_end, end.lsn(0, 0));
  CNX_TRY(session.execute("COMMIT", deadline));
  return live;
}

std::optional<TableProblem> problem_of(const LiveTables& live, const mapping::TableRule& rule,
                                       const std::vector<mapping::CatalogFault>& faults) {
  const postgres::Table* table = find_table(live.tables, rule.table);
  if (table == nullptr) {
    return TableProblem{"the table is not there any more",
                        "create it again, or take it out of the mapping (under its new name, if it was renamed)"};
  }
  for (const mapping::CatalogFault& fault : faults) {
    if (fault.table == rule.table) return TableProblem{fault.message, fault.advice};
  }
  Status fits = check_table(*table, key_of(rule));
  if (fits) fits = check_filter_columns({*table});
  if (!fits) return TableProblem{fits.error().describe(), fits.error().advice()};
  return std::nullopt;
}

Result<bool> publish(postgres::Session& session, const std::string& publication, const postgres::Table& table, TimePoint deadline) {
  if (!table.filter.sql.empty()) return false;
  Status added = postgres::add_to_publication(session, publication, {table.name}, deadline);
  if (added) return true;
  if (added.error().root().kind() == ErrorKind::server) return false;
  return fail(std::move(added.error()));
}

}  // namespace cnx::pipeline
