// contextnexus init: prepares both databases for a pipeline, by an administrator. With --from it makes
// a mapping file instead (infer.cpp).
#include <CLI/CLI.hpp>
#include <cstdio>
#include <fstream>
#include <memory>
#include <nlohmann/json.hpp>

#include "command/infer.hpp"
#include "command/verb.hpp"
#include "pipeline/setup.hpp"

namespace cnx::command {
namespace {

constexpr const char* kFooter =
    "It may be run again: what stands is left, what is missing is made, and nothing is taken "
    "away.\n"
    "Nothing of it is needed at run time.\n\n"
    "Where nobody may be given an administrator's URL:\n\n"
    "  contextnexus init --print-sql --role NAME > prepare.sql   reads the catalog, changes "
    "nothing\n"
    "  psql -f prepare.sql                                       by the administrator\n"
    "  contextnexus init                                         by NAME: the graph's part\n\n"
    "Where there is no mapping yet, --from reads a database's catalog and writes one, and prepares "
    "nothing:\n\n"
    "  contextnexus init --from URL                 writes mapping.yaml, each choice with its "
    "reason\n"
    "  contextnexus init --from URL --mapping -     prints it instead\n"
    "  contextnexus check --mapping mapping.yaml    then this, and init and run likewise\n\n"
    "Tables become nodes by their keys, tables between two others become relationships, and so do "
    "foreign\n"
    "keys. Columns that look like secrets are left out. It reads the catalog and no row, needs no "
    "Neo4j, and\n"
    "never overwrites a file.\n\n"
    "Exit codes: 0 done, 2 wrong words or mapping, or a file that is there already, 4 a database "
    "cannot be\n"
    "reached, 5 some steps need another role: their SQL was printed.";

struct InitFlags {
  ConnectionFlags connection;
  std::string role;
  std::string password_file;
  bool dry_run = false;  // Changes nothing.
  bool print_sql = false;
  bool from = false;  // A mapping file, and no preparation.
  std::vector<std::string> schemas;
};

Result<pipeline::SetupOptions> setup_options(const InitFlags& flags) {
  pipeline::SetupOptions setup;
  if (flags.dry_run) setup.mode = pipeline::SetupMode::dry_run;
  if (flags.print_sql) setup.mode = pipeline::SetupMode::print_sql;
  setup.role = flags.role;
  if (flags.password_file.empty()) return setup;
  std::ifstream file(flags.password_file);
  std::string password;
  if (!std::getline(file, password) || password.empty()) {
    return fail(Error(ErrorKind::invalid, "the password file is empty or cannot be read")
                    .with("file", flags.password_file));
  }
  setup.role_password = Secret(std::move(password));
  return setup;
}

ExitCode print_done(const pipeline::SetupReport& done) {
  for (const std::string& line : done.done) std::printf("%s\n", line.c_str());
  if (done.missing.empty()) return ExitCode::success;
  std::printf("\n-- The role at hand may not do the rest. Let one that may run:\n");
  for (const std::string& sql : done.missing) std::printf("%s\n", sql.c_str());
  return ExitCode::incomplete;
}

// What was done or would be, by the form that was asked for.
ExitCode print_json(const std::string& pipeline, const InitFlags& flags, const pipeline::SetupReport& done) {
  nlohmann::ordered_json json = {{"pipeline", pipeline}};
  if (flags.print_sql) {
    json["sql"] = done.sql;
  } else if (flags.dry_run) {
    json["planned"] = done.planned;
  } else {
    json["done"] = done.done;
    json["missing"] = done.missing;
  }
  std::printf("%s\n", json.dump(2).c_str());
  return done.missing.empty() ? ExitCode::success : ExitCode::incomplete;
}

ExitCode init(const InitFlags& flags) {
  if (flags.from) return infer_file(flags.connection, flags.schemas);
  Result<pipeline::PipelineOptions> options =
      flags.print_sql ? source_options(flags.connection) : pipeline_options(flags.connection);
  if (!options) return report(flags.connection, options.error());
  Result<pipeline::SetupOptions> setup = setup_options(flags);
  if (!setup) return report(flags.connection, setup.error());
  Result<pipeline::SetupReport> done = pipeline::set_up(*options, *setup);
  if (!done) return report(flags.connection, done.error());
  if (flags.connection.json) return print_json(options->name, flags, *done);
  if (flags.print_sql) {
    std::printf("%s", done->sql.c_str());
    return ExitCode::success;
  }
  if (!flags.dry_run) return print_done(*done);
  if (done->planned.empty()) {
    std::printf("nothing to do: all stands as it has to be\n");
  } else {
    std::printf("-- init would do this; nothing was changed\n");
  }
  for (const std::string& line : done->planned) std::printf("%s\n", line.c_str());
  return ExitCode::success;
}

void add_from_flags(CLI::App& verb, const std::shared_ptr<InitFlags>& flags) {
  InitFlags* at = flags.get();
  CLI::Option* from = verb.add_option_function<std::string>(
      "--from",
      [at](const std::string& url) {
        at->from = true;
        at->connection.line.flags.push_back({"postgres.url", url, "--from"});
      },
      "Write a mapping file from this database's catalog (--mapping: mapping.yaml; - prints it), and "
      "prepare nothing");
  from->type_name("URL");
  for (const char* other : {"--postgres", "--role", "--role-password-file", "--dry-run", "--print-sql"}) {
    from->excludes(verb.get_option(other));
  }
  verb.add_option("--schema", flags->schemas,
                  "With --from: only this schema's tables; may be repeated. Not given: all but "
                  "PostgreSQL's own and the engine's")
      ->type_name("NAME")
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll)
      ->needs(from);
}

}  // namespace

void add_init(CLI::App& program, Action& action) {
  CLI::App* verb =
      program.add_subcommand("init",
                             "Prepare both databases: role, grants, publication, constraints, the "
                             "position. With an administrator's URLs. With --from: make a mapping "
                             "file from a database");
  auto flags = std::make_shared<InitFlags>();
  add_connection_flags(*verb, flags->connection);
  verb->add_option("--role", flags->role,
                   "The role that will run the pipeline: made if it is missing, with REPLICATION "
                   "and no superuser's rights. "
                   "Not given: the role of the URL")
      ->type_name("NAME");
  verb->add_option("--role-password-file", flags->password_file,
                   "Its password: the first line of this file")
      ->type_name("FILE");
  add_json_flag(*verb, flags->connection);
  CLI::Option* dry_run =
      verb->add_flag("--dry-run", flags->dry_run, "Say what would be done, and change nothing");
  verb->add_flag("--print-sql", flags->print_sql,
                 "Print PostgreSQL's part as SQL for an administrator, and change nothing")
      ->excludes(dry_run);
  add_from_flags(*verb, flags);
  verb->footer(kFooter);
  verb->callback([flags, &action] { action = [flags] { return init(*flags); }; });
}

}  // namespace cnx::command
