#include "mapping/audited_rows.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

#include "change/columns.hpp"

namespace cnx::mapping {
namespace {

using change::DatumView;

// None where the row does not tell all of it.
std::optional<std::string> key_in(const std::vector<size_t>& columns, const std::vector<DatumView>& row) {
  if (columns.empty()) return std::nullopt;
  std::string key;
  for (size_t i = 0; i < columns.size(); ++i) {
    if (columns[i] >= row.size() || row[columns[i]].kind != DatumView::Kind::text) return std::nullopt;
    if (i > 0) key += ',';
    key += row[columns[i]].text;
  }
  return key;
}

std::optional<std::string> value_in(const std::optional<size_t>& column, const std::vector<DatumView>& row) {
  if (!column || *column >= row.size() || row[*column].kind != DatumView::Kind::text) return std::nullopt;
  return std::string(row[*column].text);
}

AuditedOperation operation_of(change::Operation operation) {
  switch (operation) {
    case change::Operation::insert: return AuditedOperation::insert;
    case change::Operation::update: return AuditedOperation::update;
    case change::Operation::remove: return AuditedOperation::remove;
  }
  return AuditedOperation::update;
}

}  // namespace

std::string_view to_string(AuditedOperation operation) {
  switch (operation) {
    case AuditedOperation::insert: return "insert";
    case AuditedOperation::update: return "update";
    case AuditedOperation::remove: return "delete";
    case AuditedOperation::truncate: return "truncate";
    case AuditedOperation::read_again: return "read_again";
  }
  return "update";
}

size_t weight(const AuditedRow& row) {
  return sizeof(AuditedRow) + (row.key ? row.key->size() : 0) + (row.old_key ? row.old_key->size() : 0) +
         (row.tenant ? row.tenant->size() : 0);
}

std::string joined_key(const std::vector<std::string>& values) {
  std::string key;
  for (size_t i = 0; i < values.size(); ++i) key += (i > 0 ? "," : "") + values[i];
  return key;
}

const AuditedRows::Columns& AuditedRows::columns_of(const change::RelationPtr& relation) {
  auto found = columns_.find(relation->oid);
  if (found != columns_.end() && found->second.relation == relation) return found->second;
  Columns columns{.relation = relation};
  std::vector<std::string> names;
  std::string tenant;
  const TableName table{relation->schema, relation->name};
  if (const NodeTable* node = model_.find_node(table)) {
    columns.mapped = true;
    names = node->node->key;
    tenant = node->tenant_column;
  } else if (const RelationshipTable* relationship = model_.find_relationship(table)) {
    columns.mapped = true;
    names = relationship->relationship->key;
    if (relationship->key_is_pair) {
      names = relationship->relationship->start.columns;
      const std::vector<std::string>& end = relationship->relationship->end.columns;
      names.insert(names.end(), end.begin(), end.end());
    }
    tenant = relationship->tenant_column;
  }
  for (const std::string& name : names) {
    std::optional<size_t> column = find_column(*relation, name);
    // A part of a key is none.
    if (!column) {
      columns.key.clear();
      break;
    }
    columns.key.push_back(*column);
  }
  if (!tenant.empty()) columns.tenant = find_column(*relation, tenant);
  return columns_.insert_or_assign(relation->oid, std::move(columns)).first->second;
}

void AuditedRows::add(const change::RowChange& change, AuditedAs as) {
  const Columns& columns = columns_of(change.relation);
  if (!columns.mapped) return;
  const std::vector<DatumView>& row = change.row.empty() ? change.old_row : change.row;
  AuditedRow& audited = rows_.emplace_back(
      AuditedRow{.operation = operation_of(change.operation), .as = as, .relation = change.relation, .position = change.position});
  audited.key = key_in(columns.key, row);
  audited.tenant = value_in(columns.tenant, row);
  if (change.row.empty() || change.old_row.empty()) return;
  std::optional<std::string> before = key_in(columns.key, change.old_row);
  if (before != audited.key) audited.old_key = std::move(before);
}

void AuditedRows::add(const change::Truncate& truncate, AuditedAs as) {
  for (const change::RelationPtr& relation : truncate.relations) {
    if (!columns_of(relation).mapped) continue;
    rows_.push_back({.operation = AuditedOperation::truncate, .as = as, .relation = relation, .position = truncate.position});
  }
}

void AuditedRows::add_read_again(const RowKey& key, const change::RelationPtr& relation, const change::Position& at) {
  rows_.push_back({.operation = AuditedOperation::read_again, .relation = relation, .position = at, .key = joined_key(key.values)});
}

void AuditedRows::add(std::vector<AuditedRow>&& rows) {
  rows_.insert(rows_.end(), std::make_move_iterator(rows.begin()), std::make_move_iterator(rows.end()));
}

std::vector<AuditedRow> AuditedRows::take() { return std::exchange(rows_, {}); }

}  // namespace cnx::mapping
