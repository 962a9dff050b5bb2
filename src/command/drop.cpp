// contextnexus drop: takes a pipeline away, after saying what there is.
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>

#include "command/verb.hpp"
#include "pipeline/teardown.hpp"

namespace cnx::command {
namespace {

struct DropFlags {
  ConnectionFlags connection;
  bool graph = false;
  bool yes = false;
};

void list(const pipeline::PipelineOptions& options, const pipeline::Remains& remains) {
  std::printf("pipeline %s has\n", options.name.c_str());
  if (remains.slot) {
    std::printf("  the slot %s, which holds back %lld bytes of log\n", options.slot().c_str(),
                static_cast<long long>(remains.retained_wal_bytes));
  }
  if (remains.publication) std::printf("  the publication %s\n", options.publication().c_str());
  if (remains.position) std::printf("  its position in the graph\n");
  if (remains.graph) {
    std::printf("  %zu nodes and %zu relationships in the graph; what others own on them stays\n", remains.graph->nodes,
                remains.graph->relationships);
  }
}

nlohmann::ordered_json to_json(const pipeline::PipelineOptions& options, const pipeline::Remains& remains) {
  nlohmann::ordered_json json = {{"pipeline", options.name},
                                 {"slot", remains.slot},
                                 {"retained_wal_bytes", remains.retained_wal_bytes},
                                 {"publication", remains.publication},
                                 {"position", remains.position}};
  if (remains.graph) {
    json["nodes"] = remains.graph->nodes;
    json["relationships"] = remains.graph->relationships;
  }
  return json;
}

// What was there, and what became of it.
void print_json(nlohmann::ordered_json json, bool removed, size_t kept_stubs) {
  json["removed"] = removed;
  json["kept_stubs"] = kept_stubs;
  std::printf("%s\n", json.dump(2).c_str());
}

bool asked_and_agreed() {
  std::printf("Remove them? [y/N] ");
  std::fflush(stdout);
  std::string answer;
  return static_cast<bool>(std::getline(std::cin, answer)) && (answer == "y" || answer == "Y" || answer == "yes");
}

ExitCode drop(const DropFlags& flags) {
  Result<pipeline::PipelineOptions> options = pipeline_options(flags.connection);
  if (!options) return report(flags.connection, options.error());
  Result<pipeline::Remains> remains = pipeline::find_remains(*options, flags.graph);
  if (!remains) return report(flags.connection, remains.error());
  const bool json = flags.connection.json;
  if (remains->nothing()) {
    if (json) {
      print_json(to_json(*options, *remains), false, 0);
      return ExitCode::success;
    }
    std::printf("pipeline %s: nothing is there\n", options->name.c_str());
    return ExitCode::success;
  }
  if (!json) list(*options, *remains);
  // A machine is not asked.
  if (!flags.yes && (json || !asked_and_agreed())) {
    return report(flags.connection,
                  Error(ErrorKind::invalid, "nothing was removed").advise("--yes removes without asking"));
  }
  Result<pipeline::ClearedGraph> done = pipeline::tear_down(*options, flags.graph);
  if (!done) return report(flags.connection, done.error());
  if (json) {
    print_json(to_json(*options, *remains), true, done->kept_stubs);
    return ExitCode::success;
  }
  std::printf("removed\n");
  if (done->kept_stubs > 0) {
    std::printf("%zu nodes stay as stubs, because others' properties or relationships hang on them\n", done->kept_stubs);
  }
  return ExitCode::success;
}

}  // namespace

void add_drop(CLI::App& program, Action& action) {
  CLI::App* verb = program.add_subcommand("drop", "Remove the slot, the publication and the position; lists them and asks first");
  auto flags = std::make_shared<DropFlags>();
  add_connection_flags(*verb, flags->connection);
  add_json_flag(*verb, flags->connection);
  verb->add_flag("--graph", flags->graph, "Also what was written into the graph, and its constraints");
  verb->add_flag("--yes", flags->yes, "Do not ask");
  verb->callback([flags, &action] { action = [flags] { return drop(*flags); }; });
}

}  // namespace cnx::command
