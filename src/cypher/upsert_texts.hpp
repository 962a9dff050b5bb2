// The texts that insert and update rows with one set of columns. $rows is a list of rows, each a
// list: what RowForm says, then the columns. With a foreign key the relationship is written by the
// same statement; each further statement would look the child up again.
#pragma once

#include <optional>
#include <vector>

#include "cypher/columns.hpp"
#include "cypher/texts.hpp"
#include "mapping/model.hpp"

namespace cnx::cypher {

// Where a row of a node's table has what. row[0] is the key.
struct RowForm {
  struct End {
    size_t other = 0;        // The other end's key, or null; not of a group's own end.
    size_t properties = 0;   // A map; where the relationship has properties.
    size_t must_exist = 0;   // Beside them: lacks one of them, so the relationship must be there.
  };
  std::vector<End> ends;         // One for each foreign key; 0 is "not in the row".
  size_t tenant = 0;             // Of stubs; where one has a tenant.
  size_t first_column = 1;
};
// `grouped`: the first foreign key's end is the group's.
RowForm row_form(const mapping::NodeTable& table, bool grouped);

struct NodeUpsertTexts {
  // Rows whatever their foreign keys say. Never guarded.
  Text insert;
  // $rows is a list of groups [other end's key, tenant, rows], for the first foreign key: the end
  // that rows share is merged once. Empty where the table has no foreign key.
  Text insert_grouped;
  // Guarded by the version where one is mapped: a row that is refused moves no relationship either.
  // The other ends are read before, and a relationship is touched only where they differ.
  Text update;
  // The same, failing where the node is missing or a stub, or a relationship that must exist is.
  Text update_existing;
};

// Rows [start's key, end's key, tenant where stubs have one, columns…].
struct RelationshipUpsertTexts {
  Text insert;
  Text update;
  Text update_existing;
};
bool has_tenant(const mapping::RelationshipTable& table);

NodeUpsertTexts upsert_texts(const mapping::NodeTable& table, const Columns& columns);
RelationshipUpsertTexts upsert_texts(const mapping::RelationshipTable& table,
                                     const Columns& columns);

}  // namespace cnx::cypher
