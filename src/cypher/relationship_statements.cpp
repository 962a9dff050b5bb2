#include "cypher/relationship_statements.hpp"

#include <algorithm>

#include "cypher/rows.hpp"

namespace cnx::cypher {
namespace {

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
  } else if (kept) {
    pack(packer, *kept);
  } else {
    packer.null();
  }
}

// Of keys of their own: what is not between these ends goes, before nodes are removed.
Statement lead_away(const Text& text, const RelationshipMutations& mutations) {
  const mapping::RelationshipTable& table = *mutations.table;
  return rows_statement(text, mutations.upserts, [&](bolt::Packer& packer, const RelationshipUpsert& row) {
    packer.map_header(4);
    pack_end(packer, "a", row.kept_start, row.key.start, table.start_follows);
    pack_end(packer, "b", row.kept_end, row.key.end, table.end_follows);
    packer.string("y");
    packer.string(row.key.own);
    packer.string("p");
    // An insert is not guarded, nor is what replaces a row: without a version nothing is newer.
    const bool guarded = !row.inserted && !row.replaced;
    pack_map(packer, guarded ? row.properties : mapping::Properties(), Companions::when_unfit);
  });
}

}  // namespace

void remove_relationships(const RelationshipTexts& texts, const RelationshipMutations& mutations,
                          std::vector<Statement>& out) {
  if (mutations.truncated) out.push_back(bare_statement(texts.remove_all));
  if (!mutations.removed.empty()) out.push_back(removal(texts.remove, mutations.removed));
  const bool own = !texts.lead_away.text.empty() && texts.user.text.empty();
  if (own && !mutations.upserts.empty()) out.push_back(lead_away(texts.lead_away, mutations));
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
  auto add = [&](const Text& text, Chosen<RelationshipUpsert> chosen, Companions companions,
                 bool guarded, bool needs) {
    std::vector<const RelationshipUpsert*> rows = chosen_of(mutations.upserts, chosen);
    if (rows.empty()) return;
    std::sort(rows.begin(), rows.end(),
              [](const RelationshipUpsert* x, const RelationshipUpsert* y) {
                return comes_before(x->key, y->key);
              });
    Statement statement =
        rows_statement(text, rows, [&](bolt::Packer& packer, const RelationshipUpsert* row) {
          packer.map_header(row->key.own.empty() ? 4 : 5);
          pack_key_entry(packer, "a", row->key.start);
          pack_key_entry(packer, "b", row->key.end);
          if (!row->key.own.empty()) {
            packer.string("y");
            packer.string(row->key.own);
          }
          pack_tenant_entry(packer, row->tenant);
          packer.string("p");
          pack_map(packer, row->properties, companions);
        });
    statement.counts_refused = guarded;
    statement.needs_entity = needs;
    out.push_back(std::move(statement));
  };
  add(texts.insert, is_insert, Companions::when_unfit, false, false);
  add(texts.insert, is_replacement, Companions::always, false, false);
  add(texts.update, is_update, Companions::always, texts.guarded, false);
  add(texts.update_existing, is_partial, Companions::always, texts.guarded, true);
}

}  // namespace cnx::cypher
