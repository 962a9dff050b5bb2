// What each column of a table becomes: a property under its own name, one under another, or
// nothing.
#pragma once

#include <string>
#include <vector>

#include "postgres/catalog.hpp"

namespace cnx::mapping {

struct PlannedColumn {
  std::string column;
  std::string property;     // Unique in the table; empty where it becomes none.
  bool own_name = true;     // The property is property_name(column).
  std::string excluded_by;  // Why it becomes none.
};

// In the order of the table's columns, under Naming::camel_case. Columns of `key` are kept whatever
// they look like. Pure.
std::vector<PlannedColumn> plan_columns(const postgres::Table& table,
                                        const std::vector<std::string>& key);

}  // namespace cnx::mapping
