#include "cypher/plan.hpp"

#include <algorithm>
#include <unordered_set>

#include "cypher/pack.hpp"

namespace cnx::cypher {
namespace {

using mapping::Key;
using mapping::NodeMutations;
using mapping::NodeUpsert;
using mapping::RelationshipKey;
using mapping::RelationshipMutations;
using mapping::RelationshipUpsert;

constexpr std::string_view kStub = "_cnx_stub";

// Builds one statement whose parameters are {rows: [row, …]}; `pack_row(packer, row)` writes one
// map.
template <typename Rows, typename PackRow>
Statement rows_statement(const Text& text, const Rows& rows, PackRow pack_row) {
  Statement statement{
      .text = &text.text, .parameters = {}, .rows = rows.size(), .name = &text.name};
  bolt::Packer packer(statement.parameters);
  packer.map_header(1);
  packer.string("rows");
  packer.list_header(rows.size());
  for (const auto& row : rows) pack_row(packer, row);
  return statement;
}

void pack_key_entry(bolt::Packer& packer, std::string_view name, const Key& key) {
  packer.string(name);
  pack(packer, key);
}

void pack_tenant(bolt::Packer& packer, const std::optional<std::string>& tenant) {
  packer.string("n");
  if (tenant) {
    packer.string(*tenant);
  } else {
    packer.null();
  }
}

void pack_properties(bolt::Packer& packer, const mapping::Properties& properties,
                     Companions companions) {
  packer.map_header(entry_count(properties, companions));
  pack_entries(packer, properties, companions);
}

// The flat map of a node: its key, its other properties, and no stub any more.
void pack_node(bolt::Packer& packer, const mapping::NodeTable& table, const NodeUpsert& row,
               Companions companions) {
  size_t key_at = 0;
  while (key_at < row.properties.size() && row.properties[key_at].name->name != table.key_property)
    ++key_at;
  const bool has_key = key_at < row.properties.size();
  packer.map_header(entry_count(row.properties, companions) + (has_key ? 1 : 2));
  if (!has_key) pack_key_entry(packer, table.key_property, row.key);
  packer.string(kStub);
  packer.null();
  pack_entries(packer, row.properties, companions);
}

struct Unlinked {
  const Key* child;
  const Key* other;  // Null: whatever the other end is.
};

std::vector<Unlinked> unlinked(const NodeMutations& node, size_t foreign) {
  std::vector<Unlinked> rows;
  for (const Key& key : node.removed) rows.push_back({&key, nullptr});
  for (const NodeUpsert& upsert : node.upserts) {
    if (upsert.inserted) continue;
    const mapping::ForeignEnd& end = upsert.ends[foreign];
    rows.push_back(
        {&upsert.key_before, end.key && !node.other_changed[foreign] ? &*end.key : nullptr});
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
    if (row.other != nullptr) {
      pack(packer, *row.other);
    } else {
      packer.null();
    }
  });
}

Statement bare_statement(const Text& text) {
  Statement statement{.text = &text.text, .parameters = {}, .rows = 1, .name = &text.name};
  bolt::Packer(statement.parameters).map_header(0);
  return statement;
}

// A stub keeps its key and its tenant; our other properties go.
void pack_clear(bolt::Packer& packer, const NodeMutations& node) {
  std::vector<std::string_view> cleared;
  for (const mapping::PropertyName* name : node.known_properties) {
    if (name->name == node.table->key_property || name->name == node.table->tenant_property)
      continue;
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

Statement remove_all_nodes(const Text& text, const NodeMutations& node) {
  Statement statement{.text = &text.text, .parameters = {}, .rows = 1, .name = &text.name};
  bolt::Packer packer(statement.parameters);
  packer.map_header(1);
  pack_clear(packer, node);
  return statement;
}

Statement remove_nodes(const Text& text, const NodeMutations& node) {
  std::vector<const Key*> keys;
  for (const Key& key : node.removed) keys.push_back(&key);
  std::sort(keys.begin(), keys.end(), [](const Key* x, const Key* y) { return *x < *y; });
  Statement statement{
      .text = &text.text, .parameters = {}, .rows = keys.size(), .name = &text.name};
  bolt::Packer packer(statement.parameters);
  packer.map_header(2);
  packer.string("rows");
  packer.list_header(keys.size());
  for (const Key* key : keys) {
    packer.map_header(1);
    pack_key_entry(packer, "k", *key);
  }
  pack_clear(packer, node);
  return statement;
}

struct Move {
  Key from;
  Key to;
};

Statement move_statement(const Text& text, const std::vector<Move>& moves) {
  return rows_statement(text, moves, [](bolt::Packer& packer, const Move& move) {
    packer.map_header(2);
    pack_key_entry(packer, "f", move.from);
    pack_key_entry(packer, "t", move.to);
  });
}

// Where a key is taken that another node of the batch gives up (a chain, a swap), all go through
// temporary keys: a unique value must be free before it is taken.
void change_keys(const NodeTexts& texts, const NodeMutations& node, std::vector<Statement>& out) {
  if (node.key_changes.empty()) return;
  std::unordered_set<Key, mapping::KeyHash> given_up;
  for (const mapping::KeyChange& change : node.key_changes) given_up.insert(change.from);
  bool chained = false;
  std::vector<Move> moves;
  for (const mapping::KeyChange& change : node.key_changes) {
    moves.push_back({change.from, change.to});
    if (given_up.contains(change.to)) chained = true;
  }
  out.push_back(move_statement(texts.absorb_stub, moves));
  if (!chained) {
    out.push_back(move_statement(texts.change_key, moves));
    return;
  }
  std::vector<Move> away;
  std::vector<Move> home;
  for (size_t i = 0; i < moves.size(); ++i) {
    Key temporary = "_cnx_moving:" + std::to_string(i);
    away.push_back({moves[i].from, temporary});
    home.push_back({temporary, moves[i].to});
  }
  out.push_back(move_statement(texts.change_key, away));
  out.push_back(move_statement(texts.change_key, home));
}

template <typename U>
std::vector<const U*> sorted(const std::vector<U>& upserts, bool (*chosen)(const U&)) {
  std::vector<const U*> rows;
  for (const U& upsert : upserts) {
    if (chosen(upsert)) rows.push_back(&upsert);
  }
  return rows;
}

template <typename U>
bool is_insert(const U& upsert) {
  return upsert.inserted;
}
template <typename U>
bool is_replacement(const U& upsert) {
  return !upsert.inserted && upsert.replaced;
}
template <typename U>
bool is_update(const U& upsert) {
  return !upsert.inserted && !upsert.replaced && !upsert.lacks_columns;
}
template <typename U>
bool is_partial(const U& upsert) {
  return upsert.lacks_columns;
}  // Only an update lacks a column.

Statement user_statement(const Text& text, const std::vector<mapping::Properties>& rows) {
  return rows_statement(text, rows, [](bolt::Packer& packer, const mapping::Properties& row) {
    pack_properties(packer, row, Companions::when_unfit);
  });
}

void upsert_nodes(const NodeTexts& texts, const NodeMutations& node, std::vector<Statement>& out) {
  if (!texts.user.text.empty()) {
    if (!node.user_rows.empty()) out.push_back(user_statement(texts.user, node.user_rows));
    return;
  }
  auto add = [&](const Text& text, bool (*chosen)(const NodeUpsert&), Companions companions,
                 bool guarded, bool needs) {
    std::vector<const NodeUpsert*> rows = sorted(node.upserts, chosen);
    if (rows.empty()) return;
    std::sort(rows.begin(), rows.end(),
              [](const NodeUpsert* x, const NodeUpsert* y) { return x->key < y->key; });
    Statement statement =
        rows_statement(text, rows, [&](bolt::Packer& packer, const NodeUpsert* row) {
          pack_node(packer, *node.table, *row, companions);
        });
    statement.counts_refused = guarded;
    statement.needs_entity = needs;
    out.push_back(std::move(statement));
  };
  add(texts.insert, is_insert<NodeUpsert>, Companions::when_unfit, false, false);
  add(texts.insert, is_replacement<NodeUpsert>, Companions::always, false, false);
  add(texts.update, is_update<NodeUpsert>, Companions::always, texts.guarded, false);
  add(texts.update_existing, is_partial<NodeUpsert>, Companions::always, texts.guarded, true);
}

// Children grouped by their other end, so that a shared end is looked up once.
void link(const ForeignKeyTexts& texts, const mapping::ForeignKey& foreign,
          const NodeMutations& node, size_t index, std::vector<Statement>& out) {
  std::vector<const NodeUpsert*> rows;
  for (const NodeUpsert& upsert : node.upserts) {
    if (upsert.ends[index].key) rows.push_back(&upsert);
  }
  if (rows.empty()) return;
  std::sort(rows.begin(), rows.end(), [index](const NodeUpsert* x, const NodeUpsert* y) {
    const Key& x_other = *x->ends[index].key;
    const Key& y_other = *y->ends[index].key;
    return x_other == y_other ? x->key < y->key : x_other < y_other;
  });
  std::vector<std::pair<size_t, size_t>> groups;  // [first, last) of rows with one other end.
  for (size_t i = 0; i < rows.size(); ++i) {
    if (i == 0 || !(*rows[i]->ends[index].key == *rows[i - 1]->ends[index].key))
      groups.emplace_back(i, i);
    groups.back().second = i + 1;
  }
  const bool has_properties = !foreign.rule->properties.empty();
  Statement statement = rows_statement(
      texts.link, groups, [&](bolt::Packer& packer, std::pair<size_t, size_t> group) {
        packer.map_header(3);
        pack_key_entry(packer, "o", *rows[group.first]->ends[index].key);
        pack_tenant(packer, rows[group.first]->tenant);
        packer.string("r");
        packer.list_header(group.second - group.first);
        for (size_t i = group.first; i < group.second; ++i) {
          packer.map_header(has_properties ? 2 : 1);
          pack_key_entry(packer, "k", rows[i]->key);
          if (!has_properties) continue;
          packer.string("p");
          pack_properties(packer, rows[i]->ends[index].properties, Companions::always);
        }
      });
  statement.rows = rows.size();
  out.push_back(std::move(statement));
}

Statement remove_relationships(const Text& text, const std::vector<RelationshipKey>& removed) {
  return rows_statement(text, removed, [](bolt::Packer& packer, const RelationshipKey& key) {
    packer.map_header(2);
    pack_key_entry(packer, "a", key.start);
    pack_key_entry(packer, "b", key.end);
  });
}

void upsert_relationships(const RelationshipTexts& texts, const RelationshipMutations& mutations,
                          std::vector<Statement>& out) {
  if (!texts.user.text.empty()) {
    if (!mutations.user_rows.empty())
      out.push_back(user_statement(texts.user, mutations.user_rows));
    return;
  }
  auto add = [&](const Text& text, bool (*chosen)(const RelationshipUpsert&), Companions companions,
                 bool guarded, bool needs) {
    std::vector<const RelationshipUpsert*> rows = sorted(mutations.upserts, chosen);
    if (rows.empty()) return;
    // By end: measured to be the order in which writers that are split by start do not deadlock.
    std::sort(
        rows.begin(), rows.end(), [](const RelationshipUpsert* x, const RelationshipUpsert* y) {
          return x->key.end == y->key.end ? x->key.start < y->key.start : x->key.end < y->key.end;
        });
    Statement statement =
        rows_statement(text, rows, [&](bolt::Packer& packer, const RelationshipUpsert* row) {
          packer.map_header(4);
          pack_key_entry(packer, "a", row->key.start);
          pack_key_entry(packer, "b", row->key.end);
          pack_tenant(packer, row->tenant);
          packer.string("p");
          pack_properties(packer, row->properties, companions);
        });
    statement.counts_refused = guarded;
    statement.needs_entity = needs;
    out.push_back(std::move(statement));
  };
  add(texts.insert, is_insert<RelationshipUpsert>, Companions::when_unfit, false, false);
  add(texts.insert, is_replacement<RelationshipUpsert>, Companions::always, false, false);
  add(texts.update, is_update<RelationshipUpsert>, Companions::always, texts.guarded, false);
  add(texts.update_existing, is_partial<RelationshipUpsert>, Companions::always, texts.guarded,
      true);
}

}  // namespace

Plan::Plan(const mapping::Model& model) {
  for (const mapping::NodeTable& table : model.nodes()) nodes_.push_back(node_texts(table));
  for (const mapping::RelationshipTable& table : model.relationships()) {
    relationships_.push_back(relationship_texts(table));
  }
}

std::vector<Statement> Plan::statements(const mapping::Mutations& mutations) const {
  std::vector<Statement> out;
  // 1. Relationship removals, by the keys that the graph has before the batch.
  for (const RelationshipMutations& relationship : mutations.relationships) {
    if (relationship.truncated)
      out.push_back(bare_statement(texts(*relationship.table).remove_all));
    if (relationship.removed.empty()) continue;
    out.push_back(remove_relationships(texts(*relationship.table).remove, relationship.removed));
  }
  for (const NodeMutations& node : mutations.nodes) {
    for (size_t i = 0; i < node.table->foreign_keys.size(); ++i) {
      if (node.truncated)
        out.push_back(bare_statement(texts(*node.table).foreign_keys[i].unlink_all));
      std::vector<Unlinked> rows = unlinked(node, i);
      if (!rows.empty())
        out.push_back(unlink_statement(texts(*node.table).foreign_keys[i].unlink, rows));
    }
  }
  // 2. Node removals, by the same keys.
  for (const NodeMutations& node : mutations.nodes) {
    if (node.truncated) out.push_back(remove_all_nodes(texts(*node.table).remove_all, node));
    if (!node.removed.empty()) out.push_back(remove_nodes(texts(*node.table).remove, node));
  }
  // 3. Key changes.
  for (const NodeMutations& node : mutations.nodes) change_keys(texts(*node.table), node, out);
  // 4. Node upserts.
  for (const NodeMutations& node : mutations.nodes) upsert_nodes(texts(*node.table), node, out);
  // 5. Relationship upserts, by the keys after the batch.
  for (const NodeMutations& node : mutations.nodes) {
    for (size_t i = 0; i < node.table->foreign_keys.size(); ++i) {
      link(texts(*node.table).foreign_keys[i], node.table->foreign_keys[i], node, i, out);
    }
  }
  for (const RelationshipMutations& relationship : mutations.relationships) {
    upsert_relationships(texts(*relationship.table), relationship, out);
  }
  return out;
}

}  // namespace cnx::cypher
