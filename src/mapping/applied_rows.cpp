#include "mapping/applied_rows.hpp"

namespace cnx::mapping {
namespace {

std::optional<int64_t> version_of(const Properties& properties, const std::string& name) {
  if (name.empty()) return std::nullopt;
  for (const Property& property : properties) {
    if (property.name->name != name) continue;
    if (const auto* version = std::get_if<int64_t>(&property.value)) return *version;
  }
  return std::nullopt;
}

}  // namespace

std::vector<AppliedRow> applied_rows(const Mutations& mutations, const std::set<TableName>& tables) {
  std::vector<AppliedRow> rows;
  for (const NodeMutations& node : mutations.nodes) {
    const TableName& table = node.table->rule->table;
    if (!tables.contains(table) || node.table->main != nullptr) continue;
    for (const NodeUpsert& upsert : node.upserts) {
      std::optional<int64_t> version = version_of(upsert.properties, node.table->version_property);
      if (version) rows.push_back({table, {upsert.key}, *version});
    }
  }
  for (const RelationshipMutations& relationship : mutations.relationships) {
    const TableName& table = relationship.table->rule->table;
    if (!tables.contains(table)) continue;
    for (const RelationshipUpsert& upsert : relationship.upserts) {
      std::optional<int64_t> version = version_of(upsert.properties, relationship.table->version_property);
      if (version) rows.push_back({table, {upsert.key.start, upsert.key.end}, *version});
    }
  }
  return rows;
}

}  // namespace cnx::mapping
