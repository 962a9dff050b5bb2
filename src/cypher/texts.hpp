// The statement texts of each table, made once from the model. `_cnx_stub` marks a node that stands
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
  Text unlink;      // rows {k, o}: removes the relationship of child k unless its other end is o; o
                    // null removes it always.
  Text unlink_all;  // The relationships of all children.
  Text link;        // groups {o, n, r: [{k, p}]}: merges the other end (as a stub) and each child's
                    // relationship.
};

struct NodeTexts {
  Text
      remove;  // rows {k}, $clear: deletes the node, or makes it a stub where relationships remain.
  Text remove_all;   // $clear: the same for every node of the table.
  Text absorb_stub;  // rows {f, t}: relationships of a stub at key t move to the node at key f; the
                     // stub goes.
  Text change_key;   // rows {f, t}.
  Text insert;       // rows: flat maps of properties.
  Text update;       // The same, guarded by the version where one is mapped.
  Text update_existing;  // The same, failing where the node is missing or a stub.
  bool guarded = false;
  std::vector<ForeignKeyTexts> foreign_keys;
  Text user;  // The user's own upsert; empty where there is none.
};

struct RelationshipTexts {
  Text remove;  // rows {a, b}.
  Text remove_all;
  Text insert;  // rows {a, b, n, p}.
  Text update;
  Text update_existing;
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
