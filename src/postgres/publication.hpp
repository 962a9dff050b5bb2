// Publications: which tables the stream carries. Ours name their tables one by one, never FOR ALL
// TABLES: a table without a replica identity would refuse its application's UPDATEs (cases.md 22).
// Make the publication before the slot: the stream decodes each change with the catalog of its own
// moment (cases.md 43).
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "postgres/quote.hpp"
#include "postgres/session.hpp"

namespace cnx::postgres {

struct PublishedTable {
  TableName name;                    // With publish_via_partition_root the root, else each leaf.
  std::vector<std::string> columns;  // Those that are published.
  std::string row_filter;            // Empty: all rows.
};

struct Publication {
  std::string name;
  bool all_tables = false;
  bool insert = true;
  bool update = true;
  bool remove = true;
  bool truncate = true;
  bool via_partition_root = false;
  std::vector<PublishedTable> tables;  // What it comes to, whichever way it was written.
};

// nullopt: there is none of that name. Blocks until `deadline`; kinds as Session.
Result<std::optional<Publication>> read_publication(Session& session, const std::string& name,
                                                    TimePoint deadline);

struct PublicationOptions {
  std::string name;
  std::vector<TableName> tables;  // At least one.
  bool via_partition_root =
      true;  // One relation for a partitioned table, whichever leaf holds the row.
  std::map<TableName, std::string> row_filters = {};  // Of those of `tables` that not all rows are published of: SQL.
};
// All operations of these tables. server 42710: there is one of that name. invalid: no table.
Status create_publication(Session& session, const PublicationOptions& options, TimePoint deadline);
// Replaces its tables, and sets all operations and how partitions are named. Not while a
// transaction is applied in pieces (design.md 5).
Status set_publication(Session& session, const PublicationOptions& options, TimePoint deadline);
// What the two run, for somebody else to run: without the last semicolon.
Result<std::string> create_publication_sql(const PublicationOptions& options);
Result<std::string> set_publication_sql(const PublicationOptions& options);
Status add_to_publication(Session& session, const std::string& name,
                          const std::vector<TableName>& tables, TimePoint deadline);
Status drop_publication(Session& session, const std::string& name, TimePoint deadline);

}  // namespace cnx::postgres
