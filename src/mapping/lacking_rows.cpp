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

namespace {

// Version and time are compared; nothing else of the row is kept.
template <typename Table, typename U>
void take_compared(LackingRow& row, const Table& table, const U& upsert) {
  row.conflicts = true;
  row.base = upsert.base;
  for (const Property& property : upsert.properties) {
    const std::string& name = property.name->name;
    if (name == table.version_property || name == table.timestamp_property) row.properties.push_back(property);
  }
}

// Whether a conflict of the row fails its statement: it is decided outside, or the row wins without all of its columns.
template <typename Table, typename U>
bool may_conflict(const Table& table, const U& upsert) {
  if (upsert.inserted || upsert.replaced) return false;
  const Guard guard = guard_of(table, upsert);
  if (guard == Guard::decide) return true;
  return upsert.lacks_columns && (guard == Guard::overwrite || guard == Guard::latest);
}

}  // namespace

std::vector<LackingRow> lacking_rows(const Mutations& mutations) {
  std::vector<LackingRow> rows;
  for (const NodeMutations& node : mutations.nodes) {
    if (node.table->rule->cypher) continue;
    // What the graph has there now is of a row that goes: it does not tell whether this one is missing.
    std::unordered_set<Key, KeyHash> removed;
    const bool asks = std::any_of(node.upserts.begin(), node.upserts.end(), [](const NodeUpsert& each) { return each.lacks_columns; });
    if (asks) removed.insert(node.removed.begin(), node.removed.end());
    for (const NodeUpsert& upsert : node.upserts) {
      const bool ends_lack =
          std::any_of(upsert.ends.begin(), upsert.ends.end(),
                      [](const ForeignEnd& end) { return (end.key || end.unknown) && end.lacks_columns; });
      const bool replaces = upsert.lacks_columns && (node.truncated || removed.contains(upsert.key_before));
      const bool unsaid = ends_lack || replaces;
      const bool conflicts = !replaces && may_conflict(*node.table, upsert);
      if (!unsaid && !upsert.lacks_columns && !conflicts) continue;
      using Lacks = LackingRow::Lacks;
      LackingRow row{.row = upsert.row, .node = nullptr, .node_key = {}};
      row.lacks = unsaid ? Lacks::unsaid : upsert.lacks_columns ? Lacks::node : Lacks::nothing;
      if (conflicts || !unsaid) {
        row.node = node.table;
        row.node_key = upsert.key_before;
      }
      if (conflicts) take_compared(row, *node.table, upsert);
      rows.push_back(std::move(row));
    }
  }
  for (const RelationshipMutations& relationship : mutations.relationships) {
    if (relationship.table->rule->cypher) continue;
    for (const RelationshipUpsert& upsert : relationship.upserts) {
      const bool conflicts = may_conflict(*relationship.table, upsert);
      if (!upsert.lacks_columns && !conflicts) continue;
      LackingRow row{.row = upsert.row, .node = nullptr, .node_key = {}};
      if (!upsert.lacks_columns) row.lacks = LackingRow::Lacks::nothing;
      if (conflicts) {
        row.relationship = relationship.table;
        row.relationship_key = upsert.key;
        take_compared(row, *relationship.table, upsert);
      }
      rows.push_back(std::move(row));
    }
  }
  return rows;
}

}  // namespace cnx::mapping
