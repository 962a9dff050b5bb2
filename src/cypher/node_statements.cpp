#include "cypher/node_statements.hpp"

#include <algorithm>

#include "cypher/grouped_rows.hpp"
#include "cypher/list_rows.hpp"
#include "cypher/node_rows.hpp"
#include "cypher/node_upsert_texts.hpp"
#include "cypher/rows.hpp"

namespace cnx::cypher {
namespace {

using mapping::Guard;
using mapping::Key;
using mapping::NodeMutations;
using mapping::NodeUpsert;

// How the rows are told as lists; nullopt where they are maps.
std::optional<ListColumns> columns_of(const mapping::NodeTable& table, Guard guard, const std::vector<const NodeUpsert*>& rows,
                                      Companions companions) {
  if (!takes_lists(table, guard)) return std::nullopt;
  return list_columns(properties_of(rows), companions, table.key_property);
}

// A list of the node's key and its properties.
void pack_listed(bolt::Packer& packer, const NodeUpsert& row, const ListColumns& list) {
  packer.list_header(1 + list.names.size());
  pack(packer, row.key);
  pack_columns(packer, row.properties, list);
}

Statement remove_all(const Text& text, const NodeMutations& node) {
  Statement statement{.text = &text.text, .parameters = {}, .rows = 1, .name = &text.name};
  bolt::Packer packer(statement.parameters);
  packer.map_header(1);
  pack_clear_entry(packer, node);
  return statement;
}

Statement removal(const Text& text, const NodeMutations& node, const std::vector<Key>& removed) {
  std::vector<const Key*> keys;
  for (const Key& key : removed) keys.push_back(&key);
  std::sort(keys.begin(), keys.end(), [](const Key* x, const Key* y) { return *x < *y; });
  Statement statement{
      .text = &text.text, .parameters = {}, .rows = keys.size(), .name = &text.name};
  bolt::Packer packer(statement.parameters);
  packer.map_header(2);
  pack_rows_header(packer, keys.size());
  for (const Key* key : keys) {
    packer.map_header(1);
    pack_key_entry(packer, "k", *key);
  }
  pack_clear_entry(packer, node);
  return statement;
}

// The update and the ends to which its relationships lead.
Statement mapped_linked(const Text& text, const mapping::NodeTable& table, const std::vector<const NodeUpsert*>& rows) {
  const bool makes = has_shared_ends(table);
  return rows_statement(text, rows, [&](bolt::Packer& packer, const NodeUpsert* row) {
    const bool compares = compares_old(table);
    packer.map_header(4u + (table.node->labels ? 1 : 0) + (makes ? 1 : 0) + (compares ? 1 : 0));
    if (compares) pack_base_entry(packer, row->base, table.key_property);
    if (table.node->labels) pack_label_entry(packer, row->label);
    pack_key_entry(packer, "k", row->key);
    pack_tenant_entry(packer, row->tenant);
    packer.string("o");
    packer.list_header(row->ends.size());
    for (const mapping::ForeignEnd& end : row->ends) pack_key_or_null(packer, end.key);
    if (makes) {
      packer.string("m");
      packer.list_header(row->ends.size());
      for (const mapping::ForeignEnd& end : row->ends) pack_map(packer, end.made, Companions::when_unfit);
    }
    packer.string("p");
    pack_node(packer, table, *row, Companions::always);
  });
}

Statement linked_update(const Text& text, const mapping::NodeTable& table, Guard guard, const std::vector<const NodeUpsert*>& rows) {
  const std::optional<ListColumns> list = columns_of(table, guard, rows, Companions::always);
  if (!list) return mapped_linked(text, table, rows);
  const bool makes = has_shared_ends(table);
  const size_t keys = table.foreign_keys.size();
  return listed_statement(text, listed_update_linked(table, guard, list->names), rows, [&](bolt::Packer& packer, const NodeUpsert* row) {
    packer.list_header(2 + keys + (makes ? keys : 0) + list->names.size());
    pack(packer, row->key);
    pack_tenant(packer, row->tenant);
    for (const mapping::ForeignEnd& end : row->ends) pack_key_or_null(packer, end.key);
    if (makes) {
      for (const mapping::ForeignEnd& end : row->ends) pack_map(packer, end.made, Companions::when_unfit);
    }
    pack_columns(packer, row->properties, *list);
  });
}

// Takes out of `rows` those that have an end by that foreign key.
std::vector<const NodeUpsert*> take_linked(std::vector<const NodeUpsert*>& rows, size_t foreign) {
  auto alone = std::stable_partition(rows.begin(), rows.end(), [&](const NodeUpsert* row) {
    return !row->ends[foreign].key.has_value();
  });
  std::vector<const NodeUpsert*> linked(alone, rows.end());
  rows.erase(alone, rows.end());
  return linked;
}

// An insert and the relationship that it makes along with the node.
Statement linked_insert(const NodeTexts& texts, const mapping::NodeTable& table, std::vector<const NodeUpsert*> rows) {
  const std::optional<ListColumns> list = columns_of(table, Guard::none, rows, Companions::when_unfit);
  Statement statement = grouped_statement(texts.insert_linked, std::move(rows), *texts.linked, [&](bolt::Packer& packer, const NodeUpsert& row) {
    if (list) {
      pack_listed(packer, row, *list);
    } else {
      pack_row(packer, table, row, Companions::when_unfit);
    }
  });
  if (list) say_text(statement, listed_insert_linked(table, table.foreign_keys[*texts.linked], list->names));
  return statement;
}

}  // namespace

void pack_clear_entry(bolt::Packer& packer, const NodeMutations& node) {
  std::vector<std::string_view> cleared;
  for (const mapping::PropertyName* name : node.known_properties) {
    const bool kept =
        name->name == node.table->key_property || name->name == node.table->tenant_property;
    if (kept) continue;
    cleared.push_back(name->name);
    if (name->may_be_unfit) cleared.push_back(name->companion);
  }
  std::sort(cleared.begin(), cleared.end());
  cleared.erase(std::unique(cleared.begin(), cleared.end()), cleared.end());
  packer.string("clear");
  packer.map_header(cleared.size());
  for (std::string_view name : cleared) {
    packer.string(name);
    packer.null();
  }
}

void remove_nodes(const NodeTexts& texts, const NodeMutations& node, std::vector<Statement>& out) {
  if (node.truncated) out.push_back(remove_all(texts.remove_all, node));
  if (!node.removed.empty()) out.push_back(removal(texts.remove, node, node.removed));
}

void upsert_nodes(const NodeTexts& texts, const NodeMutations& node, Fusion fusion,
                  std::vector<Statement>& out) {
  if (!texts.user.text.empty()) {
    if (node.user_rows.empty()) return;
    out.push_back(user_statement(texts.user, node.user_rows));
    if (node.user_removed.empty()) return;
    out.push_back(removal(texts.remove, node, node.user_removed));
    return;
  }
  auto sorted = [](std::vector<const NodeUpsert*> rows) {
    std::sort(rows.begin(), rows.end(),
              [](const NodeUpsert* x, const NodeUpsert* y) { return x->key < y->key; });
    return rows;
  };
  auto add = [&](const Text& text, std::vector<const NodeUpsert*> rows, Companions companions, Guard guard, bool needs) {
    if (rows.empty()) return;
    rows = sorted(std::move(rows));
    const std::optional<ListColumns> list = needs ? std::nullopt : columns_of(*node.table, guard, rows, companions);
    Statement statement = list ? listed_statement(text, listed_upsert(*node.table, guard, list->names), rows,
                                                  [&](bolt::Packer& packer, const NodeUpsert* row) { pack_listed(packer, *row, *list); })
                               : rows_statement(text, rows, [&](bolt::Packer& packer, const NodeUpsert* row) {
                                   pack_row(packer, *node.table, *row, companions);
                                 });
    say_guard(statement, guard, *node.table->rule);
    statement.needs_entity = needs;
    out.push_back(std::move(statement));
  };
  std::vector<const NodeUpsert*> inserted = chosen_of<NodeUpsert>(node.upserts, is_insert);
  if (fusion.inserts) {
    std::vector<const NodeUpsert*> linked = take_linked(inserted, *texts.linked);
    if (!linked.empty()) out.push_back(linked_insert(texts, *node.table, std::move(linked)));
  }
  add(texts.insert, std::move(inserted), Companions::when_unfit, Guard::none, false);
  add(texts.insert, chosen_of<NodeUpsert>(node.upserts, is_replacement), Companions::always, Guard::none, false);
  const std::vector<const NodeUpsert*> updated = chosen_of<NodeUpsert>(node.upserts, is_update);
  const std::vector<const NodeUpsert*> partial = chosen_of<NodeUpsert>(node.upserts, is_partial);
  for (const auto& [guard, update] : texts.updates) {
    std::vector<const NodeUpsert*> rows = guarded_so(updated, *node.table, guard);
    if (!fusion.updates) {
      add(update.update, std::move(rows), Companions::always, guard, false);
    } else if (!rows.empty()) {
      out.push_back(linked_update(update.update_linked, *node.table, guard, sorted(std::move(rows))));
      say_guard(out.back(), guard, *node.table->rule);
    }
    add(update.update_existing, guarded_so(partial, *node.table, guard), Companions::always, guard, true);
  }
}

}  // namespace cnx::cypher
