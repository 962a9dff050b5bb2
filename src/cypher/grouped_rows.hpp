// Rows of nodes in groups that have one other end. Private to cypher/.
#pragma once

#include <algorithm>
#include <utility>
#include <vector>

#include "cypher/rows.hpp"

namespace cnx::cypher {

// What the other end is made with, where it is not there.
inline void pack_made(bolt::Packer& packer, const mapping::NodeUpsert& row, size_t foreign) {
  const mapping::ForeignEnd& end = row.ends[foreign];
  if (end.made.empty()) return pack_tenant_entry(packer, row.tenant);
  packer.string("n");
  pack_map(packer, end.made, Companions::when_unfit);
}

// Children grouped by their other end, so that a shared end is looked up once. `pack_child` writes
// one child.
template <typename PackChild>
Statement grouped_statement(const Text& text, std::vector<const mapping::NodeUpsert*> rows, size_t index,
                            PackChild pack_child) {
  std::sort(rows.begin(), rows.end(), [index](const mapping::NodeUpsert* x, const mapping::NodeUpsert* y) {
    const mapping::Key& x_other = *x->ends[index].key;
    const mapping::Key& y_other = *y->ends[index].key;
    return x_other == y_other ? x->key < y->key : x_other < y_other;
  });
  std::vector<std::pair<size_t, size_t>> groups;  // [first, last) of rows with one other end.
  for (size_t i = 0; i < rows.size(); ++i) {
    if (i == 0 || !(*rows[i]->ends[index].key == *rows[i - 1]->ends[index].key)) {
      groups.emplace_back(i, i);
    }
    groups.back().second = i + 1;
  }
  Statement statement =
      rows_statement(text, groups, [&](bolt::Packer& packer, std::pair<size_t, size_t> group) {
        packer.map_header(3);
        pack_key_entry(packer, "o", *rows[group.first]->ends[index].key);
        pack_made(packer, *rows[group.first], index);
        packer.string("r");
        packer.list_header(group.second - group.first);
        for (size_t i = group.first; i < group.second; ++i) pack_child(packer, *rows[i]);
      });
  statement.rows = rows.size();
  return statement;
}

}  // namespace cnx::cypher
