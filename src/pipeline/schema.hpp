// The built-in schema: sql/*.sql, embedded, installed in order, each in a transaction of its own.
#pragma once

#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "postgres/session.hpp"

namespace cnx::pipeline {

// Of the tables that the engine keeps for itself. Raised with each migration that changes them.
constexpr int kEngineVersion = 5;

// As the database has them; 0: it has none. Blocks until `deadline`.
Result<int> read_engine_version(postgres::Session& session, TimePoint deadline);
// Whether this program may work with them. unsupported: they are of a newer program, and are left alone. invalid: they are
// older, and `init` brings them up to date. None at all is success: who needs them finds that out.
Status check_engine_version(postgres::Session& session, TimePoint deadline);

// unsupported where they are of a newer program; older ones are no fault here.
Status refuse_newer_version(postgres::Session& session);

struct InstalledMigration {
  std::string name;
  bool changed = false;  // It was new, or its text differs from the one that was installed last.
};

// Runs every migration: each may be run again at any time and changes nothing that already stands. What was run is kept in
// contextnexus.schema_migrations. Blocks; an error names the file. unsupported: what is there is of a newer program.
Result<std::vector<InstalledMigration>> install_schema(postgres::Session& session);

// Only the engine's own part (roles and tables of the schema contextnexus), for databases with tables of their own; also
// brings an older one up to date.
Status install_engine_schema(postgres::Session& session);
// The same as SQL to be run by somebody else, in a transaction: statements that end with semicolons.
std::string engine_schema_sql();

}  // namespace cnx::pipeline
