#include "mapping/merge.hpp"

namespace cnx::mapping {
namespace {

using change::DatumView;
using change::Operation;

Result<RelationshipKey> relationship_key(const Binding& binding,
                                         const std::vector<DatumView>& row) {
  CNX_TRY(Key start, project_key(binding, binding.start, row));
  CNX_TRY(Key end, project_key(binding, binding.end, row));
  return RelationshipKey{std::move(start), std::move(end), {}};
}

template <typename E>
void take_row(E& entity, ProjectedProperties&& projected) {
  entity.lacks_columns =
      projected.lacks_columns && (entity.lacks_columns || entity.properties.empty());
  merge_properties(entity.properties, std::move(projected.properties));
}

}  // namespace

Merge::Merge(Model& model)
    : model_(&model), nodes_(model.nodes().size()), relationships_(model.relationships().size()) {}

Status Merge::add(const Binding& binding, const change::RowChange& change) {
  ++rows_;
  bytes_ += change.buffer_bytes;
  elements_ += 1 + binding.foreign_keys.size();
  return binding.node != nullptr
             ? add_node(binding, change.operation, change.old_row, change.row)
             : add_relationship(binding, change.operation, change.old_row, change.row);
}

Status Merge::add(const Binding& binding, const change::SnapshotRow& row) {
  ++rows_;
  bytes_ += row.buffer_bytes;
  elements_ += 1 + binding.foreign_keys.size();
  return binding.node != nullptr ? add_node(binding, Operation::insert, {}, row.row)
                                 : add_relationship(binding, Operation::insert, {}, row.row);
}

void Merge::truncate(const TableName& table) {
  if (const NodeTable* node = model_->find_node(table)) {
    nodes_[node->index].truncate();
  } else if (const RelationshipTable* relationship = model_->find_relationship(table)) {
    relationships_[relationship->index].truncate();
  } else {
    return;
  }
  ++rows_;
}

Status Merge::add_node(const Binding& binding, Operation operation,
                       const std::vector<DatumView>& old_row, const std::vector<DatumView>& row) {
  NodeStates& states = nodes_[binding.node->index];
  if (operation == Operation::remove) {
    CNX_TRY(Key key, project_key(binding, binding.key, old_row));
    states.remove(key, transaction_);
    return {};
  }
  CNX_TRY(Key key, project_key(binding, binding.key, row));
  CNX_TRY(ProjectedProperties projected,
          project_properties(binding, binding.properties, binding.computed, row));
  if (binding.node->rule->cypher)
    node_user_rows_[binding.node->index].push_back(projected.properties);
  std::vector<ForeignEnd> ends;
  ends.reserve(binding.foreign_keys.size());
  for (const BoundForeignKey& foreign : binding.foreign_keys) {
    ForeignEnd& end = ends.emplace_back();
    CNX_TRY(end.key, project_foreign_key(binding, foreign.key, row));
    CNX_TRY(ProjectedProperties properties,
            project_properties(binding, foreign.properties, {}, row));
    end.properties = std::move(properties.properties);
  }
  Key old_key = key;
  if (!old_row.empty()) {
    CNX_TRY(old_key, project_key(binding, binding.key, old_row));
  }
  auto& entity = operation == Operation::insert ? states.insert(key, transaction_)
                                                : states.update(old_key, key);
  take_row(entity, std::move(projected));
  for (size_t i = 0; i < entity.ends.size() && i < ends.size(); ++i) {
    // A relationship property that this row lacks as unchanged keeps what an earlier row of the
    // batch said.
    merge_properties(entity.ends[i].properties, std::move(ends[i].properties));
    ends[i].properties = std::move(entity.ends[i].properties);
  }
  entity.ends = std::move(ends);
  entity.tenant = project_tenant(binding, row);
  return {};
}

Status Merge::add_relationship(const Binding& binding, Operation operation,
                               const std::vector<DatumView>& old_row,
                               const std::vector<DatumView>& row) {
  RelationshipStates& states = relationships_[binding.relationship->index];
  if (operation == Operation::remove) {
    CNX_TRY(RelationshipKey key, relationship_key(binding, old_row));
    states.remove(key, transaction_);
    return {};
  }
  CNX_TRY(RelationshipKey key, relationship_key(binding, row));
  CNX_TRY(ProjectedProperties projected,
          project_properties(binding, binding.properties, binding.computed, row));
  if (binding.relationship->rule->cypher) {
    relationship_user_rows_[binding.relationship->index].push_back(projected.properties);
  }
  RelationshipKey old_key = key;
  if (!old_row.empty()) {
    CNX_TRY(old_key, relationship_key(binding, old_row));
  }
  auto& entity = operation == Operation::insert ? states.insert(key, transaction_)
                                                : states.update(old_key, key);
  take_row(entity, std::move(projected));
  entity.tenant = project_tenant(binding, row);
  return {};
}

NodeMutations Merge::take_node(size_t table) {
  const NodeTable& node = model_->nodes()[table];
  NodeStates& states = nodes_[table];
  NodeMutations mutations;
  mutations.table = &node;
  mutations.truncated = states.truncated();
  mutations.removed = std::move(states.removed());
  for (Entity<Key>& entity : states.entities()) {
    if (entity.removed) {
      if (entity.before) mutations.removed.push_back(std::move(*entity.before));
      continue;
    }
    if (entity.before && !(*entity.before == entity.key))
      mutations.key_changes.push_back({*entity.before, entity.key});
    mutations.upserts.push_back({.key = entity.key,
                                 .key_before = entity.before.value_or(entity.key),
                                 .inserted = !entity.before,
                                 .replaced = entity.replaced,
                                 .lacks_columns = entity.lacks_columns,
                                 .properties = std::move(entity.properties),
                                 .tenant = std::move(entity.tenant),
                                 .ends = std::move(entity.ends)});
  }
  if (!mutations.removed.empty() || mutations.truncated) {
    for (const PropertyName& name : node.names.all()) mutations.known_properties.push_back(&name);
  }
  mutations.user_rows = std::move(node_user_rows_[table]);
  return mutations;
}

RelationshipMutations Merge::take_relationship(size_t table, const Mutations& so_far) {
  const RelationshipTable& relationship = model_->relationships()[table];
  // Where an end's node was removed or took another key in this batch, the old relationship hangs
  // on that node, not on the one that has the key afterwards.
  bool ends_changed = false;
  for (const NodeMutations& node : so_far.nodes) {
    if ((node.table == relationship.start || node.table == relationship.end) &&
        node.removes_or_moves()) {
      ends_changed = true;
    }
  }
  RelationshipStates& states = relationships_[table];
  RelationshipMutations mutations;
  mutations.table = &relationship;
  mutations.truncated = states.truncated();
  mutations.removed = std::move(states.removed());
  for (Entity<RelationshipKey>& entity : states.entities()) {
    if (entity.removed) {
      if (entity.before) mutations.removed.push_back(std::move(*entity.before));
      continue;
    }
    bool moved =
        entity.before && (!(*entity.before == entity.key) || (entity.replaced && ends_changed));
    if (moved) mutations.removed.push_back(*entity.before);
    mutations.upserts.push_back({.key = std::move(entity.key),
                                 .inserted = !entity.before || moved,
                                 .replaced = entity.replaced && !moved,
                                 .lacks_columns = entity.lacks_columns,
                                 .properties = std::move(entity.properties),
                                 .tenant = std::move(entity.tenant)});
  }
  mutations.user_rows = std::move(relationship_user_rows_[table]);
  return mutations;
}

Mutations Merge::take() {
  Mutations mutations;
  for (size_t table = 0; table < nodes_.size(); ++table) {
    if (!nodes_[table].empty()) mutations.nodes.push_back(take_node(table));
  }
  for (NodeMutations& node : mutations.nodes) {
    for (const ForeignKey& foreign : node.table->foreign_keys) {
      bool changed = false;
      for (const NodeMutations& other : mutations.nodes) {
        if (other.table == foreign.other && other.removes_or_moves()) changed = true;
      }
      node.other_changed.push_back(changed);
    }
  }
  for (size_t table = 0; table < relationships_.size(); ++table) {
    if (!relationships_[table].empty())
      mutations.relationships.push_back(take_relationship(table, mutations));
  }
  *this = Merge(*model_);
  return mutations;
}

}  // namespace cnx::mapping
