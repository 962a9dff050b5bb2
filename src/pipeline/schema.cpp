#include "pipeline/schema.hpp"

#include <charconv>
#include <span>
#include <utility>

#include "base/clock.hpp"

namespace cnx::pipeline {

namespace embedded {
std::span<const std::pair<std::string_view, std::string_view>> migrations();
}

namespace {

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

}  // namespace

Result<std::vector<InstalledMigration>> install_schema(postgres::Session& session) {
  CNX_TRY(session.execute(kKeeper, Clock::now() + kMigrationMax));
  std::vector<InstalledMigration> installed;
  for (const auto& [name, text] : embedded::migrations()) {
    CNX_TRY(InstalledMigration migration, install_one(session, name, text));
    installed.push_back(std::move(migration));
  }
  return installed;
}

Status install_engine_schema(postgres::Session& session) {
  CNX_TRY(session.execute(kKeeper, Clock::now() + kMigrationMax));
  const auto& [name, text] = embedded::migrations().front();
  CNX_TRY(install_one(session, name, text));
  return {};
}

std::string engine_schema_sql() {
  return std::string(kKeeper) + ";\n\n" + std::string(embedded::migrations().front().second);
}

}  // namespace cnx::pipeline
