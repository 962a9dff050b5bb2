// What the catalog says of the columns by which rows name a row of another table. Pure.
#pragma once

#include <string>
#include <vector>

#include "postgres/catalog.hpp"

namespace cnx::mapping {

// Whether each row whose `columns` hold the `key` of a row of `other` follows in the same transaction where that row takes
// another key: by a foreign key with ON UPDATE CASCADE, from these columns to those, that holds for every row. It may be of
// more columns, if they are never NULL: one NULL, and a row is not held to it.
bool follows(const postgres::Table& table, const std::vector<std::string>& columns, const postgres::TableName& other,
             const std::vector<std::string>& key);

}  // namespace cnx::mapping
