#include "apply/dead_rows.hpp"

#include <algorithm>

namespace cnx::apply {

using change::Operation;
using mapping::Binding;

std::string identity_of(const mapping::RowKey& key) {
  std::string text;
  for (size_t i = 0; i < key.columns.size(); ++i) {
    for (const std::string& part : {key.columns[i], key.values[i]}) {
      text += std::to_string(part.size()) + ":" + part;
    }
  }
  return text;
}

DeadRows::DeadRows(const std::vector<DeadKey>& keys) {
  for (const DeadKey& key : keys) add(key);
}

void DeadRows::add(const DeadKey& key) {
  tables_[key.key.table].insert_or_assign(identity_of(key.key), key);
}

const DeadKey* DeadRows::find(const Binding& binding, const std::vector<change::DatumView>& row,
                              change::Position position) const {
  auto table = tables_.find({binding.relation->schema, binding.relation->name});
  if (table == tables_.end()) return nullptr;
  auto key = table->second.find(identity_of(mapping::row_key(binding, row)));
  return key == table->second.end() || position < key->second.since ? nullptr : &key->second;
}

void DeadRows::end(const DeadKey& dead, change::Position position) {
  if (dead.lasting) return;
  notes_.push_back({.key = dead.key, .position = position, .ended = true});
  auto table = tables_.find(dead.key.table);
  table->second.erase(identity_of(dead.key));
  if (table->second.empty()) tables_.erase(table);
}

// The letter's own change is not held behind it.
void DeadRows::hold(const DeadKey& dead, change::Position position) {
  if (position != dead.since) notes_.push_back({.key = dead.key, .position = position});
}

namespace {

bool is_whole(const change::RowChange& change) {
  return std::none_of(change.row.begin(), change.row.end(),
                      [](const change::DatumView& datum) { return datum.kind == change::DatumView::Kind::unchanged; });
}

}  // namespace

Verdict DeadRows::judge(const Binding& binding, const change::RowChange& change) {
  if (tables_.empty()) return Verdict::as_it_is;
  if (change.operation == Operation::remove) {
    const DeadKey* dead = find(binding, change.old_row, change.position);
    if (dead != nullptr) end(DeadKey(*dead), change.position);
    return Verdict::as_it_is;
  }
  const DeadKey* now = find(binding, change.row, change.position);
  const DeadKey* before = now;
  if (change.operation == Operation::update && !change.old_row.empty()) {
    const mapping::RowKey old_key = mapping::row_key(binding, change.old_row);
    if (identity_of(old_key) != identity_of(mapping::row_key(binding, change.row))) {
      before = find(binding, change.old_row, change.position);
      if (now == nullptr && before == nullptr) return Verdict::as_it_is;
      if (now == nullptr && before->conflict && is_whole(change)) {
        end(DeadKey(*before), change.position);
        return Verdict::overwrites;
      }
      if (now == nullptr) return Verdict::needs_letter;
      hold(*now, change.position);
      if (before != nullptr) end(DeadKey(*before), change.position);
      return Verdict::as_removal;
    }
  }
  if (now == nullptr) return Verdict::as_it_is;
  hold(*now, change.position);
  return Verdict::passes_by;
}

bool DeadRows::contains(const mapping::RowKey& key) const {
  auto table = tables_.find(key.table);
  return table != tables_.end() && table->second.contains(identity_of(key));
}

void DeadRows::truncate(const mapping::TableName& table, change::Position position) {
  auto found = tables_.find(table);
  if (found == tables_.end()) return;
  std::vector<DeadKey> ended;
  for (const auto& [identity, dead] : found->second) {
    if (dead.since <= position) ended.push_back(dead);
  }
  for (const DeadKey& dead : ended) end(dead, position);
}

}  // namespace cnx::apply
