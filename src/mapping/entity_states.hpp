// The life of each entity within one batch: where the graph had it before, where it ends, and what
// its row says by then. A state machine over inserts, updates and removals; no rows, no graph.
//
//   removed and inserted again in one transaction     the entity is replaced in place (it keeps its
//                                                     node)
//   removed, and inserted again by a later one        a removal and a creation, also within one
//                                                     batch
//   inserted and removed within the batch             nothing
//
// Beside the rows' lives it follows the places: what the graph has at a key, be it a stub that a
// removal leaves behind, goes along when the row there takes another key.
#pragma once

#include <optional>
#include <unordered_map>
#include <utility>
#include <vector>

#include "mapping/mutation.hpp"

namespace cnx::mapping {

template <typename K>
struct Entity {
  K key;                          // Now.
  std::optional<K> before;        // In the graph before the batch; none where the batch made it.
  bool on_untouched_key = false;  // Made by the batch, where nothing of the batch had been before.
  bool removed = false;
  bool replaced = false;    // Removed and inserted again within one transaction.
  uint64_t removed_in = 0;  // The transaction's number within the batch.
  bool lacks_columns = false;
  bool overwrites = false;
  Properties properties;
  Properties base = {};
  std::optional<std::string> tenant;
  ChosenName label = {};
  std::vector<ForeignEnd> ends;
  RowKey row;  // Where the last row that came left out a column.
};

// One thread.
template <typename K, typename Hash>
class EntityStates {
 public:
  // The entity that an INSERT makes; its earlier life in this batch, if any, is settled.
  Entity<K>& insert(const K& key, uint64_t transaction) {
    auto [slot, fresh] = by_key_.try_emplace(key, entities_.size());
    if (fresh) {
      const bool untouched = !truncated_ && (places_.empty() || !places_.contains(key));
      return entities_.emplace_back(Entity<K>{.key = key, .on_untouched_key = untouched});
    }
    Entity<K>& entity = entities_[slot->second];
    bring_back(entity, transaction);
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
    disturbed_ = true;
    auto [slot, fresh] = by_key_.try_emplace(key, entities_.size());
    if (fresh) entities_.emplace_back(Entity<K>{.key = key, .before = key});
    leave_out(entities_[slot->second], transaction);
  }

  // The entity of a row that goes on without it: it goes, and is followed with the row's key.
  void leave_out(Entity<K>& entity, uint64_t transaction) {
    disturbed_ = true;
    if (!entity.removed) entity.removed_in = transaction;
    entity.removed = true;
    entity.lacks_columns = false;
    entity.properties.clear();
    entity.ends.clear();
  }

  // It is there again, if it was not: replaced in place, or anew.
  void bring_back(Entity<K>& entity, uint64_t transaction) {
    if (!entity.removed) return;
    if (entity.removed_in != transaction) settle_removed(entity);
    entity.replaced = entity.before.has_value();
    entity.removed = false;
  }

  // A row takes the key of one that is gone, and not all of it is known: what was there may not pass for it.
  void make_anew(const K& key) {
    auto found = by_key_.find(key);
    if (found != by_key_.end() && entities_[found->second].removed) settle_removed(entities_[found->second]);
  }

  // TRUNCATE: all that was there before goes, in the graph too, and what follows is new.
  void truncate() {
    entities_.clear();
    by_key_.clear();
    removed_.clear();
    truncated_ = true;
    disturbed_ = true;
  }

  bool truncated() const { return truncated_; }
  bool empty() const { return entities_.empty() && removed_.empty() && !truncated_; }
  std::vector<Entity<K>>& entities() { return entities_; }
  const std::vector<Entity<K>>& entities() const { return entities_; }
  // Keys, as the graph has them, of entities that ended before another took their key.
  std::vector<K>& removed() { return removed_; }

  // Whether a key may mean another entity than before the batch.
  bool disturbed() const { return disturbed_; }
  // The key before the batch of the entity that has `key` now, where it lived all the while.
  std::optional<K> kept_before(const K& key) const {
    auto found = by_key_.find(key);
    if (found == by_key_.end()) {
      const bool vacated = !places_.empty() && places_.contains(key);
      return truncated_ || vacated ? std::nullopt : std::optional<K>(key);
    }
    const Entity<K>& entity = entities_[found->second];
    if (entity.removed) return std::nullopt;
    if (entity.before) return entity.before;
    // A stub may have waited there for this row.
    return entity.on_untouched_key ? std::optional<K>(key) : std::nullopt;
  }
  // Whether a row has the key now, as far as the batch says.
  bool alive(const K& key) const {
    auto found = by_key_.find(key);
    return found != by_key_.end() && !entities_[found->second].removed;
  }

  // Whether the batch's last word of the key was that it goes.
  bool removed_now(const K& key) const {
    auto found = by_key_.find(key);
    return found != by_key_.end() && entities_[found->second].removed;
  }

  // For each key that was taken: the keys before the batch of what stands there now. The first is
  // what has the key; the others were met on its way.
  const std::unordered_map<K, std::vector<K>, Hash>& places() const { return places_; }

 private:
  void settle_removed(Entity<K>& entity) {
    if (entity.before) removed_.push_back(*entity.before);
    entity = Entity<K>{.key = entity.key};
  }

  void move(size_t index, const K& old_key, const K& key) {
    disturbed_ = true;
    by_key_.erase(old_key);
    auto [slot, fresh] = by_key_.try_emplace(key, index);
    if (!fresh) {
      // PostgreSQL lets a key be taken only once it is free: who had it was removed.
      Entity<K>& former = entities_[slot->second];
      if (former.removed && former.before) removed_.push_back(*former.before);
      former.removed = true;
      former.before.reset();
      slot->second = index;
    }
    entities_[index].key = key;
    entities_[index].on_untouched_key = false;
    std::vector<K> moved = leave(old_key);
    std::vector<K> met = leave(key);
    moved.insert(moved.end(), met.begin(), met.end());
    places_[key] = std::move(moved);
  }

  // What stands at the key; nothing does afterwards.
  std::vector<K> leave(const K& key) {
    auto [place, untouched] = places_.try_emplace(key);
    if (untouched) return {key};
    return std::exchange(place->second, {});
  }

  std::vector<Entity<K>> entities_;
  std::unordered_map<K, size_t, Hash> by_key_;
  std::vector<K> removed_;
  std::unordered_map<K, std::vector<K>, Hash> places_;  // Of keys that were taken or given up.
  bool truncated_ = false;
  bool disturbed_ = false;
};

}  // namespace cnx::mapping
