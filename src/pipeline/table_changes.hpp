// What has to be done about a table that is another than the one whose rows are in the graph. Pure.
#pragma once

#include <map>
#include <set>
#include <string>

#include "pipeline/table_shape.hpp"

namespace cnx::pipeline {

// What the stream told of tables, and the catalog may show no more.
struct StreamTraces {
  std::set<postgres::TableName> other_names;                          // Rows came under another name than the table's.
  std::map<postgres::TableName, std::set<change::Oid>> other_tables;  // Had the table's name, and rows that count.
  std::map<postgres::TableName, std::set<change::Oid>> partitions;    // Their rows came as the table's.
};

struct TableChange {
  // Rows may look otherwise, or be gone, without a message in the stream: they are read again, and what the graph has beside
  // them is removed.
  bool copy = false;
  // Rows may be gone without a message, and none look otherwise: what they made is removed.
  bool gone = false;
  // Columns are another set: properties may have gone with some.
  bool columns = false;
  std::string why;  // For people: the first that was found. Empty: nothing to be done.

  bool any() const { return copy || gone || columns; }
};

// `filled_partitions`: those of the present partitions, unknown before, in which rows are.
TableChange compare(const TableShape& known, const TableShape& now, const std::set<uint32_t>& filled_partitions);
// What came and went between two looks at the catalog: it shows no trace of it, the stream did.
void add_traces(const StreamTraces& traces, const TableShape& now, TableChange& change);
// Partitions that were not there before. Pure.
std::set<uint32_t> new_partitions(const TableShape& known, const TableShape& now);

}  // namespace cnx::pipeline
