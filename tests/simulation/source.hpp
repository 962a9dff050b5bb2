// What is in the simulated database: four tables, and transactions over them. Parents, children and likes are the family of
// mapping/testing, with or without foreign keys; rows of `counted` are written by a statement of the user's own, which no
// merging hides: each change of them has an effect that is counted.
#pragma once

#include <array>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "change/ids.hpp"
#include "postgres/catalog.hpp"

namespace cnx::simulation {

// In the order of the table's columns; nullopt is NULL.
using Row = std::vector<std::optional<std::string>>;
// What the database has for columns by which rows name others: foreign keys with ON UPDATE CASCADE, or none.
enum class References { follow, stay };

enum class Table : size_t { parents, children, likes, counted };
inline constexpr std::array kTables = {Table::parents, Table::children, Table::likes, Table::counted};

using RowKey = std::vector<std::string>;
using Rows = std::map<RowKey, Row>;
using Tables = std::array<Rows, kTables.size()>;

inline Rows& rows_of(Tables& tables, Table table) { return tables[static_cast<size_t>(table)]; }
inline const Rows& rows_of(const Tables& tables, Table table) { return tables[static_cast<size_t>(table)]; }
size_t key_columns(Table table);
RowKey key_of(Table table, const Row& row);

// Columns, by their place in the row.
enum Parents : size_t { kParentId, kParentTenant, kParentNote, kSeen, kParentVersion };
enum Children : size_t { kChildId, kChildTenant, kParent, kElder, kChildNote, kChildBig };
enum Likes : size_t { kLiker, kLiked, kWeight, kLikeBig, kLikeVersion };
enum Counted : size_t { kCountedId, kFiller, kValue };
// No graph takes such a row: it becomes a dead letter.
inline bool is_poison(Table table, const Row& row) { return table == Table::counted && row[kValue]->starts_with('-'); }

// One message of the stream.
struct SourceChange {
  enum class Kind { insert, update, remove, truncate, own_update, elsewhere };
  Kind kind = Kind::elsewhere;  // `elsewhere`: a row of a table that is not mapped. `own_update`: the write-back's.
  Table table = Table::counted;
  Row old_row;
  Row row;
  std::optional<size_t> unchanged;  // A TOASTed column that the UPDATE left alone.
  std::vector<Table> truncated;
};

struct SourceTransaction {
  change::Lsn final_lsn;
  change::Lsn end_lsn;
  uint32_t xid = 0;
  bool has_filler = false;  // `counted` has its column `filler` at that time.
  std::vector<SourceChange> changes;

  bool is_own() const { return !changes.empty() && changes.front().kind == SourceChange::Kind::own_update; }
};

// For people.
std::string describe(const SourceTransaction& transaction);

// What a change does to the tables.
void apply_change(const SourceChange& change, Tables& tables);

// As PostgreSQL's catalog has them.
std::vector<postgres::Table> catalog(References references);
std::string mapping_text();

}  // namespace cnx::simulation
