// What names may be: what Neo4j can hold, what the engine keeps for itself, and that no two columns
// of a table become one property. The mapping's file is checked where it is read; here are the
// names that only the catalog or a relation message knows.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "mapping/rules.hpp"

namespace cnx::mapping {

// ErrorKind::invalid for a label, type or property that Neo4j cannot hold: empty, or with a NUL.
Status check_name(std::string_view name);

// Of a node's table with these columns. ErrorKind::invalid, with table, column and property, where
// two columns (or a column and a template) become one property, and where a column becomes a name
// of the engine's own (`_cnx_…`, `…__pg`).
Status check_properties(const TableRule& rule, const PropertyRules& properties, Naming naming,
                        const std::vector<std::string>& columns);

}  // namespace cnx::mapping
