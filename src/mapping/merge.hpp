// The rows of one batch merged entity by entity, column by column, into the mutations that lead to
// the same graph. Pure: no database, no clock.
#pragma once

#include <map>
#include <memory>
#include <unordered_set>

#include "mapping/binding.hpp"
#include "mapping/entity_states.hpp"

namespace cnx::mapping {

// Newer columns over older ones; a column that the newer row lacks keeps its value.
void merge_properties(Properties& into, Properties&& newer);

struct RelationshipKeyHash {
  size_t operator()(const RelationshipKey& key) const {
    if (!key.own.empty()) return std::hash<std::string>{}(key.own);
    size_t hash = KeyHash{}(key.start);
    hash = hash * 0x9E3779B97F4A7C15ull + KeyHash{}(key.end);
    return hash;
  }
};

// What a statement of the user's own gets.
template <typename K, typename Hash>
struct UserRows {
  std::vector<Properties> rows;
  std::unordered_set<K, Hash> keys;  // Of the rows, as they stood there.
};

// What an UPDATE says beside its rows, for conflicts.
struct OldRow {
  bool is_full = false;     // The old row is whole, and is what the graph should have.
  bool overwrites = false;  // As NodeUpsert.
};

// One thread. Bindings must outlive what take() returns only through their tables (property names),
// not themselves.
class Merge {
 public:
  explicit Merge(Model& model);

  // A new transaction's rows follow.
  void begin_transaction() { ++transaction_; }
  // ErrorKind::malformed where a row is not as its relation says, with table and column.
  Status add(const Binding& binding, const change::RowChange& change);
  // `replaces`: the graph may have the row as it was, and its entity is replaced in its place.
  Status add(const Binding& binding, const change::SnapshotRow& row, bool replaces = false);
  // A table that is not mapped is passed over.
  void truncate(const TableName& table);

  // Nodes and relationships that the batch touches so far, at most.
  size_t elements() const { return elements_; }
  // Bytes of rows taken so far.
  size_t bytes() const { return bytes_; }
  size_t rows() const { return rows_; }
  bool empty() const { return rows_ == 0; }

  // What was merged, in the order of the model's tables; the merge is then empty.
  Mutations take();

 private:
  using NodeStates = EntityStates<Key, KeyHash>;
  using RelationshipStates = EntityStates<RelationshipKey, RelationshipKeyHash>;
  using GivenUpKeys = std::vector<std::vector<GivenUp>>;  // By the node table's index.

  // Of a row's node, of a further one, or of the relationship that it is.
  Status add_one(const Binding& binding, const change::RowChange& change);
  Status add_row(const Binding& binding, change::Operation operation, const std::vector<change::DatumView>& old_row,
                 const std::vector<change::DatumView>& row, const OldRow& told = {});
  Status add_over_copy(const Binding& binding, const change::RowChange& change);
  Status add_node(const Binding& binding, change::Operation operation,
                  const std::vector<change::DatumView>& old_row,
                  const std::vector<change::DatumView>& row, const OldRow& told = {});
  Status add_relationship(const Binding& binding, change::Operation operation,
                          const std::vector<change::DatumView>& old_row,
                          const std::vector<change::DatumView>& row, const OldRow& told = {});
  Status add_relationship_of(const Binding& binding, const RelationshipTable& table,
                             change::Operation operation,
                             const std::vector<change::DatumView>& old_row,
                             const std::vector<change::DatumView>& row, const OldRow& told);
  Status remove_relationship(const Binding& binding, const RelationshipTable& table,
                             const std::vector<change::DatumView>& old_row);
  void take_key(const RelationshipTable& table, const Entity<RelationshipKey>& entity);
  std::optional<Key> kept_before(const NodeTable& table, const Key& key) const;
  bool goes_along(const RelationshipTable& table, const Entity<RelationshipKey>& entity) const;
  std::vector<GivenUp> find_given_up(const NodeTable& table) const;
  std::vector<LeftBehind> find_left_behind(const GivenUpKeys& given_up) const;
  LeftBehind left_behind_of(const NodeTable& table, const Reference& reference, const GivenUpKeys& given_up) const;
  void find_along(const NodeTable& table, const Reference& reference, bool other_waits,
                  std::map<Key, std::vector<Key>>& along) const;
  void find_kept_ends(size_t table);
  NodeMutations take_node(size_t table);
  RelationshipMutations take_relationship(size_t table);

  Model* model_;
  uint64_t transaction_ = 0;
  size_t elements_ = 0;
  size_t bytes_ = 0;
  size_t rows_ = 0;
  std::vector<NodeStates> nodes_;  // By the table's index.
  std::vector<RelationshipStates> relationships_;
  std::map<size_t, std::vector<RelationshipKey>> taken_keys_;  // By the relationship table's index.
  std::map<size_t, UserRows<Key, KeyHash>> node_user_rows_;
  std::map<size_t, UserRows<RelationshipKey, RelationshipKeyHash>> relationship_user_rows_;
};

}  // namespace cnx::mapping
