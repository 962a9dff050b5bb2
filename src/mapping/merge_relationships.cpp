// The rows of a batch that are relationships themselves. Where a value chooses the type, each type is a table of the model's: a
// row goes to the one that it chooses, and from all others.
#include "base/check.hpp"
#include "mapping/lacking_rows.hpp"
#include "mapping/merge.hpp"
#include "mapping/merge_parts.hpp"

namespace cnx::mapping {
namespace {

using change::DatumView;
using change::Operation;

// Of an old row, of which only the key is known for sure. A key of its own says nothing of the ends.
Result<RelationshipKey> old_relationship_key(const Binding& binding,
                                             const std::vector<DatumView>& row) {
  RelationshipKey key;
  if (binding.relationship->key_is_pair) {
    CNX_TRY(key.start, project_key(binding, binding.start, row));
    CNX_TRY(key.end, project_key(binding, binding.end, row));
  } else {
    CNX_TRY(key.own, project_key_text(binding, binding.key, row));
  }
  return key;
}

// None where the row, which has a key of its own, leads nowhere: a foreign key is NULL.
Result<std::optional<RelationshipKey>> relationship_key(const Binding& binding,
                                                        const std::vector<DatumView>& row) {
  CNX_TRY(RelationshipKey key, old_relationship_key(binding, row));
  if (binding.relationship->key_is_pair) return std::optional<RelationshipKey>(std::move(key));
  CNX_TRY(std::optional<Key> start, project_foreign_key(binding, binding.start, row));
  CNX_TRY(std::optional<Key> end, project_foreign_key(binding, binding.end, row));
  if (!start || !end) return std::optional<RelationshipKey>();
  key.start = *std::move(start);
  key.end = *std::move(end);
  return std::optional<RelationshipKey>(std::move(key));
}

// None where the value chooses no type.
Result<const RelationshipTable*> chosen_type(const Binding& binding, const std::vector<DatumView>& row) {
  const ChosenName chosen = project_choice(binding.type, row);
  if (!chosen.known) {
    return fail(Error(ErrorKind::malformed, "the column that chooses the relationship's type was left out as unchanged")
                    .with("table", binding.relation->schema + "." + binding.relation->name)
                    .with("column", binding.relation->columns[static_cast<size_t>(binding.type.column)].name));
  }
  const RelationshipTable* found = nullptr;
  for (const RelationshipTable* sibling : binding.relationship->siblings) {
    if (chosen.name != nullptr && sibling->type == *chosen.name) found = sibling;
  }
  CNX_CHECK(found != nullptr || chosen.name == nullptr, "each type that a value may choose is in the model");
  return found;
}

}  // namespace

Status Merge::add_relationship(const Binding& binding, Operation operation,
                               const std::vector<DatumView>& old_row,
                               const std::vector<DatumView>& row, const OldRow& told) {
  const RelationshipTable& first = *binding.relationship;
  if (first.siblings.empty()) return add_relationship_of(binding, first, operation, old_row, row, told);
  const bool removes = operation == Operation::remove;
  const RelationshipTable* chosen = nullptr;
  if (!removes) {
    CNX_TRY(chosen, chosen_type(binding, row));
  }
  // What type the row had before is not told: it may be any other.
  for (const RelationshipTable* sibling : first.siblings) {
    if (sibling == chosen || operation == Operation::insert) continue;
    CNX_TRY(remove_relationship(binding, *sibling, old_row.empty() ? row : old_row));
  }
  return chosen != nullptr ? add_relationship_of(binding, *chosen, operation, old_row, row, told) : Status();
}

Status Merge::remove_relationship(const Binding& binding, const RelationshipTable& table,
                                  const std::vector<DatumView>& old_row) {
  CNX_TRY(RelationshipKey key, old_relationship_key(binding, old_row));
  relationships_[table.index].remove(key, transaction_);
  return {};
}

// A row takes a key that it did not have before the batch. A piece of a transaction may end between a node's key change and those
// that cascade from it: the relationship went along with the node, and where the next piece says that the row's old key became
// this one, it stands at this one already.
void Merge::take_key(const RelationshipTable& table, const Entity<RelationshipKey>& entity) {
  if (!table.key_is_pair || !entity.before || *entity.before == entity.key) return;
  // Else the nodes at its ends had other keys when the piece began, and another relationship may stand between those.
  const auto& starts = nodes_[table.start->index].places();
  const auto& ends = nodes_[table.end->index].places();
  if (!starts.contains(entity.key.start) && !ends.contains(entity.key.end)) taken_keys_[table.index].push_back(entity.key);
}

Status Merge::add_relationship_of(const Binding& binding, const RelationshipTable& table, Operation operation,
                                  const std::vector<DatumView>& old_row,
                                  const std::vector<DatumView>& row, const OldRow& told) {
  RelationshipStates& states = relationships_[table.index];
  if (operation == Operation::remove) return remove_relationship(binding, table, old_row);
  CNX_TRY(std::optional<RelationshipKey> leads, relationship_key(binding, row));
  if (!leads) {
    // A row with a key of its own that leads nowhere: what relationship it had goes.
    if (operation == Operation::insert) return {};
    return remove_relationship(binding, table, old_row.empty() ? row : old_row);
  }
  RelationshipKey key = *std::move(leads);
  CNX_TRY(ProjectedProperties projected, project_row(binding, row));
  if (table.rule->cypher) {
    auto& user = relationship_user_rows_[table.index];
    user.rows.push_back(projected.properties);
    user.keys.insert(key);
  }
  RelationshipKey old_key = key;
  if (!old_row.empty()) {
    CNX_TRY(old_key, old_relationship_key(binding, old_row));
  }
  // An update that gives ends to a row that led nowhere, earlier in the batch, makes its relationship again.
  const bool makes = operation == Operation::insert || states.removed_now(old_key);
  if (makes && !(old_key == key)) states.remove(old_key, transaction_);
  // What was there may not pass for what the row leaves out: where the stream is passed over in part, it was another row's.
  if (makes && projected.lacks_columns) states.make_anew(key);
  auto& entity = makes ? states.insert(key, transaction_) : states.update(old_key, key);
  if (!(old_key == key)) take_key(table, entity);
  entity.key = std::move(key);
  CNX_TRY(take_old(entity, table, binding, old_row, told));
  if (projected.lacks_columns || guard_of(table) == Guard::decide) entity.row = row_key(binding, row);
  take_row(entity, std::move(projected));
  entity.tenant = project_tenant(binding, row);
  return {};
}

// A relationship hangs on nodes, not on keys: it goes along where a node takes another key, and is another one where another
// node takes this one. Where its row does not follow a key, the relationship stays at the key (LeftBehind).
bool Merge::goes_along(const RelationshipTable& table, const Entity<RelationshipKey>& entity) const {
  if (!table.key_is_pair) return entity.key.own == entity.before->own;
  auto fits = [&](const NodeTable& end, bool follows, const Key& key, const Key& before) {
    return kept_before(end, key) == before || (!follows && key == before);
  };
  return fits(*table.start, table.start_follows, entity.key.start, entity.before->start) &&
         fits(*table.end, table.end_follows, entity.key.end, entity.before->end);
}

RelationshipMutations Merge::take_relationship(size_t table) {
  const RelationshipTable& relationship = model_->relationships()[table];
  RelationshipStates& states = relationships_[table];
  RelationshipMutations mutations;
  mutations.table = &relationship;
  mutations.truncated = states.truncated();
  if (relationship.rule->cypher) {
    take_user_rows(states, relationship_user_rows_[table], mutations);
  }
  mutations.removed = std::move(states.removed());
  if (auto taken = taken_keys_.find(table); taken != taken_keys_.end()) {
    // What stood at the others is said by the rows that have them, or had them before.
    std::unordered_set<RelationshipKey, RelationshipKeyHash> said(mutations.removed.begin(), mutations.removed.end());
    for (const Entity<RelationshipKey>& entity : states.entities()) {
      if (entity.before) said.insert(*entity.before);
      if (!entity.removed) said.insert(entity.key);
    }
    for (RelationshipKey& key : taken->second) {
      if (said.insert(key).second) mutations.removed.push_back(std::move(key));
    }
  }
  for (Entity<RelationshipKey>& entity : states.entities()) {
    if (entity.removed) {
      if (entity.before) mutations.removed.push_back(std::move(*entity.before));
      continue;
    }
    const bool moved = entity.before && !goes_along(relationship, entity);
    if (moved) mutations.removed.push_back(*entity.before);
    std::optional<Key> kept_start;
    std::optional<Key> kept_end;
    if (!relationship.key_is_pair) {
      kept_start = kept_before(*relationship.start, entity.key.start);
      kept_end = kept_before(*relationship.end, entity.key.end);
    }
    // One that lacks columns is not made anew without them.
    mutations.upserts.push_back({.key = std::move(entity.key),
                                 .kept_start = std::move(kept_start),
                                 .kept_end = std::move(kept_end),
                                 .inserted = (!entity.before || moved) && !entity.lacks_columns,
                                 .replaced = entity.replaced && !moved,
                                 .lacks_columns = entity.lacks_columns,
                                 .overwrites = entity.overwrites,
                                 .properties = std::move(entity.properties),
                                 .base = std::move(entity.base),
                                 .tenant = std::move(entity.tenant),
                                 .row = std::move(entity.row)});
  }
  return mutations;
}

}  // namespace cnx::mapping
