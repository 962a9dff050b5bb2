// The indexes of a mapping held against the columns of a table.
#pragma once

#include <string>
#include <vector>

#include "base/result.hpp"
#include "mapping/rules.hpp"

namespace cnx::mapping {

// An index of a property that no row of the table has would stay empty for good.
struct IndexWithoutProperty {
  const IndexRule* index = nullptr;
  std::string property;
  std::string suggestion;  // Of a property that the table has; empty where none is near.
};
// Of a table with these columns, generated ones left out. In the order of the rule.
std::vector<IndexWithoutProperty> indexes_without_property(const TableRule& rule, const Mapping& mapping,
                                                           const std::vector<std::string>& columns);

// ErrorKind::invalid where there is one.
Status check_indexes(const TableRule& rule, const Mapping& mapping, const std::vector<std::string>& columns);

}  // namespace cnx::mapping
