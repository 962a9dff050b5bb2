// What one table's nodes need of a batch, step by step; plan.cpp puts the steps in order. Private
// to cypher/.
#pragma once

#include <vector>

#include "bolt/packstream.hpp"
#include "cypher/statement.hpp"
#include "cypher/texts.hpp"
#include "mapping/mutation.hpp"

namespace cnx::cypher {

// How a table's rows and their relationships by foreign keys are written: in one statement where
// that leads to the same graph, else step by step.
struct Fusion {
  // Updates move their relationships themselves. Not where nodes at the other ends go or change
  // keys in the same batch: those relationships have to be removed before that, since a node that
  // goes while something hangs on it becomes a stub.
  bool updates = false;
  bool inserts = false;
};

// "clear": a stub keeps its key and its tenant; our other properties go.
void pack_clear_entry(bolt::Packer& packer, const mapping::NodeMutations& node);

// Each appends the statements that are needed, which may be none.
void unlink_nodes(const NodeTexts& texts, const mapping::NodeMutations& node, Fusion fusion,
                  std::vector<Statement>& out);
void remove_nodes(const NodeTexts& texts, const mapping::NodeMutations& node,
                  std::vector<Statement>& out);
void upsert_nodes(const NodeTexts& texts, const mapping::NodeMutations& node, Fusion fusion,
                  std::vector<Statement>& out);
void link_nodes(const NodeTexts& texts, const mapping::NodeMutations& node, Fusion fusion,
                std::vector<Statement>& out);

}  // namespace cnx::cypher
