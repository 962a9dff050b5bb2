// The texts that write relationships whose rows are lists; those of maps are made with all others (texts.hpp). Private to cypher/.
#pragma once

#include <string>

#include "cypher/list_rows.hpp"

namespace cnx::cypher {

// Where takes_lists(). rows [a, b, n, columns…].
std::string listed_upsert(const mapping::RelationshipTable& table, mapping::Guard guard, const Columns& columns);

}  // namespace cnx::cypher
