// One statement of a batch, ready to be sent: a constant text and its parameters, packed.
#pragma once

#include <memory>
#include <string>

#include "base/bytes.hpp"
#include "mapping/rules.hpp"

namespace cnx::cypher {

struct Statement {
  // Owned by the plan, or by `made`; the same for all rows of the same columns: a changed text would cost the server a new query
  // plan.
  const std::string* text = nullptr;
  // Of rows that are lists: the text that names their columns. Null: it is the plan's.
  std::shared_ptr<const std::string> made = nullptr;
  // One packed map, {rows: [...]} and what else the text names.
  Bytes parameters;
  size_t rows = 0;
  // "update ContentItem", for errors and logs.
  const std::string* name = nullptr;
  // Whose rows its one record reports, as a list of [key, kept]: they met what somebody else wrote, and the graph kept that, or
  // did not. Null: it reports nothing.
  const mapping::TableRule* reports_conflicts = nullptr;
  // A division by zero means a conflict that is to be decided outside.
  bool fails_on_conflict = false;
  // A division by zero means that an UPDATE without all columns (unchanged TOAST) did not find its
  // entity.
  bool needs_entity = false;
  // Its text is the user's own.
  bool is_users = false;
};

}  // namespace cnx::cypher
