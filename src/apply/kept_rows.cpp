#include "apply/kept_rows.hpp"

#include <algorithm>

#include "apply/dead_rows.hpp"
#include "mapping/merge.hpp"

namespace cnx::apply {
namespace {

using change::DatumView;

// What no unchanged TOAST column hides.
void add_values(RefusedRow& refused, const change::Relation& relation, const std::vector<DatumView>& row) {
  for (size_t i = 0; i < row.size() && i < relation.columns.size(); ++i) {
    if (row[i].kind == DatumView::Kind::unchanged) continue;
    const bool is_null = row[i].kind == DatumView::Kind::null;
    refused.values.emplace_back(relation.columns[i].name,
                                is_null ? std::nullopt : std::optional<std::string>(row[i].text));
  }
}

}  // namespace

RefusedRow refused_row(const mapping::Binding& binding, const change::RowChange& row) {
  RefusedRow refused{.key = mapping::row_key(binding, row.row),
                     .position = row.position,
                     .operation = row.operation == change::Operation::insert ? "insert" : "update"};
  add_values(refused, *row.relation, row.row);
  return refused;
}

RefusedRow refused_row(const mapping::Binding& binding, const change::SnapshotRow& row) {
  RefusedRow refused{.key = mapping::row_key(binding, row.row), .operation = "copy"};
  add_values(refused, *row.relation, row.row);
  return refused;
}

RefusedRow refused_row(const RefetchedRow& row) {
  RefusedRow refused{.key = row.key, .position = row.at, .operation = "retry"};
  if (!row.values) return refused;
  for (size_t i = 0; i < row.values->size(); ++i) {
    refused.values.emplace_back(row.relation->columns[i].name, (*row.values)[i]);
  }
  return refused;
}

KeptRows::KeptRows(const Batch& batch, mapping::Model& model, const postgres::TypeCatalog& types, bool copy_replaces)
    : rows_(&batch.kept), model_(&model), bindings_(model, types), copy_replaces_(copy_replaces) {}

Result<mapping::Mutations> KeptRows::merge(size_t count, const std::vector<size_t>& left_out) {
  mapping::Merge merge(*model_);
  DeadRows dead({});
  bool in_transaction = false;
  for (size_t i = 0; i < count; ++i) {
    const KeptRow& row = (*rows_)[i];
    if (std::find(left_out.begin(), left_out.end(), i) != left_out.end()) {
      CNX_TRY(RefusedRow refused, name(i));
      dead.add({.key = std::move(refused.key), .since = refused.position});
    }
    const bool is_change = std::holds_alternative<change::RowChange>(row) || std::holds_alternative<change::Truncate>(row);
    if (is_change && !in_transaction) merge.begin_transaction();
    in_transaction = is_change;
    CNX_TRY(add(row, dead, merge));
  }
  return merge.take();
}

Status KeptRows::add(const KeptRow& row, DeadRows& dead, mapping::Merge& merge) {
  if (const auto* truncate = std::get_if<change::Truncate>(&row)) {
    for (const change::RelationPtr& relation : truncate->relations) {
      dead.truncate({relation->schema, relation->name}, truncate->position);
      merge.truncate({relation->schema, relation->name});
    }
    return {};
  }
  if (const auto* refetched = std::get_if<RefetchedRow>(&row)) {
    CNX_TRY(const mapping::Binding* binding, bindings_.bind(refetched->relation));
    return dead.contains(refetched->key) ? Status() : merge_refetched(*refetched, *binding, merge);
  }
  if (const auto* copied = std::get_if<change::SnapshotRow>(&row)) {
    CNX_TRY(const mapping::Binding* binding, bindings_.bind(copied->relation));
    return dead.contains(mapping::row_key(*binding, copied->row)) ? Status() : merge.add(*binding, *copied, copy_replaces_);
  }
  const auto& change = std::get<change::RowChange>(row);
  CNX_TRY(const mapping::Binding* binding, bindings_.bind(change.relation));
  switch (dead.judge(*binding, change)) {
    case Verdict::as_it_is:
    case Verdict::overwrites:
      return merge.add(*binding, change);
    case Verdict::passes_by:
      return {};
    case Verdict::as_removal:
      break;
    case Verdict::needs_letter:
      // It will have one before the batch is made again.
      dead.add({.key = mapping::row_key(*binding, change.row), .since = change.position});
      return add(row, dead, merge);
  }
  change::RowChange removal;
  removal.operation = change::Operation::remove;
  removal.relation = change.relation;
  removal.old_row = change.old_row;
  return merge.add(*binding, removal);
}

size_t KeptRows::bytes(size_t row) const {
  const KeptRow& kept = (*rows_)[row];
  if (const auto* change = std::get_if<change::RowChange>(&kept)) return change->buffer_bytes;
  if (const auto* copied = std::get_if<change::SnapshotRow>(&kept)) return copied->buffer_bytes;
  const auto* refetched = std::get_if<RefetchedRow>(&kept);
  if (refetched == nullptr || !refetched->values) return 0;
  size_t bytes = 0;
  for (const std::optional<std::string>& value : *refetched->values) bytes += value ? value->size() : 0;
  return bytes;
}

Result<RefusedRow> KeptRows::name(size_t row) {
  const KeptRow& kept = (*rows_)[row];
  if (const auto* refetched = std::get_if<RefetchedRow>(&kept)) return refused_row(*refetched);
  if (const auto* copied = std::get_if<change::SnapshotRow>(&kept)) {
    CNX_TRY(const mapping::Binding* binding, bindings_.bind(copied->relation));
    return refused_row(*binding, *copied);
  }
  const auto* change = std::get_if<change::RowChange>(&kept);
  if (change == nullptr || change->operation == change::Operation::remove) {
    return fail(ErrorKind::state, "a removal was refused, which no dead letter can stand for");
  }
  CNX_TRY(const mapping::Binding* binding, bindings_.bind(change->relation));
  return refused_row(*binding, *change);
}

}  // namespace cnx::apply
