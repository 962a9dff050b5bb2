// The program: reads the command line, runs one verb.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <exception>

#include "command/log.hpp"
#include "command/program.hpp"

int main(int count, char** words) {
  using namespace cnx::command;
  try {
    set_up_log({});
    CLI::App program;
    Action action;
    build_program(program, action);
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
