#include "pipeline/catalog_watch.hpp"

#include <algorithm>

#include "apply/batch_stage.hpp"
#include "capture/snapshot/snapshot_stage.hpp"
#include "pipeline/table_shape.hpp"

namespace cnx::pipeline {
namespace {

// The catalog is looked at so often.
constexpr Duration kCatalogLook = std::chrono::seconds(2);
constexpr Duration kLookMax = std::chrono::seconds(30);

Status changed_table(const postgres::TableName& name) {
  return fail(Error(ErrorKind::state, std::string(apply::kTableChanged), "a table is another than it was")
                  .with("table", postgres::to_string(name)));
}

}  // namespace

Status CatalogWatch::begin_pass() {
  for (const std::string& text : to_look_into_) looked_into_[text] = ground_.system.wal_end;
  to_look_into_.clear();
  partitions_.clear();
  for (const apply::TableState& state : ground_.plan.states) {
    if (ground_.catalog.held.contains(state.name)) continue;
    CNX_TRY(TableShape shape, shape_of(state.name, state.shape));
    if (shape.kind == postgres::TableKind::partitioned) partitions_[shape.oid] = std::move(shape.partitions);
  }
  return {};
}

bool CatalogWatch::expects(const change::Relation& relation) const {
  for (const postgres::Table& table : ground_.catalog.tables) {
    if (table.name.schema == relation.schema && table.name.name == relation.name) {
      const std::string described = change::describe(relation);
      return described == change::describe(*capture::relation_of(table)) || accepted_.contains(described);
    }
  }
  return true;
}

Status CatalogWatch::hears_of(const change::Relation& relation, const change::Relation* before, change::Lsn at) {
  const postgres::Table* root = nullptr;
  for (const postgres::Table& table : ground_.catalog.tables) {
    if (ground_.catalog.held.contains(table.name)) continue;
    const bool same_name = table.name.schema == relation.schema && table.name.name == relation.name;
    if (table.oid != relation.oid) {
      if (same_name) return {};  // Looked into where a row of it counts.
      if (before != nullptr && table.oid == before->oid) root = &table;
      continue;
    }
    if (same_name) return {};
    const std::string text = change::describe(relation);
    if (auto known = looked_into_.find(text); known != looked_into_.end() && at <= known->second) return {};
    traces_.other_names.insert(table.name);
    to_look_into_.insert(text);
    return changed_table(table.name);
  }
  if (root == nullptr) return {};
  auto known = partitions_.find(root->oid);
  if (known == partitions_.end() || known->second.contains(relation.oid.value())) return {};
  const std::string text = "partition " + std::to_string(relation.oid.value());
  if (auto looked = looked_into_.find(text); looked != looked_into_.end() && at <= looked->second) return {};
  traces_.partitions[root->name].insert(relation.oid);
  to_look_into_.insert(text);
  return changed_table(root->name);
}

void CatalogWatch::end_pass(const change::RelationPtr& unexpected) {
  if (unexpected == nullptr) return;
  accepted_.insert(change::describe(*unexpected));
  traces_.other_tables[{unexpected->schema, unexpected->name}].insert(unexpected->oid);
}

Result<bool> CatalogWatch::changed(postgres::Session& session) {
  const TimePoint now = Clock::now();
  has_asked_ = now >= looked_at_ + kCatalogLook;
  if (!has_asked_) return false;
  looked_at_ = now;
  CNX_TRY(std::string mark, read_catalog_mark(session, options_.mapping.table_names(), options_.publication(), now + kLookMax));
  return mark != ground_.catalog_mark;
}

}  // namespace cnx::pipeline
