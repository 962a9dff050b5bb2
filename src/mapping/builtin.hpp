// The mapping that ships inside the program: mappings/contextnexus.yaml, as it was when the program
// was built.
#pragma once

#include <string_view>

namespace cnx::mapping {

// Valid for ever. `load` reads it without a fault (tested).
std::string_view builtin_mapping_text();

// The name under which messages and the command line speak of it.
constexpr std::string_view kBuiltinMappingName = "contextnexus.yaml";

}  // namespace cnx::mapping
