#include "mapping/lacking_rows.hpp"

#include <algorithm>
#include <unordered_set>

namespace cnx::mapping {

RowKey row_key(const Binding& binding, const std::vector<change::DatumView>& row) {
  RowKey key{.table = {binding.relation->schema, binding.relation->name}, .columns = {}, .values = {}};
  auto add = [&](const BoundKey& part) {
    for (uint16_t column : part.columns) {
      key.columns.push_back(binding.relation->columns[column].name);
      key.values.emplace_back(row[column].text);
    }
  };
  if (binding.node != nullptr || !binding.relationship->key_is_pair) {
    add(binding.key);
  } else {
    add(binding.start);
    add(binding.end);
  }
  return key;
}

bool has_key(const RowKey& key, const change::Relation& relation,
             const std::vector<change::DatumView>& row) {
  if (relation.name != key.table.name || relation.schema != key.table.schema) return false;
  for (size_t k = 0; k < key.columns.size(); ++k) {
    auto column = std::find_if(relation.columns.begin(), relation.columns.end(),
                               [&](const change::Column& c) { return c.name == key.columns[k]; });
    const auto i = static_cast<size_t>(column - relation.columns.begin());
    // A key column that is not there, or not told, is not equal: the change is taken once more
    // rather than passed over.
    if (i >= row.size()) return false;
    if (row[i].kind != change::DatumView::Kind::text || row[i].text != key.values[k]) return false;
  }
  return !key.columns.empty();
}

std::vector<LackingRow> lacking_rows(const Mutations& mutations) {
  std::vector<LackingRow> rows;
  for (const NodeMutations& node : mutations.nodes) {
    if (node.table->rule->cypher) continue;
    // What the graph has there now is of a row that goes: it does not tell whether this one is missing.
    const std::unordered_set<Key, KeyHash> removed(node.removed.begin(), node.removed.end());
    for (const NodeUpsert& upsert : node.upserts) {
      const bool ends_lack =
          std::any_of(upsert.ends.begin(), upsert.ends.end(),
                      [](const ForeignEnd& end) { return (end.key || end.unknown) && end.lacks_columns; });
      const bool replaces = upsert.lacks_columns && (node.truncated || removed.contains(upsert.key_before));
      if (ends_lack || replaces) {
        rows.push_back({.row = upsert.row, .node = nullptr, .node_key = {}});
      } else if (upsert.lacks_columns) {
        rows.push_back({.row = upsert.row, .node = node.table, .node_key = upsert.key_before});
      }
    }
  }
  for (const RelationshipMutations& relationship : mutations.relationships) {
    if (relationship.table->rule->cypher) continue;
    for (const RelationshipUpsert& upsert : relationship.upserts) {
      if (upsert.lacks_columns) rows.push_back({.row = upsert.row, .node = nullptr, .node_key = {}});
    }
  }
  return rows;
}

}  // namespace cnx::mapping
