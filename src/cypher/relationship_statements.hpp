// What one relationship table needs of a batch; plan.cpp puts the steps in order. Private to
// cypher/.
#pragma once

#include <vector>

#include "cypher/shapes.hpp"
#include "cypher/statement.hpp"
#include "cypher/texts.hpp"
#include "mapping/mutation.hpp"

namespace cnx::cypher {

// Each appends the statements that are needed, which may be none.
void remove_relationships(const RelationshipTexts& texts,
                          const mapping::RelationshipMutations& mutations,
                          std::vector<Statement>& out);
void upsert_relationships(const RelationshipTexts& texts, RelationshipShapes& shapes,
                          const mapping::RelationshipMutations& mutations,
                          std::vector<Statement>& out);

}  // namespace cnx::cypher
