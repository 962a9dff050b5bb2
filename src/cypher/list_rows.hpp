// Rows as lists, with a SET for each column: a map's names and `+=` are a tenth of what a row costs Neo4j (docs/benchmarks.md). For rows
// that have the same columns, which the text then names; others are maps. Private to cypher/.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cypher/pack.hpp"
#include "mapping/model.hpp"

namespace cnx::cypher {

// The names of the properties that a text sets, in the order of a row's values.
using Columns = std::vector<std::string>;

// What of its properties a row's list holds.
struct ListColumns {
  struct Column {
    size_t property = 0;     // Its place among the row's properties.
    bool companion = false;  // Behind it stands its companion's value, or null.
  };
  std::vector<Column> columns;
  Columns names;
};

// Of the rows of one statement, at least one; nullopt where they have to be maps. `found_by` is left out: the property that the
// statement finds the entity by, or empty.
std::optional<ListColumns> list_columns(const std::vector<const mapping::Properties*>& rows, Companions companions,
                                        std::string_view found_by);
void pack_columns(bolt::Packer& packer, const mapping::Properties& properties, const ListColumns& list);

// Assignments of a SET, "n.`a` = row[2], n.`b` = row[3]", the first column at `first`. Empty where there are none.
std::string assign_columns(std::string_view variable, const Columns& columns, size_t first);
// The value of one of them, "row[3]"; "null" where it is none of them.
std::string column_value(const Columns& columns, size_t first, std::string_view name);

// Whether statements of the table may have such rows: what is written depends neither on what else a row holds (labels and fields that
// its values choose, what it was before) nor on what the graph has.
bool takes_lists(const mapping::NodeTable& table, mapping::Guard guard);
bool takes_lists(const mapping::RelationshipTable& table, mapping::Guard guard);

}  // namespace cnx::cypher
