// Reads a mapping file (version 1 of the language, mappings/README.md) into rules. Needs no
// database: what a file alone can get wrong is found here, all of it at once; what only the catalog
// knows is found by Model::make and bind.
#pragma once

#include <string_view>
#include <tl/expected.hpp>
#include <vector>

#include "mapping/fault.hpp"
#include "mapping/rules.hpp"

namespace cnx::mapping {

// The rules that `yaml_text` says, with their fingerprint; else its faults, at least one, in the
// order of the file. `file_name` is for the messages only: nothing is opened. Throws nothing; any
// thread. A text of more than 4 MiB is refused unread. Faults in the YAML itself hide all others,
// since nothing behind them can be read.
[[nodiscard]] tl::expected<Mapping, std::vector<Fault>> load(std::string_view yaml_text,
                                                             std::string_view file_name);

}  // namespace cnx::mapping
