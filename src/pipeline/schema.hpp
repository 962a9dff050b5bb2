// The built-in schema: sql/*.sql, embedded, installed in order, each in a transaction of its own.
#pragma once

#include <string>
#include <vector>

#include "base/result.hpp"
#include "postgres/session.hpp"

namespace cnx::pipeline {

struct InstalledMigration {
  std::string name;
  bool changed = false;  // It was new, or its text differs from the one that was installed last.
};

// Runs every migration: each may be run again at any time and changes nothing that already stands. What was run is kept in
// contextnexus.schema_migrations. Blocks; an error names the file.
Result<std::vector<InstalledMigration>> install_schema(postgres::Session& session);

// Only the engine's own part (roles and tables of the schema contextnexus), for databases with tables of their own.
Status install_engine_schema(postgres::Session& session);
// The same as SQL to be run by somebody else, in a transaction: statements that end with semicolons.
std::string engine_schema_sql();

}  // namespace cnx::pipeline
