#include "record/own_updates.hpp"

#include "change/columns.hpp"

namespace cnx::record {

bool OwnUpdates::contains(const change::RowChange& row, std::string_view origin) {
  using Kind = change::DatumView::Kind;
  if (row.operation != change::Operation::update) return false;
  // The old row comes with a change of the key, and always where the whole row is the identity.
  if (!row.old_row.empty() && !row.old_is_full) return false;
  const Columns& columns = columns_of(row.relation);
  if (!columns.status || !columns.version || !columns.synced_version) return false;
  const change::DatumView& status = row.row[*columns.status];
  const change::DatumView& version = row.row[*columns.version];
  const change::DatumView& synced_version = row.row[*columns.synced_version];
  if (status.kind != Kind::text || status.text == "pending") return false;
  if (!origin_.empty() && origin == origin_) return true;
  if (status.text == "failed" || status.text == "conflict") return true;
  return version.kind == Kind::text && synced_version.kind == Kind::text && version.text == synced_version.text;
}

const OwnUpdates::Columns& OwnUpdates::columns_of(const change::RelationPtr& relation) {
  Columns& columns = columns_[relation->oid];
  if (columns.relation == relation) return columns;
  columns = {.relation = relation};
  for (const SyncTable& table : tables_) {
    if (table.name.schema != relation->schema || table.name.name != relation->name) continue;
    if (!table.meddling_trigger.empty()) continue;
    columns.status = change::find_column(*relation, "neo4j_sync_status");
    columns.version = change::find_column(*relation, table.version_column);
    columns.synced_version = change::find_column(*relation, "neo4j_synced_version");
  }
  return columns;
}

}  // namespace cnx::record
