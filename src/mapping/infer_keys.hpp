// Which columns of a table identify its rows in the graph, or why none do.
#pragma once

#include <string>
#include <vector>

#include "postgres/catalog.hpp"

namespace cnx::mapping {

struct KeyChoice {
  std::vector<std::string> columns;  // In key order; empty: none.
  std::string reason;                // Why none.
  std::string cure;
  std::string remark;  // Of a key that is not the primary key: why it was taken.
};

// The primary key; else the best unique key on NOT NULL columns. Only one whose columns the log
// tells with every UPDATE and DELETE, since PostgreSQL refuses those once a table without such an
// identity is published. Pure.
KeyChoice choose_key(const postgres::Table& table);

}  // namespace cnx::mapping
