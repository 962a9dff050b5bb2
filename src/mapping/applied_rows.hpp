// Which rows a batch brings into the graph, and in which version: what the write-back tells PostgreSQL once Neo4j has
// committed. Pure.
#pragma once

#include <set>
#include <vector>

#include "mapping/model.hpp"

namespace cnx::mapping {

struct AppliedRow {
  TableName table;
  std::vector<Key> key;  // The row's own: one column of a node's table, the two ends of a relationship's.
  int64_t version = 0;
  bool conflict = false;  // The graph kept something else.
  friend bool operator==(const AppliedRow&, const AppliedRow&) = default;
};

// The upserts of `tables` that carry a version, in no promised order.
std::vector<AppliedRow> applied_rows(const Mutations& mutations, const std::set<TableName>& tables);

}  // namespace cnx::mapping
