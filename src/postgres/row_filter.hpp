// A condition on a table's rows, as SQL: the publication and the copy take only the rows for which it holds.
#pragma once

#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "postgres/quote.hpp"
#include "postgres/session.hpp"

namespace cnx::postgres {

struct RowFilter {
  std::string sql;      // Of the mapping's; empty: all rows.
  std::string printed;  // As PostgreSQL prints it, and so in pg_publication_tables; empty where `sql` is.
  std::vector<std::string> columns;  // That it reads.
  // PostgreSQL could be asked: `printed` and `columns` are known. Not where the role may not make a temporary table.
  bool known = true;
};

// "(sql)", for a WHERE: a comment at its end cannot swallow what follows.
std::string enclosed(const std::string& sql);

// What PostgreSQL makes of the condition on that table, by a CHECK of a temporary table that is rolled back. ErrorKind::invalid,
// with PostgreSQL's own word, where it is none. Not inside a transaction. Blocks until `deadline`; other kinds as Session.
Result<RowFilter> read_row_filter(Session& session, const TableName& table, const std::string& sql, TimePoint deadline);

}  // namespace cnx::postgres
