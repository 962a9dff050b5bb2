// The relationships of nodes by their foreign keys, where they are statements of their own.
#include <algorithm>

#include "cypher/grouped_rows.hpp"
#include "cypher/node_statements.hpp"
#include "cypher/rows.hpp"

namespace cnx::cypher {
namespace {

using mapping::Key;
using mapping::NodeMutations;
using mapping::NodeUpsert;

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

}  // namespace

void unlink_nodes(const NodeTexts& texts, const NodeMutations& node, Fusion fusion,
                  std::vector<Statement>& out) {
  for (size_t i = 0; i < texts.foreign_keys.size(); ++i) {
    if (node.truncated) out.push_back(bare_statement(texts.foreign_keys[i].unlink_all));
    std::vector<Unlinked> rows = unlinked(node, fusion, i);
    if (!rows.empty()) out.push_back(unlink_statement(texts.foreign_keys[i].unlink, rows));
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
