#include "cypher/node_statements.hpp"

#include <algorithm>

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

struct Unlinked {
  const Key* child;
  // A relationship to one of these stays, by the keys before the batch; null: none does.
  const Key* other;
  const Key* named;  // By a row that does not follow: what leads to this key leads there after the batch.
};

std::vector<Unlinked> unlinked(const NodeMutations& node, Fusion fusion, size_t foreign) {
  std::vector<Unlinked> rows;
  for (const Key& key : node.removed) rows.push_back({&key, nullptr, nullptr});
  const bool follows = node.table->foreign_keys[foreign].follows;
  for (const NodeUpsert& upsert : node.upserts) {
    if (fusion.updates && is_update(upsert)) continue;
    const mapping::ForeignEnd& end = upsert.ends[foreign];
    if (upsert.inserted || end.unknown) continue;
    rows.push_back({&upsert.key_before, end.kept(), follows || !end.key ? nullptr : &*end.key});
  }
  std::sort(rows.begin(), rows.end(),
            [](const Unlinked& x, const Unlinked& y) { return *x.child < *y.child; });
  return rows;
}

Statement unlink_statement(const Text& text, const std::vector<Unlinked>& rows) {
  return rows_statement(text, rows, [](bolt::Packer& packer, const Unlinked& row) {
    packer.map_header(2);
    pack_key_entry(packer, "k", *row.child);
    packer.string("o");
    if (row.named != nullptr) {
      pack_kept(packer, row.other, *row.named);
    } else if (row.other != nullptr) {
      pack(packer, *row.other);
    } else {
      packer.null();
    }
  });
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

// What the other end is made with, where it is not there.
void pack_made(bolt::Packer& packer, const NodeUpsert& row, size_t foreign) {
  const mapping::ForeignEnd& end = row.ends[foreign];
  if (end.made.empty()) return pack_tenant_entry(packer, row.tenant);
  packer.string("n");
  pack_map(packer, end.made, Companions::when_unfit);
}

// Children grouped by their other end, so that a shared end is looked up once. `pack_child` writes
// one child's map.
template <typename PackChild>
Statement grouped_statement(const Text& text, std::vector<const NodeUpsert*> rows, size_t index,
                            PackChild pack_child) {
  std::sort(rows.begin(), rows.end(), [index](const NodeUpsert* x, const NodeUpsert* y) {
    const Key& x_other = *x->ends[index].key;
    const Key& y_other = *y->ends[index].key;
    return x_other == y_other ? x->key < y->key : x_other < y_other;
  });
  std::vector<std::pair<size_t, size_t>> groups;  // [first, last) of rows with one other end.
  for (size_t i = 0; i < rows.size(); ++i) {
    if (i == 0 || !(*rows[i]->ends[index].key == *rows[i - 1]->ends[index].key)) {
      groups.emplace_back(i, i);
    }
    groups.back().second = i + 1;
  }
  Statement statement =
      rows_statement(text, groups, [&](bolt::Packer& packer, std::pair<size_t, size_t> group) {
        packer.map_header(3);
        pack_key_entry(packer, "o", *rows[group.first]->ends[index].key);
        pack_made(packer, *rows[group.first], index);
        packer.string("r");
        packer.list_header(group.second - group.first);
        for (size_t i = group.first; i < group.second; ++i) pack_child(packer, *rows[i]);
      });
  statement.rows = rows.size();
  return statement;
}

Statement link_statement(const Text& text, std::vector<const NodeUpsert*> rows, size_t index,
                         bool has_properties) {
  return grouped_statement(
      text, std::move(rows), index, [&](bolt::Packer& packer, const NodeUpsert& row) {
        packer.map_header(has_properties ? 2 : 1);
        pack_key_entry(packer, "k", row.key);
        if (!has_properties) return;
        packer.string("p");
        pack_map(packer, row.ends[index].properties, Companions::always);
      });
}

void pack_other(bolt::Packer& packer, const mapping::ForeignEnd& end) {
  if (end.key) {
    pack(packer, *end.key);
  } else {
    packer.null();
  }
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
    for (const mapping::ForeignEnd& end : row->ends) pack_other(packer, end);
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
    for (const mapping::ForeignEnd& end : row->ends) pack_other(packer, end);
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

void unlink_nodes(const NodeTexts& texts, const NodeMutations& node, Fusion fusion,
                  std::vector<Statement>& out) {
  for (size_t i = 0; i < texts.foreign_keys.size(); ++i) {
    if (node.truncated) out.push_back(bare_statement(texts.foreign_keys[i].unlink_all));
    std::vector<Unlinked> rows = unlinked(node, fusion, i);
    if (!rows.empty()) out.push_back(unlink_statement(texts.foreign_keys[i].unlink, rows));
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

void link_nodes(const NodeTexts& texts, const NodeMutations& node, Fusion fusion,
                std::vector<Statement>& out) {
  for (size_t i = 0; i < texts.foreign_keys.size(); ++i) {
    const bool has_properties = !node.table->foreign_keys[i].rule->properties.empty();
    std::vector<const NodeUpsert*> whole;
    std::vector<const NodeUpsert*> partial;
    std::vector<const NodeUpsert*> undecided;
    for (const NodeUpsert& upsert : node.upserts) {
      const bool done = (fusion.updates && is_update(upsert)) ||
                        (fusion.inserts && i == *texts.linked && is_insert(upsert));
      const mapping::ForeignEnd& end = upsert.ends[i];
      if (end.key && !done) (end.lacks_columns ? partial : whole).push_back(&upsert);
      if (end.unknown && end.lacks_columns) undecided.push_back(&upsert);
    }
    const ForeignKeyTexts& foreign = texts.foreign_keys[i];
    if (!whole.empty()) {
      out.push_back(link_statement(foreign.link, std::move(whole), i, has_properties));
    }
    if (!undecided.empty()) {
      out.push_back(rows_statement(foreign.undecided, undecided, [](bolt::Packer& packer, const NodeUpsert* row) {
        packer.map_header(1);
        pack_key_entry(packer, "k", row->key);
      }));
      out.back().needs_entity = true;
    }
    if (partial.empty()) continue;
    out.push_back(link_statement(foreign.link_existing, std::move(partial), i, has_properties));
    out.back().needs_entity = true;
  }
}

}  // namespace cnx::cypher
