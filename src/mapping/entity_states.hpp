// The life of each entity within one batch: where the graph had it before, where it ends, and what
// its row says by then. A state machine over inserts, updates and removals; no rows, no graph.
//
//   removed and inserted again in one transaction     the entity is replaced in place (it keeps its
//   node) removed, and inserted again by a later one        a removal and a creation, also within
//   one batch inserted and removed within the batch             nothing
#pragma once

#include <optional>
#include <unordered_map>
#include <vector>

#include "mapping/mutation.hpp"

namespace cnx::mapping {

// Newer columns over older ones; a column that the newer row lacks keeps its value.
inline void merge_properties(Properties& into, Properties&& newer) {
  if (into.empty()) {
    into = std::move(newer);
    return;
  }
  for (Property& property : newer) {
    bool found = false;
    for (Property& known : into) {
      if (known.name == property.name) {
        known.value = std::move(property.value);
        found = true;
        break;
      }
    }
    if (!found) into.push_back(std::move(property));
  }
}

template <typename K>
struct Entity {
  K key;                    // Now.
  std::optional<K> before;  // In the graph before the batch; none where the batch made it.
  bool removed = false;
  bool replaced = false;    // Removed and inserted again within one transaction.
  uint64_t removed_in = 0;  // The transaction's number within the batch.
  bool lacks_columns = false;
  Properties properties;
  std::optional<std::string> tenant;
  std::vector<ForeignEnd> ends;
};

// One thread.
template <typename K, typename Hash>
class EntityStates {
 public:
  // The entity that an INSERT makes; its earlier life in this batch, if any, is settled.
  Entity<K>& insert(const K& key, uint64_t transaction) {
    auto [slot, fresh] = by_key_.try_emplace(key, entities_.size());
    if (fresh) return entities_.emplace_back(Entity<K>{.key = key});
    Entity<K>& entity = entities_[slot->second];
    if (entity.removed && entity.removed_in != transaction) settle_removed(entity);
    if (entity.removed && entity.before) entity.replaced = true;
    entity.removed = false;
    entity.lacks_columns = false;
    entity.properties.clear();
    entity.ends.clear();
    return entity;
  }

  // The entity that an UPDATE changes; `old_key` equals `key` where the key stays.
  Entity<K>& update(const K& old_key, const K& key) {
    auto [slot, fresh] = by_key_.try_emplace(old_key, entities_.size());
    if (fresh) entities_.emplace_back(Entity<K>{.key = old_key, .before = old_key});
    size_t index = slot->second;
    if (!(old_key == key)) move(index, old_key, key);
    return entities_[index];
  }

  void remove(const K& key, uint64_t transaction) {
    auto [slot, fresh] = by_key_.try_emplace(key, entities_.size());
    if (fresh) entities_.emplace_back(Entity<K>{.key = key, .before = key});
    Entity<K>& entity = entities_[slot->second];
    entity.removed = true;
    entity.removed_in = transaction;
    entity.properties.clear();
    entity.ends.clear();
  }

  // TRUNCATE: all that was there before goes, in the graph too, and what follows is new.
  void truncate() {
    entities_.clear();
    by_key_.clear();
    removed_.clear();
    truncated_ = true;
  }

  bool truncated() const { return truncated_; }
  bool empty() const { return entities_.empty() && removed_.empty() && !truncated_; }
  size_t size() const { return entities_.size() + removed_.size(); }
  std::vector<Entity<K>>& entities() { return entities_; }
  // Keys, as the graph has them, of entities that ended before another took their key.
  std::vector<K>& removed() { return removed_; }

 private:
  void settle_removed(Entity<K>& entity) {
    if (entity.before) removed_.push_back(*entity.before);
    entity = Entity<K>{.key = entity.key};
  }

  void move(size_t index, const K& old_key, const K& key) {
    by_key_.erase(old_key);
    auto [slot, fresh] = by_key_.try_emplace(key, index);
    if (!fresh) {
      // PostgreSQL lets a key be taken only once it is free: who had it was removed, or has moved
      // on.
      Entity<K>& former = entities_[slot->second];
      if (former.removed && former.before) removed_.push_back(*former.before);
      former.removed = true;
      former.before.reset();
      slot->second = index;
    }
    entities_[index].key = key;
  }

  std::vector<Entity<K>> entities_;
  std::unordered_map<K, size_t, Hash> by_key_;
  std::vector<K> removed_;
  bool truncated_ = false;
};

}  // namespace cnx::mapping
