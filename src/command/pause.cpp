// contextnexus pause and resume: hold a pipeline still, and let it go on.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>

#include "command/verb.hpp"
#include "pipeline/pause.hpp"

namespace cnx::command {
namespace {

constexpr const char* kPauseFooter =
    "A paused pipeline reads and applies nothing, until contextnexus resume; also over restarts of everything. A `run`\n"
    "that is there finishes and confirms what is under way within a second or so, closes its replication connection, and\n"
    "waits; `status` says `paused`. The slot stays, and PostgreSQL keeps its log for it: watch `log kept` in `status`, and\n"
    "max_slot_wal_keep_size (or, since PostgreSQL 18, idle_replication_slot_timeout), beyond which the slot is lost.\n"
    "A copy that was not done goes on by the rules of a copy that was interrupted.\n\n"
    "It needs PostgreSQL alone, and the role that runs the pipeline may do it.";
constexpr const char* kResumeFooter = "The pipeline goes on from the position in the graph; nothing was lost meanwhile.";

ExitCode set(const ConnectionFlags& flags, bool paused) {
  Result<pipeline::PipelineOptions> options = source_options(flags);
  if (!options) return report(flags, options.error());
  Result<pipeline::PauseChange> change = pipeline::set_paused(*options, paused);
  if (!change) return report(flags, change.error());
  const pipeline::PauseState& state = change->state;
  if (flags.json) {
    const nlohmann::ordered_json json = {{"pipeline", options->name},
                                         {"paused", state.paused()},
                                         {"changed", change->changed},
                                         {"paused_at", state.paused_at},
                                         {"paused_by", state.paused_by}};
    std::printf("%s\n", json.dump(2).c_str());
  } else if (paused) {
    std::printf("pipeline %s is paused%s since %s by %s; PostgreSQL keeps its log until contextnexus resume\n",
                options->name.c_str(), change->changed ? "" : " already,", state.paused_at.c_str(), state.paused_by.c_str());
  } else {
    std::printf("pipeline %s %s\n", options->name.c_str(), change->changed ? "goes on" : "was not paused");
  }
  return ExitCode::success;
}

void add(CLI::App& program, Action& action, const char* name, const char* help, const char* footer, bool paused) {
  CLI::App* verb = program.add_subcommand(name, help);
  auto flags = std::make_shared<ConnectionFlags>();
  add_connection_flags(*verb, *flags);
  add_json_flag(*verb, *flags);
  verb->footer(footer);
  verb->callback([flags, &action, paused] { action = [flags, paused] { return set(*flags, paused); }; });
}

}  // namespace

void add_pause(CLI::App& program, Action& action) {
  add(program, action, "pause", "Hold the pipeline still: nothing is read or applied, the slot stays", kPauseFooter, true);
}

void add_resume(CLI::App& program, Action& action) {
  add(program, action, "resume", "Let a paused pipeline go on", kResumeFooter, false);
}

}  // namespace cnx::command
