// The statement texts of each table, made once from the model, but for those that name the columns of rows that are lists
// (list_rows.hpp). `_cnx_stub` marks a node that stands for a row that is not there; elsewhere $batch.rows is a list of maps, whose
// short keys are:  k key · o other
// end's key (or a list of one for each foreign key) · f from · t to · n tenant · a start's key · b end's
// key · y a relationship's own key · p properties · r rows of a group · l labels that a value chooses, at most one · m what each foreign key's other end is
// made with · u the row before the batch. Of a group whose other end is a node that rows share, n is that.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "mapping/model.hpp"

namespace cnx::cypher {

struct Text {
  std::string name;
  std::string text;
};

struct ForeignKeyTexts {
  // rows {k, o}: removes the relationship of child k unless its other end is o; o null removes it
  // always.
  Text unlink;
  // The relationships of all children.
  Text unlink_all;
  // groups {o, n, r: [{k, p}]}: merges the other end (as a stub) and each child's relationship.
  Text link;
  // The same rows, failing where there is no such relationship. Empty where it has no properties.
  Text link_existing;
  // rows {k}, failing: where the other end, a node that rows share, is not told as a whole.
  Text undecided;
};

// Of UPDATEs, by what is done about conflicts (Guard). What met one is reported, in one record, as a list of [key, kept]; a
// division by zero is one that is decided outside.
struct NodeUpdateTexts {
  // rows: flat maps of properties; {l, p} where a value chooses a label, {p, u} where the old row is told.
  Text update;
  // The same, failing where the node is missing or a stub, or where the row would win over a conflict without all of its columns.
  Text update_existing;
  // rows {k, n, o: [key or null], p}: `update`, and where a relationship by a foreign key leads to
  // another end than o says, moves it. What is refused moves nothing. Empty where a foreign key's
  // relationship has properties, or there is none.
  Text update_linked;
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
  // For each of the table's `staying`. rows {k, t, x}: relationships that lead to the node at key k, of others than x, go to a
  // stub at key t; a stub at k that has none any more goes.
  std::vector<Text> leave_behind;
  // rows: flat maps of properties; {l, p} where a value chooses a label.
  Text insert;
  // Of the guards that the table's rows may need; `guard` is the usual one.
  std::map<mapping::Guard, NodeUpdateTexts> updates;
  mapping::Guard guard = mapping::Guard::none;
  const NodeUpdateTexts& usual() const { return updates.at(guard); }
  std::vector<ForeignKeyTexts> foreign_keys;
  // The foreign key whose relationship `insert_linked` makes along with the node; none where each
  // has properties. Every further statement would look the node up again.
  std::optional<size_t> linked;
  // groups {o, n, r: [flat map]}: merges the other end, then each node and its relationship.
  Text insert_linked;
  // The user's own upsert; empty where there is none.
  Text user;
};

struct RelationshipUpdateTexts {
  // rows {a, b, y, p}, only where the key is its own: before the nodes are removed, removes what is not between those ends,
  // by their keys before the batch (null: whatever the end is).
  Text lead_away;
  // The same rows, before that: reports conflicts where the write itself comes too late for it. Empty elsewhere.
  Text look;
  // rows {a, b, n, p}, with y where the key is its own.
  Text update;
  Text update_existing;
};

struct RelationshipTexts {
  // rows {a, b}; {y} where the key is its own.
  Text remove;
  Text remove_all;
  // rows {a, b, n, p}, with y where the key is its own.
  Text insert;
  // As NodeTexts.
  std::map<mapping::Guard, RelationshipUpdateTexts> updates;
  mapping::Guard guard = mapping::Guard::none;
  const RelationshipUpdateTexts& usual() const { return updates.at(guard); }
  Text user;
};

NodeTexts node_texts(const mapping::NodeTable& table);
RelationshipTexts relationship_texts(const mapping::RelationshipTable& table);
// As they are sent for rows with the properties of `row`: where such rows are lists, the texts name their columns.
NodeTexts node_texts_of_rows(const mapping::NodeTable& table, const mapping::Properties& row);
RelationshipTexts relationship_texts_of_rows(const mapping::RelationshipTable& table, const mapping::Properties& row);

// "CREATE CONSTRAINT … IF NOT EXISTS": one property under uniqueness for each node table. Schema
// and data cannot share a transaction in Neo4j, so these run alone, before the first write, and are
// awaited.
std::vector<Text> constraint_texts(const mapping::Model& model);
// Of the one that keeps a table's nodes apart.
std::string constraint_name(const mapping::NodeTable& table);

}  // namespace cnx::cypher
