// The program: reads the command line, sets up the log, runs one verb.
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <exception>

#include "command/verb.hpp"

int main(int count, char** words) {
  using namespace cnx::command;
  try {
    spdlog::set_default_logger(spdlog::stderr_logger_mt("contextnexus"));
    spdlog::set_pattern("%Y-%m-%dT%H:%M:%S.%eZ %l %v", spdlog::pattern_time_type::utc);
    CLI::App program(
        "Keeps a Neo4j graph in step with PostgreSQL: every committed transaction appears in the graph once, whole and in "
        "order.");
    program.require_subcommand(1);
    program.set_version_flag("--version", "contextnexus 0.1.0");
    program.footer("First: schema install (for the built-in tables), init, check, run. Exit codes: 0 done, 1 failed (check: a "
                   "fault),\n2 wrong words or mapping, 3 the two sides do not fit together, 4 a database cannot be reached, 5 init needs another role.");
    Action action;
    add_schema(program, action);
    add_init(program, action);
    add_check(program, action);
    add_explain(program, action);
    add_run(program, action);
    add_status(program, action);
    add_drop(program, action);
    try {
      program.parse(count, words);
    } catch (const CLI::ParseError& error) {
      return program.exit(error) == 0 ? 0 : static_cast<int>(ExitCode::usage);
    }
    return static_cast<int>(action());
  } catch (const std::exception& exception) {
    std::fprintf(stderr, "contextnexus: ended by an exception: %s\n", exception.what());
    return static_cast<int>(ExitCode::failed);
  }
}
