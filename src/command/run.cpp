// contextnexus run: the engine itself.
#include <CLI/CLI.hpp>
#include <csignal>
#include <memory>

#include "command/verb.hpp"
#include "pipeline/pipeline.hpp"

namespace cnx::command {
namespace {

struct RunFlags {
  ConnectionFlags connection;
  bool once = false;
  bool no_write_back = false;
  size_t copy_workers = pipeline::RunOptions().copy_workers;
};

// A signal handler has no other way to what it must reach.
std::atomic<pipeline::StopRequest*> stop_request{nullptr};

extern "C" void ask_to_stop(int) {
  if (pipeline::StopRequest* stop = stop_request.load()) stop->ask();
}

ExitCode run(const RunFlags& flags) {
  Result<pipeline::PipelineOptions> options = pipeline_options(flags.connection);
  if (!options) return report(options.error());
  pipeline::StopRequest stop;
  stop_request = &stop;
  struct sigaction handler {};
  handler.sa_handler = ask_to_stop;
  // A second signal ends the process at once: nothing is lost by that.
  handler.sa_flags = static_cast<int>(SA_RESETHAND);
  sigaction(SIGTERM, &handler, nullptr);
  sigaction(SIGINT, &handler, nullptr);
  signal(SIGPIPE, SIG_IGN);
  Status ran = pipeline::run(*options, {.once = flags.once, .write_back = !flags.no_write_back, .copy_workers = flags.copy_workers}, stop);
  stop_request = nullptr;
  return ran ? ExitCode::success : report(ran.error());
}

}  // namespace

void add_run(CLI::App& program, Action& action) {
  CLI::App* verb =
      program.add_subcommand("run", "Keep the graph in step: copy what was there before, then follow every transaction");
  auto flags = std::make_shared<RunFlags>();
  add_connection_flags(*verb, flags->connection);
  verb->add_flag("--once", flags->once, "Until all that is committed now is in the graph, then end");
  verb->add_flag("--no-write-back", flags->no_write_back,
                 "Leave the synchronisation columns (neo4j_sync_status and its like) of PostgreSQL's tables as they are");
  verb->add_option("--copy-workers", flags->copy_workers, "So many parts of the tables are copied at once")
      ->check(CLI::Range(1, 16))
      ->capture_default_str();
  verb->callback([flags, &action] { action = [flags] { return run(*flags); }; });
}

}  // namespace cnx::command
