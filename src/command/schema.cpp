// contextnexus schema install: the built-in tables, in PostgreSQL.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>

#include "command/verb.hpp"
#include "pipeline/schema.hpp"

namespace cnx::command {
namespace {

constexpr Duration kConnectMax = std::chrono::seconds(30);

ExitCode install(const ConnectionFlags& flags) {
  Result<postgres::ConnectionOptions> options = postgres_options(flags);
  if (!options) return report(flags, options.error());
  Result<postgres::Session> session = postgres::Session::open(*options, Clock::now() + kConnectMax);
  if (!session) return report(flags, std::move(session.error()).wrap("connecting to PostgreSQL"));
  auto installed = pipeline::install_schema(*session);
  if (!installed) return report(flags, installed.error());
  if (flags.json) {
    nlohmann::ordered_json migrations = nlohmann::ordered_json::array();
    for (const pipeline::InstalledMigration& migration : *installed) {
      migrations.push_back({{"name", migration.name}, {"changed", migration.changed}});
    }
    std::printf("%s\n", nlohmann::ordered_json{{"migrations", migrations}}.dump(2).c_str());
    return ExitCode::success;
  }
  for (const pipeline::InstalledMigration& migration : *installed) {
    std::printf("%-32s %s\n", migration.name.c_str(), migration.changed ? "installed" : "was there");
  }
  return ExitCode::success;
}

}  // namespace

void add_schema(CLI::App& program, Action& action) {
  CLI::App* schema = program.add_subcommand("schema", "The built-in schema for knowledge: tenants, threads, content, messages");
  schema->require_subcommand(1);
  CLI::App* verb = schema->add_subcommand("install", "Make or update its tables; may be run again at any time");
  auto flags = std::make_shared<ConnectionFlags>();
  add_postgres_flag(*verb, *flags);
  add_json_flag(*verb, *flags);
  verb->callback([flags, &action] { action = [flags] { return install(*flags); }; });
}

}  // namespace cnx::command
