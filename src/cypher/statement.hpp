// One statement of a batch, ready to be sent: a constant text and its parameters, packed.
#pragma once

#include <string>

#include "base/bytes.hpp"

namespace cnx::cypher {

struct Statement {
  // Owned by the plan, and constant for its life: a changed text would cost the server a new query
  // plan.
  const std::string* text = nullptr;
  // One packed map, {rows: [...]} and what else the text names.
  Bytes parameters;
  size_t rows = 0;
  // "update ContentItem", for errors and logs.
  const std::string* name = nullptr;
  // Its one record holds the number of rows refused because the graph has a newer version.
  bool counts_refused = false;
  // A division by zero means that an UPDATE without all columns (unchanged TOAST) did not find its
  // entity.
  bool needs_entity = false;
};

}  // namespace cnx::cypher
