// contextnexus init: prepares both databases for a pipeline, by an administrator.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <fstream>
#include <memory>

#include "command/verb.hpp"
#include "pipeline/setup.hpp"

namespace cnx::command {
namespace {

struct InitFlags {
  ConnectionFlags connection;
  std::string role;
  std::string password_file;
};

ExitCode init(const InitFlags& flags) {
  Result<pipeline::PipelineOptions> options = pipeline_options(flags.connection);
  if (!options) return report(options.error());
  pipeline::SetupOptions setup;
  setup.role = flags.role;
  if (!flags.password_file.empty()) {
    std::ifstream file(flags.password_file);
    std::string password;
    if (!std::getline(file, password) || password.empty()) {
      return report(Error(ErrorKind::invalid, "the password file is empty or cannot be read").with("file", flags.password_file));
    }
    setup.role_password = Secret(std::move(password));
  }
  Result<pipeline::SetupReport> done = pipeline::set_up(*options, setup);
  if (!done) return report(done.error());
  for (const std::string& line : done->done) std::printf("%s\n", line.c_str());
  if (done->missing.empty()) return ExitCode::success;
  std::printf("\n-- The role at hand may not do the rest. Let one that may run:\n");
  for (const std::string& sql : done->missing) std::printf("%s\n", sql.c_str());
  return ExitCode::incomplete;
}

}  // namespace

void add_init(CLI::App& program, Action& action) {
  CLI::App* verb = program.add_subcommand(
      "init", "Prepare both databases: role, grants, publication, constraints, the position. With an administrator's URLs");
  auto flags = std::make_shared<InitFlags>();
  add_connection_flags(*verb, flags->connection);
  verb->add_option("--role", flags->role,
                   "The role that will run the pipeline: made if it is missing, with REPLICATION and no superuser's rights. "
                   "Not given: the role of the URL")
      ->type_name("NAME");
  verb->add_option("--role-password-file", flags->password_file, "Its password: the first line of this file")
      ->type_name("FILE");
  verb->callback([flags, &action] { action = [flags] { return init(*flags); }; });
}

}  // namespace cnx::command
