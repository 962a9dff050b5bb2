// The statement texts of each table that its columns do not change, made once from the model
// (upsert_texts.hpp has the others). `_cnx_stub` marks a node that stands
// for a row that is not there; $rows is a list of maps, whose short keys are:  k key · o other
// end's key · f from · t to · n tenant · a start's key · b end's key · p properties · r rows of a
// group.
#pragma once

#include <string>
#include <vector>

#include "mapping/model.hpp"

namespace cnx::cypher {

struct Text {
  std::string name;
  std::string text;
};

struct ForeignKeyTexts {
  // rows {k, o, v}: removes the relationship of child k unless its other end is o; o null removes
  // it always. Where the table has a version and the child's is newer than v, nothing is removed.
  // For what must be done before other nodes are removed or change their keys.
  Text unlink;
  // The relationships of all children.
  Text unlink_all;
  // groups {o, n, r: [{k, p}]}: merges the other end (as a stub) and each child's relationship.
  // Behind a user's own upsert, as is the next; else empty.
  Text link;
  // The same rows, failing where there is no such relationship. Empty where it has no properties.
  Text link_existing;
};

struct NodeTexts {
  // rows {k}, $clear: deletes the node, or makes it a stub where relationships remain.
  Text remove;
  // $clear: the same for every node of the table.
  Text remove_all;
  // rows {f, t}: what hangs on a stub at key t goes on to the node at key f; the stub goes.
  Text take_over;
  // rows {f, t}.
  Text change_key;
  bool guarded = false;
  std::vector<ForeignKeyTexts> foreign_keys;
  // The user's own upsert; empty where there is none.
  Text user;
};

struct RelationshipTexts {
  // rows {a, b}.
  Text remove;
  Text remove_all;
  bool guarded = false;
  Text user;
};

NodeTexts node_texts(const mapping::NodeTable& table);
RelationshipTexts relationship_texts(const mapping::RelationshipTable& table);

// "CREATE CONSTRAINT … IF NOT EXISTS": one property under uniqueness for each node table. Schema
// and data cannot share a transaction in Neo4j, so these run alone, before the first write, and are
// awaited.
std::vector<Text> constraint_texts(const mapping::Model& model);

}  // namespace cnx::cypher
