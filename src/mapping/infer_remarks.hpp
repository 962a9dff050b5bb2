// What a reader of an inferred mapping should know of a table before its rule.
#pragma once

#include <string>
#include <vector>

#include "postgres/table_list.hpp"

namespace cnx::mapping {

// What people wrote in the database, shortened: of the table, then of its columns. Pure.
std::vector<std::string> remarks_of(const postgres::DescribedTable& described);

// What the catalog says of it beside keys and columns: partitions, parents, rights. Pure.
std::vector<std::string> facts_of(const postgres::DescribedTable& described, size_t partitions);

}  // namespace cnx::mapping
