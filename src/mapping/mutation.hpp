// What is to be done in the graph, as values: the outcome of one batch, each entity at most once.
// Pure data; cypher/ says it in statements, a simulated graph executes it as it stands. Applied in
// this order (design §3): relationship removals, what stays behind, node removals — these by the keys that the graph
// has before the batch —, key changes, node upserts, relationship upserts by the keys after it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "change/value.hpp"
#include "postgres/quote.hpp"

namespace cnx::mapping {

struct NodeTable;
struct RelationshipTable;
struct Reference;

// The value of a node's (or a relationship's) key property: an integer, or text as PostgreSQL
// prints it.
struct Key : std::variant<int64_t, std::string> {
  using variant::variant;
  friend bool operator==(const Key&, const Key&) = default;
};

inline std::string to_text(const Key& key) {
  const auto* number = std::get_if<int64_t>(&key);
  return number != nullptr ? std::to_string(*number) : std::get<std::string>(key);
}

struct KeyHash {
  size_t operator()(const Key& key) const {
    return std::hash<std::variant<int64_t, std::string>>{}(key);
  }
};

// A property's name, stable in memory for the life of its table's model; compared by address.
struct PropertyName {
  std::string name;
  std::string companion;      // "<name>__pg" (R3).
  bool may_be_unfit = false;  // Whether a value can need the companion.
  std::string field_prefix = {};  // Of one that is flattened: its fields are "<name>_<field>". Empty otherwise.
};

// Under it a row tells of an object whose fields stand under their own names; nothing is kept there.
inline constexpr std::string_view kFieldsProperty = "_cnx_fields";

struct Property {
  const PropertyName* name = nullptr;
  change::Value value;
};
// In the order of the columns; a name at most once. SQL NULL is a Null value, an unchanged TOAST
// column is not there.
using Properties = std::vector<Property>;

// A row as PostgreSQL finds it.
struct RowKey {
  postgres::TableName table;
  std::vector<std::string> columns;
  std::vector<std::string> values;  // Of the columns, as PostgreSQL prints them.
};

// A name chosen by a column's value.
struct ChosenName {
  bool known = false;                 // Not where the column is an unchanged TOAST one.
  const std::string* name = nullptr;  // The rule's own; null: the value chooses none.
};

// The other end of a foreign key's relationship, as the row says.
struct ForeignEnd {
  std::optional<Key> key;      // After the batch. None: the foreign key is NULL.
  Properties properties;       // Of the relationship.
  bool lacks_columns = false;  // An unchanged TOAST column of them is missing.
  // Its columns were left out as unchanged: the relationship stays as it is. With `lacks_columns` only some of them were, and
  // the row has to be read again to tell.
  bool unknown = false;
  Properties made = {};        // Of a node that rows share, with which it is made; its key may say it all.
  // The node that has `key` after the batch had it before, or had `key_before`; else it is another
  // one, and whatever relationship the child had does not lead to it.
  bool other_is_same = true;
  std::optional<Key> key_before;

  // Before the batch, the key of the node to which a relationship may stay; null where none may. Where rows do not follow the
  // keys that they name, what leads to `key` before the batch stays too: it leads there after it.
  const Key* kept() const {
    if (!key || !other_is_same) return nullptr;
    return key_before ? &*key_before : &*key;
  }
};

struct NodeUpsert {
  Key key;         // After the batch.
  Key key_before;  // In the graph before the batch; the same where the key did not change.
  bool inserted =
      false;  // The batch made the row: nothing to be guarded, no relationship to be moved.
  bool replaced = false;  // Removed and made again in one transaction: it keeps its node, and is
                          // not guarded either.
  bool lacks_columns =
      false;  // An unchanged TOAST column is missing: the node must be there already.
  bool overwrites = false;  // Whatever the table's strategy for conflicts.
  Properties properties;
  Properties base = {};  // The row before the batch, where the table's old rows are told.
  std::optional<std::string> tenant;
  ChosenName label = {};         // Of a table whose rows choose one.
  std::vector<ForeignEnd> ends;  // One for each of the table's foreign keys, in their order.
  RowKey row;  // After the batch; filled only where a column is missing, here or at an end, or where conflicts are decided outside.
};

// Where no node has the key `from`, nothing is to be done.
struct KeyChange {
  Key from;
  Key to;
};

// On its way through the batch, a node took a key at which a stub may stand, by the keys before the
// batch. What hangs on the stub goes on to the node; where the batch made the node, the stub
// becomes it.
struct Takeover {
  Key node;
  Key stub;
};

// A key that what the graph has at it gave up, though rows that nothing makes follow may still name it.
struct GivenUp {
  Key key;
  bool taken = false;  // Something else may have it after the batch; else a stub of what stays behind.
};

struct NodeMutations {
  const NodeTable* table = nullptr;
  bool truncated = false;  // All nodes of the table go, before what follows.
  std::vector<Key> removed;
  // With `removed` or `truncated`: every property of ours, so that a node that must stay as a stub
  // keeps none of them.
  std::vector<const PropertyName*> known_properties;
  std::vector<Takeover> takeovers;  // Before the key changes.
  std::vector<KeyChange> key_changes;
  // Behind the key changes, what waited (LeftBehind) goes to the node that has the key then.
  std::vector<GivenUp> given_up;
  std::vector<NodeUpsert> upserts;
  // Every insert and update in order, for a statement of the user's own.
  std::vector<Properties> user_rows;
  // Keys of those rows that no row has in the end: removed once more, behind the user's statement.
  std::vector<Key> user_removed;
};

struct RelationshipKey {
  Key start;
  Key end;
  std::string own;  // `_cnx_key`, where the pair of ends is not the identity; empty otherwise.
  // The same relationship, wherever it leads.
  friend bool operator==(const RelationshipKey& x, const RelationshipKey& y) {
    return x.own == y.own && (!x.own.empty() || (x.start == y.start && x.end == y.end));
  }
};

struct RelationshipUpsert {
  RelationshipKey key;  // After the batch.
  // Where the key is its own: the graph may have the relationship between other ends. By the keys before the batch, it
  // stays where it leads from and to these; none: that end is another node than before. As ForeignEnd::kept().
  std::optional<Key> kept_start = {};
  std::optional<Key> kept_end = {};
  bool inserted = false;
  bool replaced = false;
  bool lacks_columns = false;
  bool overwrites = false;
  Properties properties;
  Properties base = {};
  std::optional<std::string> tenant;
  RowKey row;  // As NodeUpsert.
};

struct RelationshipMutations {
  const RelationshipTable* table = nullptr;
  bool truncated = false;
  std::vector<RelationshipKey> removed;
  std::vector<RelationshipUpsert> upserts;
  std::vector<Properties> user_rows;
  std::vector<RelationshipKey> user_removed;
};

// Relationships of one reference that lead to nodes which give up their keys: those of rows that still name such a key go to
// a stub that waits under `waiting_key`, so that the node moves on without them.
struct LeftBehind {
  struct Row {
    Key key;  // Before the batch.
    // Rows of the batch that name the node's new key already: their relationships go along. By the key that finds the
    // relationship there: of the other end, before the batch, or `_cnx_key`.
    std::vector<Key> along;
  };
  const NodeTable* table = nullptr;
  const Reference* reference = nullptr;
  std::vector<Row> rows;
};

// No row's key: what begins with `_cnx_` belongs to the engine. It fits an index as every key does.
Key waiting_key(const Key& key);

struct Mutations {
  std::vector<LeftBehind> left_behind;
  std::vector<NodeMutations> nodes;
  std::vector<RelationshipMutations> relationships;
  bool empty() const { return nodes.empty() && relationships.empty(); }
};

}  // namespace cnx::mapping
