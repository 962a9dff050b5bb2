// The mapping's identity: the graph's position node remembers it, so that a changed mapping is seen
// before it is applied.
#pragma once

#include <string>

#include "mapping/rules.hpp"

namespace cnx::mapping {

// The rules as text, each word with its length before it and all that has no order sorted. What
// does not change the graph (the mapping's name, lines, tables without a form) is not in it.
std::string canonical_text(const Mapping& mapping);

// SHA-256 of the canonical text, 64 hexadecimal digits.
std::string fingerprint(const Mapping& mapping);
// Of one table's rule, with all that decides what is made of its rows: the naming, and the nodes that its relationships lead
// to. `rule` is one of the mapping's.
std::string fingerprint(const Mapping& mapping, const TableRule& rule);

}  // namespace cnx::mapping
