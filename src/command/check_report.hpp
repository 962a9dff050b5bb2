// What check and map check have found, as a table or as JSON.
#pragma once

#include <string>

#include "command/verb.hpp"
#include "pipeline/check.hpp"

namespace cnx::command {

// On standard output. `name` is the pipeline's, or the mapping's. The code with which the verb ends: failed where there is a fault.
ExitCode print_report(const ConnectionFlags& flags, const std::string& name, const pipeline::CheckReport& found);

}  // namespace cnx::command
