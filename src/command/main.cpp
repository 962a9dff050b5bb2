// The program: reads the command line, runs one verb.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <exception>
#include <vector>

#include "command/given_words.hpp"
#include "command/program.hpp"
#include "telemetry/log.hpp"

int main(int count, char** words) {
  using namespace cnx::command;
  try {
    const GivenWords given(count, words);
    cnx::telemetry::set_up_log({});
    CLI::App program;
    Action action;
    build_program(program, action);
    program.failure_message([&given](const CLI::App* app, const CLI::Error& error) {
      return given.without_secrets(CLI::FailureMessage::simple(app, error));
    });
    std::vector<const char*> copies;
    for (const std::string& word : given.words()) copies.push_back(word.c_str());
    try {
      program.parse(count, copies.data());
    } catch (const CLI::ParseError& error) {
      return program.exit(error) == 0 ? 0 : static_cast<int>(ExitCode::usage);
    }
    return static_cast<int>(action());
  } catch (const std::exception& exception) {
    std::fprintf(stderr, "contextnexus: ended by an exception: %s\n", exception.what());
    return static_cast<int>(ExitCode::failed);
  }
}
