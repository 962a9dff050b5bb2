// An inferred mapping as the text of a file that a person would keep: YAML with its reasons beside
// it, laid out as mappings/contextnexus.yaml is.
#pragma once

#include <string>

#include "mapping/infer.hpp"

namespace cnx::mapping {

// Pure, and the same for the same mapping: no date, no place. load() reads it back as the rules
// that `inferred` holds. `inferred` has at least one table, or one that is left out with an entry.
std::string mapping_text(const Inferred& inferred);

}  // namespace cnx::mapping
