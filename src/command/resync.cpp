// contextnexus resync: read tables again, or all of them behind a new slot where the graph lacks changes.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>

#include "command/verb.hpp"
#include "pipeline/resync_request.hpp"

namespace cnx::command {
namespace {

struct ResyncFlags {
  ConnectionFlags connection;
  std::vector<std::string> tables;
  bool all = false;
};

constexpr const char* kFooter =
    "A run that is there begins with it at once; else the next one does. The rows are read by segments while changes go on\n"
    "being applied, and replace what the graph has; then what has no row any more is removed. Others' nodes, properties\n"
    "and relationships stay. `status` shows the tables as `copying` meanwhile.\n\n"
    "With --all it is also the cure where `status` says `broken` and names a gap (the slot is lost, gone, made again or\n"
    "advanced; the graph or PostgreSQL was restored): run then makes a new slot first. docs/source-safety.md\n\n"
    "It needs PostgreSQL alone, and the role that runs the pipeline may do it.";

ExitCode resync(const ResyncFlags& flags) {
  if (flags.all == !flags.tables.empty()) {
    return report(flags.connection, Error(ErrorKind::invalid, "which tables are to be read again?")
                                        .advise("name them, or give --all"));
  }
  Result<pipeline::PipelineOptions> options = source_options(flags.connection);
  if (!options) return report(flags.connection, options.error());
  Status asked = pipeline::request_resync(*options, flags.tables);
  if (!asked) return report(flags.connection, asked.error());
  if (flags.connection.json) {
    const nlohmann::ordered_json json = {{"pipeline", options->name}, {"all", flags.all}, {"tables", flags.tables}};
    std::printf("%s\n", json.dump(2).c_str());
  } else if (flags.all) {
    std::printf("pipeline %s: all tables are read again by the run that is there, or the next\n", options->name.c_str());
  } else {
    std::printf("pipeline %s: %zu tables are read again by the run that is there, or the next\n", options->name.c_str(),
                flags.tables.size());
  }
  return ExitCode::success;
}

}  // namespace

void add_resync(CLI::App& program, Action& action) {
  CLI::App* verb = program.add_subcommand("resync", "Read tables again, all of them also behind a gap in what the slot kept");
  auto flags = std::make_shared<ResyncFlags>();
  add_connection_flags(*verb, flags->connection);
  add_json_flag(*verb, flags->connection);
  verb->add_option("TABLE", flags->tables, "A mapped table: schema.table, or table where one schema alone has it");
  verb->add_flag("--all", flags->all, "Every mapped table");
  verb->footer(kFooter);
  verb->callback([flags, &action] { action = [flags] { return resync(*flags); }; });
}

}  // namespace cnx::command
