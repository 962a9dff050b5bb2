// The one function through which a name from a mapping or a catalog enters a Cypher text.
#pragma once

#include <string>
#include <string_view>

namespace cnx::cypher {

// A label, type, property or constraint name as a quoted identifier. Doubling backticks is not
// enough: the six characters \u0060 become a backtick before the text is parsed, so a backslash is
// written as \u005C (which is not scanned twice).
std::string quote(std::string_view name);

}  // namespace cnx::cypher
