#include "cypher/relationship_statements.hpp"

#include <algorithm>

#include "cypher/list_rows.hpp"
#include "cypher/node_rows.hpp"
#include "cypher/relationship_upsert_texts.hpp"
#include "cypher/rows.hpp"

namespace cnx::cypher {
namespace {

using mapping::Guard;
using mapping::RelationshipKey;
using mapping::RelationshipMutations;
using mapping::RelationshipUpsert;

// By end: measured to be the order in which writers that are split by start do not deadlock.
bool comes_before(const RelationshipKey& x, const RelationshipKey& y) {
  return x.end == y.end ? x.start < y.start : x.end < y.end;
}

Statement removal(const Text& text, const std::vector<RelationshipKey>& keys) {
  std::vector<const RelationshipKey*> rows;
  for (const RelationshipKey& key : keys) rows.push_back(&key);
  std::sort(rows.begin(), rows.end(), [](const RelationshipKey* x, const RelationshipKey* y) {
    return comes_before(*x, *y);
  });
  return rows_statement(text, rows, [](bolt::Packer& packer, const RelationshipKey* key) {
    pack_removed(packer, *key);
  });
}

void pack_end(bolt::Packer& packer, std::string_view name, const std::optional<mapping::Key>& kept, const mapping::Key& named,
              bool follows) {
  packer.string(name);
  if (!follows) {
    pack_kept(packer, kept ? &*kept : nullptr, named);
  } else {
    pack_key_or_null(packer, kept);
  }
}

// Of keys of their own: where the row is, and what it is compared with.
Statement own_key_rows(const Text& text, const RelationshipMutations& mutations, const std::vector<const RelationshipUpsert*>& rows) {
  const mapping::RelationshipTable& table = *mutations.table;
  const bool compares = compares_old(table);
  return rows_statement(text, rows, [&](bolt::Packer& packer, const RelationshipUpsert* row) {
    packer.map_header(4u + (compares ? 1 : 0));
    pack_end(packer, "a", row->kept_start, row->key.start, table.start_follows);
    pack_end(packer, "b", row->kept_end, row->key.end, table.end_follows);
    packer.string("y");
    packer.string(row->key.own);
    if (compares) pack_base_entry(packer, row->base, {});
    packer.string("p");
    pack_map(packer, row->properties, Companions::when_unfit);
  });
}

Statement mapped_rows(const Text& text, const mapping::RelationshipTable& table, const std::vector<const RelationshipUpsert*>& rows,
                      Companions companions) {
  const bool compares = compares_old(table);
  return rows_statement(text, rows, [&](bolt::Packer& packer, const RelationshipUpsert* row) {
    packer.map_header((row->key.own.empty() ? 4u : 5u) + (compares ? 1 : 0));
    pack_key_entry(packer, "a", row->key.start);
    pack_key_entry(packer, "b", row->key.end);
    if (!row->key.own.empty()) {
      packer.string("y");
      packer.string(row->key.own);
    }
    if (compares) pack_base_entry(packer, row->base, {});
    pack_tenant_entry(packer, row->tenant);
    packer.string("p");
    pack_map(packer, row->properties, companions);
  });
}

Statement listed_rows(const Text& like, std::string text, const std::vector<const RelationshipUpsert*>& rows, const ListColumns& list) {
  return listed_statement(like, std::move(text), rows, [&](bolt::Packer& packer, const RelationshipUpsert* row) {
    packer.list_header(3 + list.names.size());
    pack(packer, row->key.start);
    pack(packer, row->key.end);
    pack_tenant(packer, row->tenant);
    pack_columns(packer, row->properties, list);
  });
}

// What is not between the ends of its row goes, before nodes are removed. An insert meets no conflict, nor does what replaces a
// row.
void lead_away(const RelationshipTexts& texts, const RelationshipMutations& mutations, std::vector<Statement>& out) {
  const mapping::RelationshipTable& table = *mutations.table;
  for (const auto& [guard, update] : texts.updates) {
    std::vector<const RelationshipUpsert*> rows;
    for (const RelationshipUpsert& row : mutations.upserts) {
      const bool asked = !row.inserted && !row.replaced;
      if ((asked ? guard_of(table, row) : mapping::Guard::none) == guard) rows.push_back(&row);
    }
    if (rows.empty()) continue;
    if (!update.look.text.empty()) {
      std::vector<const RelationshipUpsert*> whole = rows;
      std::erase_if(whole, [](const RelationshipUpsert* row) { return row->lacks_columns; });
      if (!whole.empty()) {
        out.push_back(own_key_rows(update.look, mutations, whole));
        say_guard(out.back(), guard, *table.rule);
      }
    }
    out.push_back(own_key_rows(update.lead_away, mutations, rows));
  }
}

}  // namespace

void remove_relationships(const RelationshipTexts& texts, const RelationshipMutations& mutations,
                          std::vector<Statement>& out) {
  if (mutations.truncated) out.push_back(bare_statement(texts.remove_all));
  if (!mutations.removed.empty()) out.push_back(removal(texts.remove, mutations.removed));
  if (!mutations.table->key_is_pair && texts.user.text.empty()) lead_away(texts, mutations, out);
}

void upsert_relationships(const RelationshipTexts& texts, const RelationshipMutations& mutations,
                          std::vector<Statement>& out) {
  if (!texts.user.text.empty()) {
    if (mutations.user_rows.empty()) return;
    out.push_back(user_statement(texts.user, mutations.user_rows));
    if (mutations.user_removed.empty()) return;
    out.push_back(removal(texts.remove, mutations.user_removed));
    return;
  }
  const mapping::RelationshipTable& table = *mutations.table;
  auto add = [&](const Text& text, std::vector<const RelationshipUpsert*> rows, Companions companions, Guard guard, bool needs) {
    if (rows.empty()) return;
    std::sort(rows.begin(), rows.end(),
              [](const RelationshipUpsert* x, const RelationshipUpsert* y) {
                return comes_before(x->key, y->key);
              });
    const bool may_list = !needs && takes_lists(table, guard);
    const std::optional<ListColumns> list = may_list ? list_columns(properties_of(rows), companions, {}) : std::nullopt;
    Statement statement = list ? listed_rows(text, listed_upsert(table, guard, list->names), rows, *list) : mapped_rows(text, table, rows, companions);
    // What a look has reported is not reported again.
    const bool reported = !table.key_is_pair && guard == Guard::overwrite;
    if (!reported) say_guard(statement, guard, *table.rule);
    statement.needs_entity = needs;
    out.push_back(std::move(statement));
  };
  add(texts.insert, chosen_of<RelationshipUpsert>(mutations.upserts, is_insert), Companions::when_unfit, Guard::none, false);
  add(texts.insert, chosen_of<RelationshipUpsert>(mutations.upserts, is_replacement), Companions::always, Guard::none, false);
  const auto updated = chosen_of<RelationshipUpsert>(mutations.upserts, is_update);
  const auto partial = chosen_of<RelationshipUpsert>(mutations.upserts, is_partial);
  for (const auto& [guard, update] : texts.updates) {
    add(update.update, guarded_so(updated, table, guard), Companions::always, guard, false);
    add(update.update_existing, guarded_so(partial, table, guard), Companions::always, guard, true);
  }
}

}  // namespace cnx::cypher
