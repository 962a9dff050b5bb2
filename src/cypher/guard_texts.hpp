// What the statement of an UPDATE says about conflicts: what the graph has is newer than the row, or is not what the row was.
// Private to cypher/.
#pragma once

#include <string>
#include <string_view>

#include "mapping/model.hpp"

namespace cnx::cypher {

// Of one variable of a statement, and the row that is written to it.
struct Guarded {
  std::string variable;     // "n"
  std::string row;          // The map that is written: "row", "row.p".
  std::string row_version;  // "row.p.`version`".
  std::string key;          // What the report calls it: "row.k".
  mapping::Guard guard = mapping::Guard::none;
  std::string version;      // Properties; empty: there is none.
  std::string timestamp;
  bool detects = false;     // `row.u` is what the graph should have; null: that is not known.
  std::string is_ours;      // A condition: somebody's row is there, to be compared with it.

  bool reports() const { return guard != mapping::Guard::none && guard != mapping::Guard::decide; }

  // A condition that is never null: there is a conflict.
  std::string met() const;
  // And the graph keeps what it has; empty: it never does.
  std::string kept_when() const;
  // Continues a statement that has bound the variable and `row`: names what is asked of both before the write, beside `carried`
  // (", x, y"). Guard::decide fails here.
  std::string look(const std::string& carried = {}) const;
  // The same where the row has to have its entity, and all of its columns where it wins over a conflict: `missing`, a condition, fails.
  std::string look_existing(const std::string& missing) const;
  // The names that look() adds: ", met, kept".
  std::string names() const;
  // A condition by those names; empty where it never holds.
  std::string kept() const;
  // The expression of what is written.
  std::string written() const;
  // An element of the report, where `met` holds.
  std::string told() const;
  // Ends the statement: what met a conflict, in one record.
  std::string report() const;
};

Guarded guarded_node(const mapping::NodeTable& table, mapping::Guard guard, const std::string& row, const std::string& key);
Guarded guarded_relationship(const mapping::RelationshipTable& table, mapping::Guard guard);

}  // namespace cnx::cypher
