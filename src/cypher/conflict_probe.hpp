// Asks the graph which rows meet a conflict there, and what it has of them: for those that are decided outside the transaction
// that writes.
#pragma once

#include <vector>

#include "base/bytes.hpp"
#include "mapping/lacking_rows.hpp"

namespace cnx::cypher {

struct ConflictProbe {
  std::string text;
  Bytes parameters;  // One packed map.
};

// All rows are of one table, of that node or that relationship. Its records are [the row's place in `rows`, the properties]. The
// condition is that of the statement that failed. Pure.
ConflictProbe conflict_probe(const mapping::NodeTable& table, const std::vector<const mapping::LackingRow*>& rows);
ConflictProbe conflict_probe(const mapping::RelationshipTable& table, const std::vector<const mapping::LackingRow*>& rows);

}  // namespace cnx::cypher
