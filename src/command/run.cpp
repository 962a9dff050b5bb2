// contextnexus run: the engine itself.
#include <CLI/CLI.hpp>
#include <csignal>
#include <memory>

#include "command/verb.hpp"
#include "command/version.hpp"
#include "console/server.hpp"
#include "pipeline/findings.hpp"
#include "pipeline/metrics.hpp"
#include "pipeline/pipeline.hpp"
#include "telemetry/log.hpp"
#include "telemetry/watch.hpp"

namespace cnx::command {
namespace {

struct RunFlags {
  ConnectionFlags connection;
  bool once = false;
  bool adopt = false;
};

// A signal handler has no other way to what it must reach.
std::atomic<pipeline::StopRequest*> stop_request{nullptr};

// The first signal, whichever it is, asks; a second one ends the process at once, by its own default: nothing is lost by that.
extern "C" void ask_to_stop(int number) {
  pipeline::StopRequest* stop = stop_request.load();
  if (stop != nullptr && !stop->asked) {
    stop->ask();
    return;
  }
  signal(number, SIG_DFL);
  raise(number);
}

constexpr const char* kFooter =
    "It starts anywhere: without a slot it copies what is there, else it goes on from the position in the graph. A second\n"
    "one of the same pipeline waits until the first has ended. The first SIGTERM or SIGINT finishes and confirms what is\n"
    "under way; a second ends it at once. Neither loses anything, nor does kill -9.\n\n"
    "  contextnexus run                                   with contextnexus.yaml, or the variables\n"
    "  contextnexus run --postgres URL --neo4j URL        the built-in schema, nothing else to say\n"
    "  contextnexus run --once --log-format json          for a script: until all of now is in the graph\n"
    "  contextnexus run --set apply.batch_rows=200        any option of docs/configuration.md\n"
    "  curl 127.0.0.1:9747/healthz                        alive and moving? also /readyz and /metrics\n\n"
    "Exit codes: 0 stopped, or done with --once; 1 failed; 2 wrong words, configuration or mapping; 3 a person must\n"
    "decide (also: --once while it is paused); 4 a database cannot be reached (with --once; else it is tried again).";

console::Pages pages_of(const std::string& pipeline, const pipeline::Figures& figures, const telemetry::Watch& watch) {
  return {.metrics =
              [&] {
                const telemetry::Health health = watch.health();
                return pipeline::metrics_text(
                    {.figures = figures, .health = health, .readiness = figures.readiness(health), .version = version_text()}, pipeline);
              },
          .health =
              [&] {
                const telemetry::Health health = watch.health();
                return console::Answer{health.healthy, telemetry::health_json(pipeline, health, watch.since())};
              },
          .readiness =
              [&] {
                const telemetry::Health health = watch.health();
                const telemetry::Readiness readiness = figures.readiness(health);
                return console::Answer{readiness.ready, telemetry::readiness_json(pipeline, health, readiness)};
              }};
}

// The error that a run ends with, where whoever reads takes each line for JSON.
ExitCode log_end(const Error& error) {
  std::vector<telemetry::Field> fields = telemetry::fields_of(error);
  fields.emplace_back("advice", pipeline::advice_of(error));
  fields.emplace_back("exit_code", static_cast<int>(exit_code(error)));
  telemetry::log_error("failed", "ended: " + error.describe(), std::move(fields));
  return exit_code(error);
}

ExitCode run(const RunFlags& flags) {
  Result<config::Settings> settings = read_settings(flags.connection);
  if (!settings) return report(settings.error());
  Result<pipeline::PipelineOptions> options = pipeline_options(*settings);
  if (!options) return report(options.error());
  settings->run.once = flags.once;
  settings->run.adopt = flags.adopt;
  pipeline::StopRequest stop;
  stop_request = &stop;
  struct sigaction handler {};
  handler.sa_handler = ask_to_stop;
  sigaction(SIGTERM, &handler, nullptr);
  sigaction(SIGINT, &handler, nullptr);
  signal(SIGPIPE, SIG_IGN);
  pipeline::Figures figures(settings->telemetry);
  telemetry::Watch watch([&figures] { return figures.look(); }, settings->telemetry.stalled_after);
  console::Server server(settings->telemetry.listen, pages_of(options->name, figures, watch));
  Status ran = pipeline::run(*options, settings->run, stop, figures);
  stop_request = nullptr;
  if (ran) return ExitCode::success;
  return settings->log.format == "json" ? log_end(ran.error()) : report(ran.error());
}

}  // namespace

void add_run(CLI::App& program, Action& action) {
  CLI::App* verb =
      program.add_subcommand("run", "Keep the graph in step: copy what was there before, then follow every transaction");
  auto flags = std::make_shared<RunFlags>();
  add_connection_flags(*verb, flags->connection);
  verb->add_flag("--once", flags->once, "Until all that is committed now is in the graph, then end");
  verb->add_flag("--adopt", flags->adopt,
                 "Take over a graph that was filled by something else: by label and key, others' properties stay");
  add_switch(*verb, flags->connection, "--no-write-back", "write_back.enabled", "false",
             "Leave the synchronisation columns (neo4j_sync_status and its like) of PostgreSQL's tables as they are");
  verb->footer(kFooter);
  verb->callback([flags, &action] { action = [flags] { return run(*flags); }; });
}

}  // namespace cnx::command
