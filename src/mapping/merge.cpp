#include "mapping/merge.hpp"

#include <algorithm>

#include "mapping/lacking_rows.hpp"
#include "mapping/merge_parts.hpp"

namespace cnx::mapping {
namespace {

using change::DatumView;
using change::Operation;

bool lacks_columns(const std::vector<ForeignEnd>& ends) {
  return std::any_of(ends.begin(), ends.end(),
                     [](const ForeignEnd& end) { return end.lacks_columns || end.unknown; });
}

// What this row lacks as unchanged, an end or a property of its relationship, keeps what an earlier row of the batch said.
void take_ends(Entity<Key>& entity, std::vector<ForeignEnd>&& ends) {
  for (size_t i = 0; i < entity.ends.size() && i < ends.size(); ++i) {
    if (ends[i].unknown) {
      if (!ends[i].lacks_columns) ends[i] = std::move(entity.ends[i]);
      continue;
    }
    ends[i].lacks_columns = ends[i].lacks_columns && entity.ends[i].lacks_columns;
    merge_properties(entity.ends[i].properties, std::move(ends[i].properties));
    ends[i].properties = std::move(entity.ends[i].properties);
  }
  entity.ends = std::move(ends);
}

Result<std::vector<ForeignEnd>> project_ends(const Binding& binding,
                                             const std::vector<DatumView>& row) {
  std::vector<ForeignEnd> ends;
  ends.reserve(binding.foreign_keys.size());
  for (const BoundForeignKey& foreign : binding.foreign_keys) {
    CNX_TRY(ForeignEnd end, project_foreign_end(binding, foreign, row));
    ends.push_back(std::move(end));
  }
  return ends;
}

// Where the graph's places go, in an order that does not depend on the hash.
void take_places(const std::unordered_map<Key, std::vector<Key>, KeyHash>& places,
                 NodeMutations& mutations) {
  for (const auto& [key, before] : places) {
    if (before.empty()) continue;
    if (!(before.front() == key)) mutations.key_changes.push_back({before.front(), key});
    for (size_t i = 1; i < before.size(); ++i) {
      mutations.takeovers.push_back({before.front(), before[i]});
    }
  }
  std::sort(mutations.key_changes.begin(), mutations.key_changes.end(),
            [](const KeyChange& x, const KeyChange& y) { return x.from < y.from; });
  std::sort(mutations.takeovers.begin(), mutations.takeovers.end(),
            [](const Takeover& x, const Takeover& y) { return x.stub < y.stub; });
}

}  // namespace

namespace {

OldRow told_by(const change::RowChange& change) {
  return {.is_full = change.old_is_full && !change.old_row.empty(), .overwrites = change.overwrites};
}

}  // namespace

void merge_properties(Properties& into, Properties&& newer) {
  if (into.empty()) {
    into = std::move(newer);
    return;
  }
  for (size_t i = 0; i < newer.size(); ++i) {
    Property& property = newer[i];
    // Two rows of one relation have most properties at one place.
    auto known =
        i < into.size() && into[i].name == property.name
            ? into.begin() + static_cast<long>(i)
            : std::find_if(into.begin(), into.end(), [&](const Property& each) {
                return each.name == property.name || each.name->name == property.name->name;
              });
    if (known == into.end()) {
      into.push_back(std::move(property));
    } else {
      *known = std::move(property);
    }
  }
}

Merge::Merge(Model& model)
    : model_(&model), nodes_(model.nodes().size()), relationships_(model.relationships().size()) {}

Status Merge::add(const Binding& binding, const change::RowChange& change) {
  ++rows_;
  bytes_ += change.buffer_bytes;
  elements_ += binding.elements();
  CNX_TRY(add_one(binding, change));
  for (const Binding& part : binding.parts) CNX_TRY(add_one(part, change));
  return {};
}

Status Merge::add_one(const Binding& binding, const change::RowChange& change) {
  if (change.over_copy && change.operation != Operation::remove) return add_over_copy(binding, change);
  return add_row(binding, change.operation, change.old_row, change.row, told_by(change));
}

Status Merge::add_row(const Binding& binding, Operation operation, const std::vector<DatumView>& old_row,
                      const std::vector<DatumView>& row, const OldRow& told) {
  return binding.node != nullptr ? add_node(binding, operation, old_row, row, told)
                                 : add_relationship(binding, operation, old_row, row, told);
}

Status Merge::add_over_copy(const Binding& binding, const change::RowChange& change) {
  if (binding.node == nullptr) {
    if (change.operation == Operation::insert) CNX_TRY(add_relationship(binding, Operation::remove, change.row, {}));
    return add_relationship(binding, change.operation, change.old_row, change.row, told_by(change));
  }
  NodeStates& states = nodes_[binding.node->index];
  CNX_TRY(Key key, project_key(binding, binding.key, change.row));
  bool inserts = change.operation == Operation::insert;
  if (!inserts && !change.old_row.empty()) {
    CNX_TRY(Key old_key, project_key(binding, binding.key, change.old_row));
    if (old_key == key) return add_node(binding, Operation::update, change.old_row, change.row, told_by(change));
    states.remove(old_key, transaction_);
    // One that lacks a column is no whole row: it is read again where its node is not there.
    inserts = std::none_of(change.row.begin(), change.row.end(),
                           [](const DatumView& datum) { return datum.kind == DatumView::Kind::unchanged; });
  }
  if (!inserts) {
    states.make_anew(key);
    return add_node(binding, Operation::update, {}, change.row);
  }
  // Removed and inserted in one transaction: what is left at the key is replaced in its place.
  states.remove(key, transaction_);
  return add_node(binding, Operation::insert, {}, change.row);
}

Status Merge::add(const Binding& binding, const change::SnapshotRow& row, bool replaces) {
  ++rows_;
  bytes_ += row.buffer_bytes;
  elements_ += binding.elements();
  // Removed and inserted in one transaction.
  if (replaces) begin_transaction();
  auto add = [&](const Binding& each) -> Status {
    if (replaces) CNX_TRY(add_row(each, Operation::remove, row.row, {}));
    return add_row(each, Operation::insert, {}, row.row);
  };
  CNX_TRY(add(binding));
  for (const Binding& part : binding.parts) CNX_TRY(add(part));
  return {};
}

void Merge::truncate(const TableName& table) {
  if (const NodeTable* node = model_->find_node(table)) {
    nodes_[node->index].truncate();
    for (const NodeTable* part : node->parts) nodes_[part->index].truncate();
  } else if (const RelationshipTable* relationship = model_->find_relationship(table)) {
    relationships_[relationship->index].truncate();
    taken_keys_.erase(relationship->index);
    for (const RelationshipTable* sibling : relationship->siblings) {
      relationships_[sibling->index].truncate();
      taken_keys_.erase(sibling->index);
    }
  } else {
    return;
  }
  ++rows_;
}

Status Merge::add_node(const Binding& binding, Operation operation,
                       const std::vector<DatumView>& old_row, const std::vector<DatumView>& row, const OldRow& told) {
  NodeStates& states = nodes_[binding.node->index];
  if (operation == Operation::remove) {
    CNX_TRY(Key key, project_key(binding, binding.key, old_row));
    states.remove(key, transaction_);
    return {};
  }
  CNX_TRY(Key key, project_key(binding, binding.key, row));
  CNX_TRY(ProjectedProperties projected, project_row(binding, row));
  CNX_TRY(std::vector<ForeignEnd> ends, project_ends(binding, row));
  const ChosenName label = project_choice(binding.label, row);
  projected.lacks_columns |= !label.known;
  if (binding.node->rule->cypher) {
    auto& user = node_user_rows_[binding.node->index];
    user.rows.push_back(projected.properties);
    user.keys.insert(key);
  }
  Key old_key = key;
  if (!old_row.empty()) {
    CNX_TRY(old_key, project_key(binding, binding.key, old_row));
  }
  auto& entity = operation == Operation::insert ? states.insert(key, transaction_)
                                                : states.update(old_key, key);
  if (!is_there(binding, row)) {
    states.leave_out(entity, transaction_);
    return {};
  }
  if (binding.node->main != nullptr) states.bring_back(entity, transaction_);
  CNX_TRY(take_old(entity, *binding.node, binding, old_row, told));
  const bool decides = guard_of(*binding.node) == Guard::decide;
  if (projected.lacks_columns || lacks_columns(ends) || decides) entity.row = row_key(binding, row);
  take_row(entity, std::move(projected));
  take_ends(entity, std::move(ends));
  if (label.known) entity.label = label;
  entity.tenant = project_tenant(binding, row);
  return {};
}

// The key before the batch of the node that has `key` after it; none where it is not the same node.
std::optional<Key> Merge::kept_before(const NodeTable& table, const Key& key) const {
  const NodeStates& states = nodes_[table.index];
  return states.disturbed() ? states.kept_before(key) : std::optional<Key>(key);
}

// What relationships by foreign keys hang on: equal keys before and after need not mean the same
// node.
void Merge::find_kept_ends(size_t table) {
  const NodeTable& node = model_->nodes()[table];
  for (size_t i = 0; i < node.foreign_keys.size(); ++i) {
    const NodeTable& other = *node.foreign_keys[i].other;
    if (!nodes_[other.index].disturbed()) continue;
    for (Entity<Key>& entity : nodes_[table].entities()) {
      if (entity.removed || !entity.ends[i].key) continue;
      ForeignEnd& end = entity.ends[i];
      end.key_before = kept_before(other, *end.key);
      end.other_is_same = end.key_before.has_value();
    }
  }
}

NodeMutations Merge::take_node(size_t table) {
  const NodeTable& node = model_->nodes()[table];
  NodeStates& states = nodes_[table];
  NodeMutations mutations;
  mutations.table = &node;
  mutations.truncated = states.truncated();
  if (node.rule->cypher) take_user_rows(states, node_user_rows_[table], mutations);
  mutations.removed = std::move(states.removed());
  take_places(states.places(), mutations);
  for (Entity<Key>& entity : states.entities()) {
    if (entity.removed) {
      if (entity.before) mutations.removed.push_back(std::move(*entity.before));
      continue;
    }
    mutations.upserts.push_back({.key = entity.key,
                                 .key_before = entity.before.value_or(entity.key),
                                 // One that lacks columns is not made without them.
                                 .inserted = !entity.before && !entity.lacks_columns,
                                 .replaced = entity.replaced,
                                 .lacks_columns = entity.lacks_columns,
                                 .overwrites = entity.overwrites,
                                 .properties = std::move(entity.properties),
                                 .base = std::move(entity.base),
                                 .tenant = std::move(entity.tenant),
                                 .label = entity.label,
                                 .ends = std::move(entity.ends),
                                 .row = std::move(entity.row)});
  }
  const bool removes =
      !mutations.removed.empty() || !mutations.user_removed.empty() || mutations.truncated;
  if (removes) {
    for (const PropertyName& name : node.names.all()) mutations.known_properties.push_back(&name);
  }
  return mutations;
}

Mutations Merge::take() {
  Mutations mutations;
  GivenUpKeys given_up;
  for (const NodeTable& table : model_->nodes()) given_up.push_back(find_given_up(table));
  mutations.left_behind = find_left_behind(given_up);
  // The nodes' lives say what relationships hang on, and are used up by take_node.
  for (size_t table = 0; table < relationships_.size(); ++table) {
    if (!relationships_[table].empty()) {
      mutations.relationships.push_back(take_relationship(table));
    }
  }
  for (size_t table = 0; table < nodes_.size(); ++table) find_kept_ends(table);
  for (size_t table = 0; table < nodes_.size(); ++table) {
    if (nodes_[table].empty()) continue;
    mutations.nodes.push_back(take_node(table));
    mutations.nodes.back().given_up = std::move(given_up[table]);
  }
  *this = Merge(*model_);
  return mutations;
}

}  // namespace cnx::mapping
