// The mapped tables as the catalog has them now, and what stands in the way of following each: that holds the table alone.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "mapping/catalog_check.hpp"
#include "pipeline/catalog.hpp"
#include "pipeline/table_shape.hpp"
#include "postgres/publication.hpp"

namespace cnx::pipeline {

// The catalog as one transaction saw it.
struct LiveTables {
  std::vector<postgres::Table> tables;
  std::vector<TableShape> shapes;
  std::optional<postgres::Publication> publication;
  postgres::TypeCatalog types;
  change::Lsn log_end;
};

// Why a table cannot be followed, and what mends it.
struct TableProblem {
  std::string reason;
  std::string advice;
};

// In one transaction. Blocks until `deadline`; kinds as Session.
Result<LiveTables> read_live_tables(postgres::Session& session, const mapping::Mapping& mapping, const std::string& publication,
                                    TimePoint deadline);

// Where the table is not there, or is not as the rule has it (`faults`: the whole mapping's), or cannot be read or followed. Pure.
std::optional<TableProblem> problem_of(const LiveTables& live, const mapping::TableRule& rule,
                                       const std::vector<mapping::CatalogFault>& faults);

// A table that came under the name of another is in no publication yet. Says whether it was put there: the role may lack the
// right, and rows of a filter are an administrator's to publish. Blocks until `deadline`.
Result<bool> publish(postgres::Session& session, const std::string& publication, const postgres::Table& table, TimePoint deadline);

}  // namespace cnx::pipeline
