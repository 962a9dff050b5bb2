// A mapping inferred from a catalog: keys, labels, relationships and what is better left out, each
// with its reason. mapping_text.hpp writes it as a file for a person to keep.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "mapping/rules.hpp"
#include "postgres/table_list.hpp"

namespace cnx::mapping {

// A column and why it is not simply a property under its own name.
struct ColumnNote {
  std::string column;
  std::string reason;
};

// `property: column`, in the order of the table's columns.
struct NamedProperty {
  std::string property;
  std::string column;
};

struct InferredTable {
  TableRule rule;
  // What a reader should know first: the database's own comments, partitions, parents.
  std::vector<std::string> remarks;
  std::vector<ColumnNote> excluded;       // In a relationship's table: not among its properties.
  std::vector<NamedProperty> renamed;     // A node's.
  std::vector<NamedProperty> properties;  // A relationship's.
  std::vector<std::string>
      without_relationship;  // Foreign keys that became none, each with its reason.
};

struct LeftOut {
  TableName table;
  std::string reason;  // "it has no key"
  std::string cure;    // Empty where there is none.
  // True: stands under `tables` as none. False: only a comment names it, since it is no table whose
  // rows the log carries, or has a name that the file cannot say.
  bool entry = false;
  std::vector<std::string> remarks;
};

struct Inferred {
  std::string name;                   // The database's.
  std::string schema;                 // Of the tables that do not say their own.
  std::vector<InferredTable> tables;  // By schema (this one first) and name.
  std::vector<LeftOut> left_out;      // In the same order.

  size_t nodes() const;
  size_t relationships() const;  // Tables that are one.
  size_t foreign_keys() const;   // Of nodes.
};

// Pure, and the same for the same list. What comes out loads, and has no catalog_faults against
// these tables.
Inferred infer(const postgres::TableList& list);

}  // namespace cnx::mapping
