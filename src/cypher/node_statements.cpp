#include "cypher/node_statements.hpp"

#include <algorithm>
#include <unordered_set>

#include "cypher/patterns.hpp"
#include "cypher/rows.hpp"

namespace cnx::cypher {
namespace {

using mapping::Key;
using mapping::NodeMutations;
using mapping::NodeUpsert;

struct Unlinked {
  const Key* child;
  const Key* other;             // Null: whatever the other end is.
  const change::Value* version;  // Null: not guarded.
};

const change::Value* version_of(const NodeMutations& node, const NodeUpsert& upsert) {
  if (upsert.replaced) return nullptr;
  for (const mapping::Property& property : upsert.properties) {
    if (property.name->name == node.table->version_property) return &property.value;
  }
  return nullptr;
}

// An update takes a child away by itself (upsert_texts.hpp), but too late for what happens to the
// other ends before: a node that goes while the child hangs on it would stay as a stub. A row that
// was replaced is told apart from one that was inserted here alone.
std::vector<Unlinked> unlinked(const NodeMutations& node, size_t foreign) {
  const bool before = node.table->rule->cypher.has_value() || node.other_changed[foreign];
  std::vector<Unlinked> rows;
  for (const Key& key : node.removed) rows.push_back({&key, nullptr, nullptr});
  for (const NodeUpsert& upsert : node.upserts) {
    if (upsert.inserted || !(before || upsert.replaced)) continue;
    rows.push_back(
        {&upsert.key_before, upsert.ends[foreign].kept(), version_of(node, upsert)});
  }
  std::sort(rows.begin(), rows.end(),
            [](const Unlinked& x, const Unlinked& y) { return *x.child < *y.child; });
  return rows;
}

Statement unlink_statement(const Text& text, const std::vector<Unlinked>& rows, bool guarded) {
  return rows_statement(text, rows, [&](bolt::Packer& packer, const Unlinked& row) {
    packer.map_header(guarded ? 3 : 2);
    pack_key_entry(packer, "k", *row.child);
    packer.string("o");
    if (row.other != nullptr) {
      pack(packer, *row.other);
    } else {
      packer.null();
    }
    if (!guarded) return;
    packer.string("v");
    if (row.version != nullptr) {
      pack(packer, *row.version);
    } else {
      packer.null();
    }
  });
}

// A stub keeps its key and its tenant; our other properties go.
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
  packer.string("rows");
  packer.list_header(keys.size());
  for (const Key* key : keys) {
    packer.map_header(1);
    pack_key_entry(packer, "k", *key);
  }
  pack_clear_entry(packer, node);
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

// [first, last) of the rows that share an other end.
using Group = std::pair<size_t, size_t>;

// Sorts the rows by their other end, then by key.
std::vector<Group> group_by_end(std::vector<const NodeUpsert*>& rows, size_t index) {
  std::sort(rows.begin(), rows.end(), [index](const NodeUpsert* x, const NodeUpsert* y) {
    const Key& x_other = *x->ends[index].key;
    const Key& y_other = *y->ends[index].key;
    return x_other == y_other ? x->key < y->key : x_other < y_other;
  });
  std::vector<Group> groups;
  for (size_t i = 0; i < rows.size(); ++i) {
    if (i == 0 || !(*rows[i]->ends[index].key == *rows[i - 1]->ends[index].key)) {
      groups.emplace_back(i, i);
    }
    groups.back().second = i + 1;
  }
  return groups;
}

Statement link_statement(const Text& text, std::vector<const NodeUpsert*> rows, size_t index,
                         bool has_properties) {
  const std::vector<Group> groups = group_by_end(rows, index);
  auto pack_child = [&](bolt::Packer& packer, const NodeUpsert& row) {
    packer.map_header(has_properties ? 2 : 1);
    pack_key_entry(packer, "k", row.key);
    if (!has_properties) return;
    packer.string("p");
    pack_map(packer, row.ends[index].properties, Companions::always);
  };
  Statement statement =
      rows_statement(text, groups, [&](bolt::Packer& packer, std::pair<size_t, size_t> group) {
        packer.map_header(3);
        pack_key_entry(packer, "o", *rows[group.first]->ends[index].key);
        pack_tenant_entry(packer, rows[group.first]->tenant);
        packer.string("r");
        packer.list_header(group.second - group.first);
        for (size_t i = group.first; i < group.second; ++i) pack_child(packer, *rows[i]);
      });
  statement.rows = rows.size();
  return statement;
}

bool is_partial_update(const NodeUpsert& upsert) {
  return upsert.lacks_columns ||
         std::any_of(upsert.ends.begin(), upsert.ends.end(), [](const mapping::ForeignEnd& end) {
           return end.key && end.lacks_columns;
         });
}

void pack_tenant(bolt::Packer& packer, const NodeUpsert& row) {
  if (row.tenant) {
    packer.string(*row.tenant);
  } else {
    packer.null();
  }
}

// Statements of upsert_texts.hpp, with their rows.
class UpsertStatements {
 public:
  using Rows = std::vector<const NodeUpsert*>;

  UpsertStatements(const mapping::NodeTable& table, NodeShapes& shapes, bool guarded,
                   std::vector<Statement>& out)
      : table_(table), shapes_(shapes), guarded_(guarded), out_(out) {}

  // `group`: those that have the first foreign key's end are grouped by it.
  void insert(Rows rows, Companions companions, bool group) const {
    group = group && !table_.foreign_keys.empty();
    for (auto& [shape, same] : by_shape(shapes_, std::move(rows), table_.key_property, companions)) {
      auto alone = std::stable_partition(same.begin(), same.end(), [&](const NodeUpsert* row) {
        return group && row->ends.front().key.has_value();
      });
      Rows ungrouped(alone, same.end());
      same.erase(alone, same.end());
      if (!ungrouped.empty()) {
        out_.push_back(plain(shape->texts.insert, shape->columns, std::move(ungrouped), companions));
      }
      if (!same.empty()) out_.push_back(grouped(*shape, std::move(same), companions));
    }
  }

  void update(Rows rows, bool existing) const {
    for (auto& [shape, same] :
         by_shape(shapes_, std::move(rows), table_.key_property, Companions::always)) {
      out_.push_back(plain(existing ? shape->texts.update_existing : shape->texts.update,
                           shape->columns, std::move(same), Companions::always));
      out_.back().counts_refused = guarded_;
      out_.back().needs_entity = existing;
    }
  }

 private:
  void pack_row(bolt::Packer& packer, const RowForm& form, const Columns& columns,
                const NodeUpsert& row, Companions companions) const {
    packer.list_header(form.first_column + element_count(columns));
    pack(packer, row.key);
    if (form.tenant != 0) pack_tenant(packer, row);
    for (size_t i = 0; i < form.ends.size(); ++i) {
      const mapping::ForeignEnd& end = row.ends[i];
      if (form.ends[i].other != 0 && end.key) pack(packer, *end.key);
      if (form.ends[i].other != 0 && !end.key) packer.null();
      if (form.ends[i].properties == 0) continue;
      pack_map(packer, end.properties, Companions::always);
      packer.boolean(end.key && end.lacks_columns);
    }
    pack_elements(packer, columns, row.properties, companions, kStub);
  }

  Statement plain(const Text& text, const Columns& columns, Rows rows, Companions companions) const {
    std::sort(rows.begin(), rows.end(),
              [](const NodeUpsert* x, const NodeUpsert* y) { return x->key < y->key; });
    const RowForm form = row_form(table_, false);
    return rows_statement(text, rows, [&](bolt::Packer& packer, const NodeUpsert* row) {
      pack_row(packer, form, columns, *row, companions);
    });
  }

  Statement grouped(const NodeShapes::Shape& shape, Rows rows, Companions companions) const {
    const std::vector<Group> groups = group_by_end(rows, 0);
    const RowForm form = row_form(table_, true);
    Statement statement =
        rows_statement(shape.texts.insert_grouped, groups, [&](bolt::Packer& packer, Group group) {
          packer.list_header(3);
          pack(packer, *rows[group.first]->ends.front().key);
          pack_tenant(packer, *rows[group.first]);
          packer.list_header(group.second - group.first);
          for (size_t i = group.first; i < group.second; ++i) {
            pack_row(packer, form, shape.columns, *rows[i], companions);
          }
        });
    statement.rows = rows.size();
    return statement;
  }

  const mapping::NodeTable& table_;
  NodeShapes& shapes_;
  bool guarded_;
  std::vector<Statement>& out_;
};

}  // namespace

void unlink_nodes(const NodeTexts& texts, const NodeMutations& node, std::vector<Statement>& out) {
  for (size_t i = 0; i < texts.foreign_keys.size(); ++i) {
    if (node.truncated) out.push_back(bare_statement(texts.foreign_keys[i].unlink_all));
    std::vector<Unlinked> rows = unlinked(node, i);
    if (rows.empty()) continue;
    out.push_back(unlink_statement(texts.foreign_keys[i].unlink, rows, texts.guarded));
  }
}

void remove_nodes(const NodeTexts& texts, const NodeMutations& node, std::vector<Statement>& out) {
  if (node.truncated) out.push_back(remove_all(texts.remove_all, node));
  if (!node.removed.empty()) out.push_back(removal(texts.remove, node, node.removed));
}

// Where a key is taken that another node of the batch gives up (a chain, a swap), all go through
// temporary keys: a unique value must be free before it is taken.
void change_keys(const NodeTexts& texts, const NodeMutations& node, std::vector<Statement>& out) {
  std::vector<Move> takeovers;
  for (const mapping::Takeover& each : node.takeovers) takeovers.push_back({each.node, each.stub});
  if (!takeovers.empty()) out.push_back(move_statement(texts.take_over, takeovers));
  std::unordered_set<Key, mapping::KeyHash> given_up;
  std::vector<Move> moves;
  for (const mapping::KeyChange& change : node.key_changes) {
    given_up.insert(change.from);
    moves.push_back({change.from, change.to});
  }
  const bool chained = std::any_of(moves.begin(), moves.end(),
                                   [&](const Move& move) { return given_up.contains(move.to); });
  if (!chained) {
    if (!moves.empty()) out.push_back(move_statement(texts.change_key, moves));
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

void upsert_nodes(const NodeTexts& texts, NodeShapes& shapes, const NodeMutations& node,
                  std::vector<Statement>& out) {
  if (!texts.user.text.empty()) {
    if (node.user_rows.empty()) return;
    out.push_back(user_statement(texts.user, node.user_rows));
    if (node.user_removed.empty()) return;
    out.push_back(removal(texts.remove, node, node.user_removed));
    return;
  }
  const UpsertStatements statements(*node.table, shapes, texts.guarded, out);
  statements.insert(chosen_of<NodeUpsert>(node.upserts, is_insert), Companions::when_unfit, true);
  statements.insert(chosen_of<NodeUpsert>(node.upserts, is_replacement), Companions::always, false);
  std::vector<const NodeUpsert*> whole;
  std::vector<const NodeUpsert*> partial;
  for (const NodeUpsert& upsert : node.upserts) {
    if (upsert.inserted || upsert.replaced) continue;
    (is_partial_update(upsert) ? partial : whole).push_back(&upsert);
  }
  statements.update(std::move(whole), false);
  statements.update(std::move(partial), true);
}

void link_nodes(const NodeTexts& texts, const NodeMutations& node, std::vector<Statement>& out) {
  if (texts.user.text.empty()) return;
  for (size_t i = 0; i < texts.foreign_keys.size(); ++i) {
    const bool has_properties = !node.table->foreign_keys[i].rule->properties.empty();
    std::vector<const NodeUpsert*> whole;
    std::vector<const NodeUpsert*> partial;
    for (const NodeUpsert& upsert : node.upserts) {
      const mapping::ForeignEnd& end = upsert.ends[i];
      if (end.key) (end.lacks_columns ? partial : whole).push_back(&upsert);
    }
    const ForeignKeyTexts& foreign = texts.foreign_keys[i];
    if (!whole.empty()) {
      out.push_back(link_statement(foreign.link, std::move(whole), i, has_properties));
    }
    if (partial.empty()) continue;
    out.push_back(link_statement(foreign.link_existing, std::move(partial), i, has_properties));
    out.back().needs_entity = true;
  }
}

}  // namespace cnx::cypher
