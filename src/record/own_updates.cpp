#include "record/own_updates.hpp"

namespace cnx::record {
namespace {

int find_column(const change::Relation& relation, std::string_view name) {
  for (size_t i = 0; i < relation.columns.size(); ++i) {
    if (relation.columns[i].name == name) return static_cast<int>(i);
  }
  return -1;
}

}  // namespace

bool OwnUpdates::contains(const change::RowChange& row, std::string_view origin) {
  using Kind = change::DatumView::Kind;
  if (row.operation != change::Operation::update) return false;
  // The old row comes with a change of the key, and always where the whole row is the identity.
  if (!row.old_row.empty() && !row.old_is_full) return false;
  const Columns& columns = columns_of(row.relation);
  if (columns.status < 0 || columns.version < 0 || columns.synced_version < 0) return false;
  const change::DatumView& status = row.row[static_cast<size_t>(columns.status)];
  const change::DatumView& version = row.row[static_cast<size_t>(columns.version)];
  const change::DatumView& synced_version = row.row[static_cast<size_t>(columns.synced_version)];
  if (status.kind != Kind::text || status.text == "pending") return false;
  if (!origin_.empty() && origin == origin_) return true;
  return version.kind == Kind::text && synced_version.kind == Kind::text && version.text == synced_version.text;
}

const OwnUpdates::Columns& OwnUpdates::columns_of(const change::RelationPtr& relation) {
  Columns& columns = columns_[relation->oid];
  if (columns.relation == relation) return columns;
  columns = {.relation = relation};
  for (const SyncTable& table : tables_) {
    if (table.name.schema != relation->schema || table.name.name != relation->name) continue;
    if (!table.meddling_trigger.empty()) continue;
    columns.status = find_column(*relation, "neo4j_sync_status");
    columns.version = find_column(*relation, table.version_column);
    columns.synced_version = find_column(*relation, "neo4j_synced_version");
  }
  return columns;
}

}  // namespace cnx::record
