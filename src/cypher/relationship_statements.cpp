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
    packer.map_header(2);
    pack_key_entry(packer, "a", key->start);
    pack_key_entry(packer, "b", key->end);
  });
}

Statement upsert(const Text& text, const Columns& columns,
                 std::vector<const RelationshipUpsert*> rows, Companions companions, bool tenant) {
  std::sort(rows.begin(), rows.end(), [](const RelationshipUpsert* x, const RelationshipUpsert* y) {
    return comes_before(x->key, y->key);
  });
  return rows_statement(text, rows, [&](bolt::Packer& packer, const RelationshipUpsert* row) {
    packer.list_header((tenant ? 3 : 2) + element_count(columns));
    pack(packer, row->key.start);
    pack(packer, row->key.end);
    if (tenant && row->tenant) packer.string(*row->tenant);
    if (tenant && !row->tenant) packer.null();
    pack_elements(packer, columns, row->properties, companions, {});
  });
}

}  // namespace

void remove_relationships(const RelationshipTexts& texts, const RelationshipMutations& mutations,
                          std::vector<Statement>& out) {
  if (mutations.truncated) out.push_back(bare_statement(texts.remove_all));
  if (!mutations.removed.empty()) out.push_back(removal(texts.remove, mutations.removed));
}

void upsert_relationships(const RelationshipTexts& texts, RelationshipShapes& shapes,
                          const RelationshipMutations& mutations, std::vector<Statement>& out) {
  if (!texts.user.text.empty()) {
    if (mutations.user_rows.empty()) return;
    out.push_back(user_statement(texts.user, mutations.user_rows));
    if (mutations.user_removed.empty()) return;
    out.push_back(removal(texts.remove, mutations.user_removed));
    return;
  }
  const bool tenant = has_tenant(*mutations.table);
  auto add = [&](Text RelationshipUpsertTexts::*text, Chosen<RelationshipUpsert> chosen,
                 Companions companions, bool guarded, bool needs) {
    for (auto& [shape, rows] :
         by_shape(shapes, chosen_of(mutations.upserts, chosen), {}, companions)) {
      out.push_back(upsert(shape->texts.*text, shape->columns, std::move(rows), companions, tenant));
      out.back().counts_refused = guarded;
      out.back().needs_entity = needs;
    }
  };
  using Texts = RelationshipUpsertTexts;
  add(&Texts::insert, is_insert, Companions::when_unfit, false, false);
  add(&Texts::insert, is_replacement, Companions::always, false, false);
  add(&Texts::update, is_update, Companions::always, texts.guarded, false);
  add(&Texts::update_existing, is_partial, Companions::always, texts.guarded, true);
}

}  // namespace cnx::cypher
