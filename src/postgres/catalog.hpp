// What the catalog of the moment says of tables and types: the mapping infers from it, `check`
// judges by it, the snapshot reads by it. The stream's own relations come with the stream
// (pgoutput.hpp) and may be older.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "change/event.hpp"
#include "postgres/quote.hpp"
#include "postgres/row_filter.hpp"
#include "postgres/session.hpp"
#include "postgres/type_catalog.hpp"

namespace cnx::postgres {

enum class TableKind : char {
  table = 'r',
  partitioned = 'p',
  view = 'v',
  materialized_view = 'm',
  foreign = 'f',
};

struct TableColumn {
  int16_t number =
      0;  // pg_attribute.attnum: the order of the stream's rows; gaps where columns were dropped.
  std::string name;
  change::Oid type;  // A domain keeps its own.
  change::Oid base_type;  // With all domains taken off; 0 where it was not asked for.
  std::string base_type_name;
  int32_t type_modifier = -1;
  bool not_null = false;
  bool generated = false;  // GENERATED ALWAYS AS … STORED: not in the stream before PostgreSQL 18.
  std::string collation;   // "C", "default", …; empty where the type has none.
};

// A primary key, a unique constraint or index, or a replica identity index.
struct TableKey {
  std::string name;                  // Of the index.
  std::vector<std::string> columns;  // In the key's order.
  bool primary = false;
  bool immediate = true;          // false: DEFERRABLE, and of no use as a replica identity.
  bool valid = true;              // false: CREATE INDEX CONCURRENTLY failed or goes on.
  bool replica_identity = false;  // Chosen by REPLICA IDENTITY USING INDEX.
  bool partial = false;           // Has a WHERE.
};

struct ForeignKey {
  std::string name;
  std::vector<std::string> columns;
  change::Oid referenced;
  TableName referenced_table;
  std::vector<std::string>
      referenced_columns;  // referenced_columns[i] is what columns[i] refers to.
  bool validated = true;   // false: NOT VALID (or NOT ENFORCED), rows may refer to nothing.
  bool update_cascades = false;  // ON UPDATE CASCADE.
};

// As row-level security treats the current role.
struct Policy {
  std::string name;
  char command = '*';  // 'r' SELECT, 'a' INSERT, 'w' UPDATE, 'd' DELETE, '*' ALL.
  bool permissive = true;
  bool applies_to_us = false;  // To PUBLIC, to our role, or to a role whose rights we have.
  std::string condition;       // Its USING, as PostgreSQL prints it; empty where there is none.
};

struct Table {
  change::Oid oid;
  TableName name;
  TableKind kind = TableKind::table;
  std::optional<change::Oid> partition_root;  // Of a partition: the topmost table above it.
  bool persistent = true;                     // false: unlogged or temporary, never in the stream.
  change::ReplicaIdentity replica_identity = change::ReplicaIdentity::primary_key;
  bool may_select = false;  // The current role holds SELECT on the whole table.
  bool row_security = false;
  bool row_security_forced = false;  // Also for the owner.
  bool row_security_applies =
      false;  // Rows could be hidden from the current role (not the owner, no BYPASSRLS, …).
  std::vector<TableColumn> columns;  // By number; without dropped ones.
  std::vector<TableKey> keys;        // Unique, on plain columns.
  std::vector<ForeignKey> foreign_keys;
  std::vector<Policy> policies;
  RowFilter filter;  // Of the mapping's, where whoever read the table has set it; else all rows.

  // nullptr where there is none. Valid while the table lives and `keys` is unchanged.
  const TableKey* primary_key() const;
  const TableColumn* column(std::string_view column_name) const;
  // The columns that identify the old row in the stream: the key's, the index's, all for FULL;
  // empty where UPDATE and DELETE would fail if published (cases.md 21, 22).
  std::vector<std::string> identity_columns() const;
};

// Those of `names` that exist (in no promised order): what is missing is for the caller to say. In
// the session's open transaction, else in one of its own, so that all or nothing of a concurrent
// ALTER TABLE is seen. Blocks until `deadline`; kinds as Session.
Result<std::vector<Table>> read_tables(Session& session, const std::vector<TableName>& names,
                                       TimePoint deadline);
// The leaves of a partitioned table, at any depth; itself not.
Result<std::vector<TableName>> read_partitions(Session& session, const TableName& root,
                                               TimePoint deadline);

// All types of the database: a few hundred. Blocks until `deadline`.
Result<TypeCatalog> read_types(Session& session, TimePoint deadline);

// What stands behind FROM for the table's own rows: tables that inherit from it are others; partitions are it. Pure.
std::string own_rows(const Table& table);

// R5: whether the table can be read with row_security=on and nothing is hidden. Only where a
// permissive policy for SELECT or ALL applies to us with the condition `true`, and no restrictive
// one applies. Pure.
bool may_read_all_rows_with_row_security(const Table& table);

}  // namespace cnx::postgres
