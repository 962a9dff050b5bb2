// Rows as lists: which property stands where. Lists and a SET for each property cost Neo4j less than
// maps and `+=`, which may write any property and so holds all rows back (docs/benchmarks.md); the
// price is a text for each set of columns. Private to cypher/ but for `explain`.
#pragma once

#include <string>
#include <vector>

#include "cypher/pack.hpp"
#include "mapping/binding.hpp"
#include "mapping/mutation.hpp"

namespace cnx::cypher {

struct Column {
  const mapping::PropertyName* name = nullptr;
  bool companion = false;  // Its companion stands behind it.
  bool key = false;        // It is the row's key, which stands at the list's start already.
  friend bool operator==(const Column&, const Column&) = default;
};

// What the rows of one statement have in common. Two rows have other columns where one lacks an
// unchanged TOAST column, or where a relation got a new one between them.
struct Columns {
  std::vector<Column> list;
  // For a table that has shown too many sets of columns: one map holds them all.
  bool as_map = false;
  friend bool operator==(const Columns&, const Columns&) = default;
};

// `key_property` is empty for relationships.
Columns columns_of(const mapping::Properties& properties, std::string_view key_property,
                   Companions companions);
// Of a row that has all of the relation's columns, and no value that does not fit.
Columns columns_of(const mapping::Binding& binding, Companions companions);
bool fits(const Columns& columns, const mapping::Properties& properties, Companions companions);

// How many elements of a row's list they take, and those elements. In a map `stub_mark` is set to
// null.
size_t element_count(const Columns& columns);
void pack_elements(bolt::Packer& packer, const Columns& columns,
                   const mapping::Properties& properties, Companions companions,
                   std::string_view stub_mark);

// "x.`a` = row[3], x.`b` = row[4]", or "x += row[3]", where the first element is row[`first`].
std::string assignments(std::string_view variable, const Columns& columns, size_t first);
// Where a row has the property: "row[3]", "row[3].`version`"; "null" where it has none.
std::string value_of(std::string_view property, const Columns& columns, size_t first);

}  // namespace cnx::cypher
