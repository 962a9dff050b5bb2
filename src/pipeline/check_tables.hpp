// The preflight's part about tables: the mapping against the live catalog, how each table is
// followed, and what the publication carries.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "mapping/rules.hpp"
#include "pipeline/findings.hpp"
#include "postgres/catalog.hpp"
#include "postgres/publication.hpp"
#include "postgres/server.hpp"
#include "record/sync_tables.hpp"

namespace cnx::pipeline {

// Pure. Every fault at once; `tables` are those of the mapping that exist.
void judge_mapping(Findings& findings, const mapping::Mapping& mapping,
                   const std::vector<postgres::Table>& tables, const postgres::TypeCatalog& types);
// Kind, persistence, row-level security, replica identity and key of each mapped table.
void judge_tables(Findings& findings, const mapping::Mapping& mapping,
                  const std::vector<postgres::Table>& tables, const postgres::ServerInfo& server);
// `found`: which tables are written back, and which that have the columns are not.
void judge_write_back(Findings& findings, const record::SyncTables& found);
void judge_publication(Findings& findings, const mapping::Mapping& mapping,
                       const std::vector<postgres::Table>& tables,
                       const std::optional<postgres::Publication>& publication,
                       const std::string& name);

// Reads no row of each mapped table, under the row-level security that the copy will use.
void try_reading(Findings& findings, postgres::Session& session,
                 const std::vector<postgres::Table>& tables, const postgres::ServerInfo& server,
                 TimePoint deadline);

}  // namespace cnx::pipeline
