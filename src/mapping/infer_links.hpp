// Foreign keys as relationships, and tables that are relationships themselves: which, in which
// direction, of what type.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <variant>
#include <vector>

#include "mapping/rules.hpp"
#include "postgres/catalog.hpp"

namespace cnx::mapping {

// Tables that become nodes (or relationships) with their keys, by name.
using Keys = std::map<TableName, std::vector<std::string>>;
using Catalog = std::map<TableName, const postgres::Table*>;

// A foreign key that can be followed: it holds the other table's key.
struct Link {
  std::vector<std::string> columns;     // In the order of the other table's key.
  std::vector<std::string> referenced;  // referenced[i] is what columns[i] holds.
  TableName other;
};

// Or, in words for a person, why not.
std::variant<Link, std::string> link_of(const postgres::Table& table,
                                        const postgres::ForeignKey& key, const Keys& keys,
                                        const Catalog& catalog);

struct JoinTable {
  Link start, end;
  std::string type;
};

// The two foreign keys of a table whose key is exactly their columns; nullopt: it is no such table.
// The type may be one that is taken.
std::optional<JoinTable> join_of(const postgres::Table& table, const std::vector<std::string>& key,
                                 const std::vector<Link>& links);

// Types between two tables' nodes that are given already: one maker each, as load_check wants it.
class TakenTypes {
 public:
  // The first of `wanted` that is free between the two, else its last with a number; taken from
  // then on.
  std::string take(const TableName& start, const TableName& end,
                   const std::vector<std::string>& wanted);

 private:
  std::set<std::tuple<TableName, std::string, TableName>> taken_;
};

// Types for the relationship of a node's foreign key, the best first.
std::vector<std::string> types_of(const postgres::Table& table, const Link& link,
                                  const std::vector<Link>& all);

}  // namespace cnx::mapping
