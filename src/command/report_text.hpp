// An error as a person reads it, and as a machine does. Pure.
#pragma once

#include <string>

#include "base/error.hpp"

namespace cnx::command {

// "contextnexus: what happened", and the advice on a line of its own.
std::string error_text(const Error& error);
// One line: {"error": {"kind", "code", "message", "advice"}, "exit_code"}; an empty code or advice is "".
std::string error_json(const Error& error, int exit_code);

}  // namespace cnx::command
