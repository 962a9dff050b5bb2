#include "source.hpp"

namespace cnx::simulation {

using Kind = SourceChange::Kind;

namespace {

std::string text_of(const Row& row) {
  std::string text;
  for (const auto& value : row) text += (text.empty() ? "" : ", ") + value.value_or("null");
  return "(" + text + ")";
}

std::string text_of(const SourceChange& change) {
  constexpr std::array kNames = {"parents", "children", "likes", "counted"};
  const std::string table = kNames[static_cast<size_t>(change.table)];
  switch (change.kind) {
    case Kind::insert:
      return "insert " + table + " " + text_of(change.row);
    case Kind::update:
      return "update " + table + " " + text_of(change.old_row) + " to " + text_of(change.row) +
             (change.unchanged ? ", without column " + std::to_string(*change.unchanged) : "");
    case Kind::remove:
      return "delete " + table + " " + text_of(change.old_row);
    case Kind::truncate: {
      std::string text = "truncate";
      for (Table each : change.truncated) text += std::string(" ") + kNames[static_cast<size_t>(each)];
      return text;
    }
    case Kind::own_update:
      return "write-back " + table + " " + text_of(change.row);
    case Kind::elsewhere:
      break;
  }
  return "elsewhere";
}

}  // namespace

std::string describe(const SourceTransaction& transaction) {
  std::string text = "transaction " + std::to_string(transaction.xid) + ", " + transaction.final_lsn.to_string() + " to " +
                     transaction.end_lsn.to_string() + "\n";
  for (size_t i = 0; i < transaction.changes.size(); ++i) {
    text += "    " + std::to_string(i + 1) + " " + text_of(transaction.changes[i]) + "\n";
  }
  return text;
}

size_t key_columns(Table table) {
  return table == Table::likes ? 2 : 1;
}

RowKey key_of(Table table, const Row& row) {
  RowKey key;
  for (size_t i = 0; i < key_columns(table); ++i) key.push_back(row[i].value());
  return key;
}

void apply_change(const SourceChange& change, Tables& tables) {
  Rows& rows = rows_of(tables, change.table);
  switch (change.kind) {
    case Kind::insert:
      rows[key_of(change.table, change.row)] = change.row;
      return;
    case Kind::update:
      rows.erase(key_of(change.table, change.old_row));
      rows[key_of(change.table, change.row)] = change.row;
      return;
    case Kind::remove:
      rows.erase(key_of(change.table, change.old_row));
      return;
    case Kind::truncate:
      for (Table table : change.truncated) rows_of(tables, table).clear();
      return;
    case Kind::own_update:
    case Kind::elsewhere:
      return;
  }
}

}  // namespace cnx::simulation
