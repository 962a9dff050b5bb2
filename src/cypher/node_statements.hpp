// What one table's nodes need of a batch, step by step; plan.cpp puts the steps in order. Private
// to cypher/.
#pragma once

#include <vector>

#include "cypher/shapes.hpp"
#include "cypher/statement.hpp"
#include "cypher/texts.hpp"
#include "mapping/mutation.hpp"

namespace cnx::cypher {

// Each appends the statements that are needed, which may be none.
void unlink_nodes(const NodeTexts& texts, const mapping::NodeMutations& node,
                  std::vector<Statement>& out);
void remove_nodes(const NodeTexts& texts, const mapping::NodeMutations& node,
                  std::vector<Statement>& out);
void change_keys(const NodeTexts& texts, const mapping::NodeMutations& node,
                 std::vector<Statement>& out);
// With their relationships by foreign keys.
void upsert_nodes(const NodeTexts& texts, NodeShapes& shapes, const mapping::NodeMutations& node,
                  std::vector<Statement>& out);
// Behind a user's own upsert.
void link_nodes(const NodeTexts& texts, const mapping::NodeMutations& node,
                std::vector<Statement>& out);

}  // namespace cnx::cypher
