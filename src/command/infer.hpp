// contextnexus init --from: a mapping file from a database. A part of the verb init, which the
// other part (init.cpp) reads the command line for.
#pragma once

#include <string>
#include <vector>

#include "command/verb.hpp"

namespace cnx::command {

// `flags` name the database and, by `mapping`, the file: mapping.yaml where it is not said, `-` for
// standard output. Never overwrites.
ExitCode infer_file(const ConnectionFlags& flags, const std::vector<std::string>& schemas);

}  // namespace cnx::command
