// A small PostgreSQL in memory for histories: parents, children with a foreign key to a parent and
// one to an elder child, and a join table, kept as PostgreSQL keeps them (keys unique, foreign keys
// cascading, or none) and written down as the changes that the stream would carry, in its order. For
// tests only.
#pragma once

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "change/event.hpp"
#include "mapping/testing/source.hpp"

namespace cnx::mapping::testing {

enum class FamilyTable { parents, children, likes };
inline constexpr std::array kFamilyTables = {FamilyTable::parents, FamilyTable::children,
                                             FamilyTable::likes};

struct Change {
  FamilyTable table = FamilyTable::parents;
  change::Operation operation = change::Operation::insert;
  Row old_row;  // Whole; a stream without REPLICA IDENTITY FULL has its key alone.
  Row row;
  std::optional<size_t> unchanged;  // A TOASTed column that the UPDATE left alone.
};
struct Truncation {
  std::vector<FamilyTable> tables;
};
using SourceTransaction = std::vector<std::variant<Change, Truncation>>;

class Family {
 public:
  // Columns, by their place in the row.
  enum Parent : size_t { kParentId, kParentTenant, kParentNote, kSeen, kParentVersion };
  enum Child : size_t { kChildId, kChildTenant, kParent, kElder, kChildNote, kChildBig };
  enum Like : size_t { kLiker, kLiked, kWeight, kLikeBig, kLikeVersion };
  using Rows = std::map<std::vector<std::string>, Row>;  // By primary key.

  // `References::stay`: without foreign keys, rows name whatever they like.
  explicit Family(References references = References::follow) : enforced_(references == References::follow) {}

  const Rows& rows(FamilyTable table) const { return tables_[static_cast<size_t>(table)]; }
  static size_t key_columns(FamilyTable table) { return table == FamilyTable::likes ? 2 : 1; }

  // What was written since the last call.
  SourceTransaction commit() { return std::exchange(open_, {}); }

  bool insert(FamilyTable table, Row row) {
    const bool refused = rows_of(table).contains(key_of(table, row)) || !refers(table, row);
    if (refused) return false;
    rows_of(table)[key_of(table, row)] = row;
    open_.push_back(Change{table, change::Operation::insert, {}, std::move(row), {}});
    return true;
  }

  // `columns` over the row that has the key; a key changes with everything that refers to it.
  bool update(FamilyTable table, const std::vector<std::string>& key,
              const std::map<size_t, std::optional<std::string>>& columns) {
    auto found = rows_of(table).find(key);
    if (found == rows_of(table).end()) return false;
    const Row before = found->second;
    Row row = before;
    for (const auto& [column, value] : columns) row[column] = value;
    raise_version(table, row);
    const auto new_key = key_of(table, row);
    const bool refused =
        (new_key != key && rows_of(table).contains(new_key)) || !refers(table, row, &key);
    if (refused) return false;
    rows_of(table).erase(found);
    rows_of(table)[new_key] = row;
    open_.push_back(
        Change{table, change::Operation::update, before, row, untouched(table, row, columns)});
    if (enforced_ && new_key != key && table != FamilyTable::likes) cascade_key(table, key[0], new_key[0]);
    return true;
  }

  bool remove(FamilyTable table, const std::vector<std::string>& key) {
    auto found = rows_of(table).find(key);
    if (found == rows_of(table).end()) return false;
    open_.push_back(Change{table, change::Operation::remove, found->second, {}, {}});
    rows_of(table).erase(found);
    if (!enforced_) return true;
    if (table == FamilyTable::parents) {
      for (const auto& child : keys_where(FamilyTable::children, kParent, key[0]))
        remove(FamilyTable::children, child);
      for (const auto& like : keys_where(FamilyTable::likes, kLiker, key[0]))
        remove(FamilyTable::likes, like);
    } else if (table == FamilyTable::children) {
      for (const auto& child : keys_where(FamilyTable::children, kElder, key[0])) {
        update(FamilyTable::children, child, {{kElder, std::nullopt}});
      }
      for (const auto& like : keys_where(FamilyTable::likes, kLiked, key[0]))
        remove(FamilyTable::likes, like);
    }
    return true;
  }

  // TRUNCATE … CASCADE.
  void truncate(FamilyTable table) {
    Truncation truncation;
    for (FamilyTable each : kFamilyTables) {
      if (each == table || each == FamilyTable::likes || table == FamilyTable::parents)
        truncation.tables.push_back(each);
    }
    if (!enforced_ || table == FamilyTable::likes) truncation.tables = {table};
    for (FamilyTable each : truncation.tables) rows_of(each).clear();
    open_.emplace_back(std::move(truncation));
  }

  // Large values are stored out of line: an UPDATE that does not name them leaves them out.
  static bool is_large(const std::optional<std::string>& value) {
    return value && value->find("large") != std::string::npos;
  }

 private:
  Rows& rows_of(FamilyTable table) { return tables_[static_cast<size_t>(table)]; }

  static std::vector<std::string> key_of(FamilyTable table, const Row& row) {
    std::vector<std::string> key;
    for (size_t i = 0; i < key_columns(table); ++i) key.push_back(row[i].value());
    return key;
  }

  std::vector<std::vector<std::string>> keys_where(FamilyTable table, size_t column,
                                                   const std::string& value) const {
    std::vector<std::vector<std::string>> keys;
    for (const auto& [key, row] : rows(table)) {
      if (row[column] == value) keys.push_back(key);
    }
    return keys;
  }

  bool refers_to(FamilyTable other, const std::optional<std::string>& value) const {
    return !enforced_ || !value || rows(other).contains({*value});
  }
  // Whether what a row names is there; a child may be its own elder.
  bool refers(FamilyTable table, const Row& row,
              const std::vector<std::string>* old_key = nullptr) const {
    if (table == FamilyTable::likes) {
      return refers_to(FamilyTable::parents, row[kLiker]) &&
             refers_to(FamilyTable::children, row[kLiked]);
    }
    if (table == FamilyTable::parents) return true;
    const bool own =
        row[kElder] == row[kChildId] || (old_key != nullptr && row[kElder] == (*old_key)[0]);
    return refers_to(FamilyTable::parents, row[kParent]) &&
           (own || refers_to(FamilyTable::children, row[kElder]));
  }

  void cascade_key(FamilyTable table, const std::string& from, const std::string& to) {
    const bool parents = table == FamilyTable::parents;
    const size_t column = parents ? kParent : kElder;
    for (const auto& child : keys_where(FamilyTable::children, column, from)) {
      update(FamilyTable::children, child, {{column, to}});
    }
    const size_t end = parents ? kLiker : kLiked;
    for (const auto& like : keys_where(FamilyTable::likes, end, from))
      update(FamilyTable::likes, like, {{end, to}});
  }

  // As a trigger would, with every change.
  static void raise_version(FamilyTable table, Row& row) {
    if (table == FamilyTable::children) return;
    auto& version =
        row[table == FamilyTable::parents ? size_t(kParentVersion) : size_t(kLikeVersion)];
    version = std::to_string(std::stoll(version.value()) + 1);
  }

  static std::optional<size_t> untouched(
      FamilyTable table, const Row& row,
      const std::map<size_t, std::optional<std::string>>& columns) {
    if (table == FamilyTable::parents) return std::nullopt;
    const size_t big = table == FamilyTable::children ? size_t(kChildBig) : size_t(kLikeBig);
    return !columns.contains(big) && is_large(row[big]) ? std::optional(big) : std::nullopt;
  }

  bool enforced_;
  std::array<Rows, 3> tables_;
  SourceTransaction open_;
};

}  // namespace cnx::mapping::testing
