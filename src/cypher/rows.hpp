// Statements whose parameters are rows: one packed map, {batch: {rows: [row, …]}}, each row a map or a list.
// Private to cypher/.
//
// The server plans a text anew for each power of ten that the length of a list parameter reaches
// (tried on 5.26: 1, 10, 100, … rows); a list within a map has no length to it, so that one plan serves all batches.
#pragma once

#include <optional>
#include <string>

#include "cypher/pack.hpp"
#include "cypher/statement.hpp"
#include "cypher/texts.hpp"

namespace cnx::cypher {

// The entry that holds the rows; they follow, one map each.
inline void pack_rows_header(bolt::Packer& packer, size_t count) {
  packer.string("batch");
  packer.map_header(1);
  packer.string("rows");
  packer.list_header(count);
}

// `pack_row(packer, row)` writes one row.
template <typename Rows, typename PackRow>
Statement rows_statement(const Text& text, const Rows& rows, PackRow pack_row) {
  Statement statement{
      .text = &text.text, .parameters = {}, .rows = rows.size(), .name = &text.name};
  bolt::Packer packer(statement.parameters);
  packer.map_header(1);
  pack_rows_header(packer, rows.size());
  for (const auto& row : rows) pack_row(packer, row);
  return statement;
}

// In place of the plan's text.
inline void say_text(Statement& statement, std::string text) {
  statement.made = std::make_shared<const std::string>(std::move(text));
  statement.text = statement.made.get();
}

// The same with a text of its own, under the name of `like`. `pack_row` writes one list.
template <typename Rows, typename PackRow>
Statement listed_statement(const Text& like, std::string text, const Rows& rows, PackRow pack_row) {
  Statement statement = rows_statement(like, rows, pack_row);
  say_text(statement, std::move(text));
  return statement;
}

// Their properties, one by one.
template <typename Upsert>
std::vector<const mapping::Properties*> properties_of(const std::vector<const Upsert*>& rows) {
  std::vector<const mapping::Properties*> all;
  all.reserve(rows.size());
  for (const Upsert* row : rows) all.push_back(&row->properties);
  return all;
}

inline void pack_tenant(bolt::Packer& packer, const std::optional<std::string>& tenant) {
  if (tenant) {
    packer.string(*tenant);
  } else {
    packer.null();
  }
}

// A statement without parameters: it is about all of a table.
inline Statement bare_statement(const Text& text) {
  Statement statement{.text = &text.text, .parameters = {}, .rows = 1, .name = &text.name};
  bolt::Packer(statement.parameters).map_header(0);
  return statement;
}

// Rows for a statement of the user's own, {rows: [row, …]}: each a map of the row's properties.
inline Statement user_statement(const Text& text, const std::vector<mapping::Properties>& rows) {
  Statement statement{
      .text = &text.text, .parameters = {}, .rows = rows.size(), .name = &text.name};
  statement.is_users = true;
  bolt::Packer packer(statement.parameters);
  packer.map_header(1);
  packer.string("rows");
  packer.list_header(rows.size());
  for (const mapping::Properties& row : rows) pack_map(packer, row, Companions::when_unfit);
  return statement;
}

inline void pack_key_entry(bolt::Packer& packer, std::string_view name, const mapping::Key& key) {
  packer.string(name);
  pack(packer, key);
}

inline void pack_key_or_null(bolt::Packer& packer, const std::optional<mapping::Key>& key) {
  if (key) {
    pack(packer, *key);
  } else {
    packer.null();
  }
}

// The keys, before the batch, to which a relationship may lead that stays: of the node that has `named` after it (null where
// it is another one), and `named` itself.
inline void pack_kept(bolt::Packer& packer, const mapping::Key* before, const mapping::Key& named) {
  const bool both = before != nullptr && !(*before == named);
  packer.list_header(both ? 2 : 1);
  if (both) pack(packer, *before);
  pack(packer, named);
}

// What finds a relationship that goes: its ends, or a key of its own.
inline void pack_removed(bolt::Packer& packer, const mapping::RelationshipKey& key) {
  if (!key.own.empty()) {
    packer.map_header(1);
    packer.string("y");
    packer.string(key.own);
    return;
  }
  packer.map_header(2);
  pack_key_entry(packer, "a", key.start);
  pack_key_entry(packer, "b", key.end);
}

inline void pack_tenant_entry(bolt::Packer& packer, const std::optional<std::string>& tenant) {
  packer.string("n");
  pack_tenant(packer, tenant);
}

// The upserts that one statement takes.
template <typename U>
using Chosen = bool (*)(const U&);
template <typename U>
bool is_insert(const U& upsert) {
  return upsert.inserted;
}
template <typename U>
bool is_replacement(const U& upsert) {
  return !upsert.inserted && upsert.replaced;
}
// Only an update lacks a column.
template <typename U>
bool is_partial(const U& upsert) {
  return upsert.lacks_columns;
}
template <typename U>
bool is_update(const U& upsert) {
  return !upsert.inserted && !upsert.replaced && !upsert.lacks_columns;
}

template <typename U>
std::vector<const U*> chosen_of(const std::vector<U>& upserts, Chosen<U> chosen) {
  std::vector<const U*> rows;
  for (const U& upsert : upserts) {
    if (chosen(upsert)) rows.push_back(&upsert);
  }
  return rows;
}

// Those of `rows` whose conflicts are met so.
template <typename U, typename Table>
std::vector<const U*> guarded_so(const std::vector<const U*>& rows, const Table& table, mapping::Guard guard) {
  std::vector<const U*> some;
  for (const U* row : rows) {
    if (guard_of(table, *row) == guard) some.push_back(row);
  }
  return some;
}

inline void say_guard(Statement& statement, mapping::Guard guard, const mapping::TableRule& rule) {
  statement.fails_on_conflict = guard == mapping::Guard::decide;
  const bool reports = guard != mapping::Guard::none && guard != mapping::Guard::decide;
  if (reports) statement.reports_conflicts = &rule;
}

}  // namespace cnx::cypher
