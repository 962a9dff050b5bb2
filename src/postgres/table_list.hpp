// All tables of a database with what people wrote about them: what a mapping is inferred from. The
// tables' own facts are the catalog's (catalog.hpp).
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "postgres/catalog.hpp"
#include "postgres/session.hpp"

namespace cnx::postgres {

struct DescribedTable {
  Table table;
  std::string comment;  // COMMENT ON TABLE, as it is; empty where there is none.
  std::map<std::string, std::string>
      column_comments;             // Column → its comment; only those that have one.
  std::vector<TableName> parents;  // It INHERITS from these. Of a partition: none.
};

struct TableList {
  std::string database;
  std::vector<DescribedTable> tables;  // By schema and name.
};

// Tables, views and foreign tables of `schemas`; where that is empty, of all but PostgreSQL's own
// and the engine's. What an extension has made is left out. All of one moment. A schema that does
// not exist is ErrorKind::invalid. Blocks until `deadline`; other kinds as Session.
Result<TableList> list_tables(Session& session, const std::vector<std::string>& schemas,
                              TimePoint deadline);

}  // namespace cnx::postgres
