// How a table's rows look, and what they may have become without a message in the stream: columns and their types, the
// names of enum values, partitions, files. It is kept in the graph beside what was made of the rows (apply/table_states.hpp),
// so that a table that is another now is noticed, whoever was running when it changed.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "postgres/catalog.hpp"
#include "postgres/session.hpp"

namespace cnx::pipeline {

struct ShapeColumn {
  postgres::TableColumn column;
  // Rows that were there before the column was added have a value without being rewritten (its DEFAULT).
  bool filled = false;
  // Another one: the column's definition was written again (ALTER COLUMN … TYPE, and lesser changes).
  std::string mark;
};

struct TableShape {
  postgres::TableName name;
  change::Oid oid;
  postgres::TableKind kind = postgres::TableKind::table;
  std::vector<ShapeColumn> columns;
  // Of every enum, and attribute of a composite type, that the columns' types lead to: by what PostgreSQL knows it by.
  std::map<std::string, std::string> labels;
  std::map<std::string, std::string> attributes;
  std::set<uint32_t> partitions;               // All below the table.
  // Since when a partition has been one: another value means that it was detached, and its changes were not published.
  std::map<uint32_t, std::string> attached;
  std::map<uint32_t, std::string> files;       // By the oid of the table, or of a partition.
  // Since when it has been in the publication; another one means that it was out of it. Empty: it is not in it.
  std::string published;
};

// Of those of `names` that exist, in no promised order. In the session's open transaction, or in one of its own. Blocks until
// `deadline`; kinds as Session.
Result<std::vector<TableShape>> read_shapes(postgres::Session& session, const std::vector<postgres::TableName>& names,
                                            const std::string& publication, TimePoint deadline);

// As it is kept, and read back. ErrorKind::state for a text that this program did not write.
std::string to_text(const TableShape& shape);
Result<TableShape> shape_of(const postgres::TableName& name, std::string_view text);

// The table as the mapping knew it, for one that the catalog no longer has as it was.
postgres::Table table_of(const TableShape& shape);

// One text over all that decides how the tables can be followed: another text means that something in the catalog changed.
// Cheap enough to be asked every second. Blocks until `deadline`.
Result<std::string> read_catalog_mark(postgres::Session& session, const std::vector<postgres::TableName>& names,
                                      const std::string& publication, TimePoint deadline);

}  // namespace cnx::pipeline
