// Rows of which the stream left out an unchanged TOAST column: where their entity is not in the
// graph, the row is read again from PostgreSQL. Pure.
#pragma once

#include <string>
#include <vector>

#include "change/event.hpp"
#include "mapping/binding.hpp"

namespace cnx::mapping {

// By its key's columns, as PostgreSQL prints them.
RowKey row_key(const Binding& binding, const std::vector<change::DatumView>& row);
// Whether a row of the relation has that key, in each of its columns. A relation of another table has
// no such rows.
bool has_key(const RowKey& key, const change::Relation& relation,
             const std::vector<change::DatumView>& row);

struct LackingRow {
  RowKey row;
  // Of a node that was in the graph before the batch, if anywhere: its table and its key there. Null where only the row itself
  // tells (a relationship, or one that a foreign key makes).
  const NodeTable* node = nullptr;
  Key node_key;
  // Of a row that is a relationship, where conflicts are looked for.
  const RelationshipTable* relationship = nullptr;
  RelationshipKey relationship_key = {};
  // What it lacks columns for.
  enum class Lacks { nothing, node, unsaid };
  Lacks lacks = Lacks::unsaid;  // node: it is wanted where that is not in the graph. unsaid: it is wanted.
  // It is also wanted where what the graph has of it is somebody else's: by these, its version and its time, and by what it was.
  bool conflicts = false;
  Properties properties = {};
  Properties base = {};
};
std::vector<LackingRow> lacking_rows(const Mutations& mutations);

}  // namespace cnx::mapping
