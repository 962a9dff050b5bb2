// "CREATE … INDEX … IF NOT EXISTS" for what a mapping asks for under `indexes:`. Like constraints they run alone, before the
// first write, and are awaited.
#pragma once

#include <string>
#include <vector>

#include "cypher/texts.hpp"
#include "mapping/model.hpp"

namespace cnx::cypher {

// An index as SHOW INDEXES tells of it.
struct Index {
  std::string name;  // Of its definition alone: another one has another name.
  std::string type;  // RANGE, TEXT, FULLTEXT, POINT, VECTOR.
  std::string entity;  // NODE, RELATIONSHIP.
  std::string label;   // Or the relationship's type.
  std::vector<std::string> properties;
  std::string text;  // That makes it.
};

// Each once, in the model's order.
std::vector<Index> indexes(const mapping::Model& model);

}  // namespace cnx::cypher
