#include "postgres/row_filter.hpp"

namespace cnx::postgres {
namespace {

constexpr std::string_view kInsufficientPrivilege = "42501";
// Of a temporary table; it is gone before anybody else could meet it.
constexpr std::string_view kName = "pg_temp._cnx_row_filter";

constexpr std::string_view kConstraint = R"sql(
SELECT pg_catalog.pg_get_expr(c.conbin, c.conrelid),
       ARRAY(SELECT a.attname::text FROM pg_catalog.pg_attribute a
             WHERE a.attrelid = c.conrelid AND a.attnum = ANY (c.conkey) ORDER BY a.attnum)
FROM pg_catalog.pg_constraint c
WHERE c.conrelid = 'pg_temp._cnx_row_filter'::pg_catalog.regclass AND c.conname = '_cnx_row_filter')sql";

Result<RowFilter> ask(Session& session, const TableName& table, const std::string& sql, TimePoint deadline) {
  const std::string name(kName);
  CNX_TRY(session.execute("CREATE TEMPORARY TABLE " + name + " (LIKE " + quote_table(table) + ")", deadline));
  CNX_TRY(session.execute("ALTER TABLE " + name + " ADD CONSTRAINT _cnx_row_filter CHECK " + enclosed(sql), deadline));
  CNX_TRY(Rows rows, session.query(kConstraint, deadline));
  if (rows.empty()) return fail(ErrorKind::malformed, "PostgreSQL does not tell of a constraint that it just made");
  RowFilter filter{.sql = sql, .printed = std::string(rows.text(0, 0)), .columns = {}};
  CNX_TRY(filter.columns, rows.texts(0, 1));
  return filter;
}

}  // namespace

std::string enclosed(const std::string& sql) {
  return "(" + sql + "\n)";
}

Result<RowFilter> read_row_filter(Session& session, const TableName& table, const std::string& sql, TimePoint deadline) {
  CNX_TRY(session.execute("BEGIN READ WRITE", deadline));
  Result<RowFilter> filter = ask(session, table, sql, deadline);
  CNX_TRY(session.execute("ROLLBACK", deadline));
  if (filter || filter.error().root().kind() != ErrorKind::server) return filter;
  if (filter.error().root().code() == kInsufficientPrivilege) {
    return RowFilter{.sql = sql, .printed = {}, .columns = {}, .known = false};
  }
  return fail(Error(ErrorKind::invalid, "the mapping's `where` is no condition on the table's rows: " + filter.error().root().message())
                  .with("table", to_string(table))
                  .advise("it stands as in SELECT … WHERE, over the columns of this table alone"));
}

}  // namespace cnx::postgres
