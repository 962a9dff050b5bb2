#include "pipeline/schema.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <span>
#include <utility>

#include "base/clock.hpp"

namespace cnx::pipeline {

namespace embedded {
std::span<const std::pair<std::string_view, std::string_view>> migrations();
}

namespace {

// The migrations that the engine needs wherever it works; the others are the built-in schema's.
constexpr std::array kEngineMigrations = {std::string_view("001_engine.sql"), std::string_view("008_pipeline_state.sql"),
                                         std::string_view("009_dead_letters.sql"), std::string_view("010_source_safety.sql"),
                                         std::string_view("011_audit.sql"), std::string_view("012_conflicts.sql")};

bool is_engines(std::string_view name) {
  return std::find(kEngineMigrations.begin(), kEngineMigrations.end(), name) != kEngineMigrations.end();
}

constexpr Duration kMigrationMax = std::chrono::minutes(10);

constexpr std::string_view kKeeper =
    "CREATE SCHEMA IF NOT EXISTS contextnexus; "
    "CREATE TABLE IF NOT EXISTS contextnexus.schema_migrations ("
    "number int PRIMARY KEY, name text NOT NULL, checksum text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now())";

Result<InstalledMigration> install(postgres::Session& session, std::string_view name, std::string_view text) {
  TimePoint deadline = Clock::now() + kMigrationMax;
  int number = 0;
  std::from_chars(name.data(), name.data() + name.size(), number);
  CNX_TRY(session.execute("BEGIN", deadline));
  CNX_TRY(session.execute(text, deadline));
  CNX_TRY(postgres::Rows rows,
          session.query("INSERT INTO contextnexus.schema_migrations AS m (number, name, checksum) "
                        "VALUES ($1, $2, pg_catalog.md5($3)) ON CONFLICT (number) DO UPDATE SET name = excluded.name, "
                        "checksum = excluded.checksum, applied_at = now() WHERE m.checksum <> excluded.checksum RETURNING 1",
                        {std::to_string(number), std::string(name), std::string(text)}, deadline));
  CNX_TRY(session.execute("COMMIT", deadline));
  return InstalledMigration{std::string(name), !rows.empty()};
}

Result<InstalledMigration> install_one(postgres::Session& session, std::string_view name, std::string_view text) {
  Result<InstalledMigration> installed = install(session, name, text);
  if (installed) return installed;
  // A session whose transaction failed is of use again only after its end.
  if (installed.error().kind() == ErrorKind::server) CNX_TRY(session.execute("ROLLBACK", Clock::now() + kMigrationMax));
  return fail(std::move(installed.error()).wrap("installing " + std::string(name)));
}

Error newer(int version) {
  return Error(ErrorKind::unsupported, "the tables of the schema contextnexus were made by a newer version of this program")
      .with("version", std::to_string(version))
      .with("known", std::to_string(kEngineVersion))
      .advise("use that version or a later one");
}

}  // namespace

Result<int> read_engine_version(postgres::Session& session, TimePoint deadline) {
  // The catalog is open to every role; the schema itself may not be yet.
  CNX_TRY(postgres::Rows tables,
          session.query("SELECT c.relname FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace "
                        "WHERE n.nspname = 'contextnexus' AND c.relname IN ('pipelines', 'version') ORDER BY 1 DESC",
                        deadline));
  if (tables.empty()) return 0;
  if (tables.text(0, 0) != "version") return 1;  // The first ones did not say it.
  Result<postgres::Rows> rows = session.query("SELECT version FROM contextnexus.version", deadline);
  if (!rows) {
    return fail(std::move(rows.error())
                    .wrap("reading the version of the schema contextnexus")
                    .advise("GRANT contextnexus_engine TO the role; or contextnexus init --role"));
  }
  if (rows->empty()) return 1;
  CNX_TRY(int64_t version, rows->integer(0, 0));
  return static_cast<int>(version);
}

Status refuse_newer_version(postgres::Session& session) {
  CNX_TRY(int version, read_engine_version(session, Clock::now() + kMigrationMax));
  if (version > kEngineVersion) return fail(newer(version));
  return {};
}

Status check_engine_version(postgres::Session& session, TimePoint deadline) {
  CNX_TRY(int version, read_engine_version(session, deadline));
  if (version == 0 || version == kEngineVersion) return {};
  if (version > kEngineVersion) return fail(newer(version));
  return fail(Error(ErrorKind::invalid, "the tables of the schema contextnexus are of an older version of this program")
                  .with("version", std::to_string(version))
                  .with("needed", std::to_string(kEngineVersion))
                  .advise("contextnexus init, or schema install, brings them up to date; by a role that owns them"));
}

Result<std::vector<InstalledMigration>> install_schema(postgres::Session& session) {
  CNX_TRY(refuse_newer_version(session));
  CNX_TRY(session.execute(kKeeper, Clock::now() + kMigrationMax));
  std::vector<InstalledMigration> installed;
  for (const auto& [name, text] : embedded::migrations()) {
    CNX_TRY(InstalledMigration migration, install_one(session, name, text));
    installed.push_back(std::move(migration));
  }
  return installed;
}

Status install_engine_schema(postgres::Session& session) {
  CNX_TRY(refuse_newer_version(session));
  CNX_TRY(session.execute(kKeeper, Clock::now() + kMigrationMax));
  for (const auto& [name, text] : embedded::migrations()) {
    if (is_engines(name)) CNX_TRY(install_one(session, name, text));
  }
  return {};
}

std::string engine_schema_sql() {
  std::string sql = std::string(kKeeper) + ";\n";
  for (const auto& [name, text] : embedded::migrations()) {
    if (is_engines(name)) sql += "\n" + std::string(text);
  }
  return sql;
}

}  // namespace cnx::pipeline
