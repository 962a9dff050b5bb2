// The whole command line: every verb, its help, and what it does.
#pragma once

#include "command/verb.hpp"

namespace cnx::command {

// Adds all verbs to `program`, which must outlive `action`.
void build_program(CLI::App& program, Action& action);

// docs/cli.md: every verb's help, and the exit codes. A test fails where the page is stale.
std::string command_line_page();

}  // namespace cnx::command
