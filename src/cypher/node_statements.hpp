// What one table's nodes need of a batch, step by step; plan.cpp puts the steps in order. Private
// to cypher/.
#pragma once

#include <vector>

#include "bolt/packstream.hpp"
#include "cypher/statement.hpp"
#include "cypher/texts.hpp"
#include "mapping/mutation.hpp"

namespace cnx::cypher {

// "clear": a stub keeps its key and its tenant; our other properties go.
void pack_clear_entry(bolt::Packer& packer, const mapping::NodeMutations& node);

// Each appends the statements that are needed, which may be none.
void unlink_nodes(const NodeTexts& texts, const mapping::NodeMutations& node,
                  std::vector<Statement>& out);
void remove_nodes(const NodeTexts& texts, const mapping::NodeMutations& node,
                  std::vector<Statement>& out);
void change_keys(const NodeTexts& texts, const mapping::NodeMutations& node,
                 std::vector<Statement>& out);
void upsert_nodes(const NodeTexts& texts, const mapping::NodeMutations& node,
                  std::vector<Statement>& out);
void link_nodes(const NodeTexts& texts, const mapping::NodeMutations& node,
                std::vector<Statement>& out);

}  // namespace cnx::cypher
