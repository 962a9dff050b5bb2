// Nodes that take other keys, in two steps of a batch; plan.cpp puts them in their places. Private to cypher/.
#pragma once

#include <vector>

#include "bolt/packstream.hpp"
#include "cypher/statement.hpp"
#include "cypher/texts.hpp"
#include "mapping/mutation.hpp"

namespace cnx::cypher {

// Among the texts of the reference's table.
size_t place_of(const mapping::LeftBehind& left);
void pack_left_behind(bolt::Packer& packer, const mapping::LeftBehind::Row& row);

// Each appends the statements that are needed, which may be none.

// Before nodes are removed: relationships of rows that still name a key which a node gives up go to a stub that waits.
void leave_behind(const NodeTexts& texts, const mapping::LeftBehind& left, std::vector<Statement>& out);
// The keys; then what waited goes to the node that has the key now, or is the stub there.
void change_keys(const NodeTexts& texts, const mapping::NodeMutations& node, std::vector<Statement>& out);

}  // namespace cnx::cypher
