// What moves from capture to the batch: a transaction's frame and its rows, still in PostgreSQL's own text.
// Text becomes a Value where the mapping knows the column (mapping/); until then nothing is interpreted.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "change/ids.hpp"

namespace cnx::change {

struct Column {
  std::string name;
  Oid type;                   // As the relation message gives it: a domain keeps its own.
  int32_t type_modifier = -1;
  bool identity = false;      // Part of the replica identity.
};

enum class ReplicaIdentity : char { primary_key = 'd', nothing = 'n', full = 'f', index = 'i' };

// A table as the change was decoded with it (the catalog of that moment). Immutable once made.
struct Relation {
  Oid oid;
  std::string schema;  // As it is, unquoted. A table is always the pair (schema, name), never a joined string.
  std::string name;
  ReplicaIdentity identity = ReplicaIdentity::primary_key;
  std::vector<Column> columns;  // In the order of the row's data.
};
// All that a relation says, as text: equal texts describe a table alike. Pure.
std::string describe(const Relation& relation);
// Shared: every change of a table points to it, across threads, and it is never changed.
using RelationPtr = std::shared_ptr<const Relation>;

// One column of a row: a view into the buffer of the change that holds it.
struct DatumView {
  enum class Kind : uint8_t { null, unchanged, text };
  Kind kind = Kind::null;
  std::string_view text;  // Only with Kind::text.
};

// The bytes that a change's views point into. Moving it keeps the address.
using Buffer = std::unique_ptr<const char, void (*)(const void*)>;

enum class Operation : uint8_t { insert, update, remove };

struct RowChange {
  Operation operation = Operation::insert;
  Position position;       // (final_lsn, number among the transaction's row messages, from 1).
  RelationPtr relation;
  Buffer buffer{nullptr, [](const void*) {}};
  uint32_t buffer_bytes = 0;
  bool old_is_full = false;        // The old row is whole (REPLICA IDENTITY FULL), not only the key.
  // Rows were read ahead of the stream, and this change may meet them. A key change is then a removal at the old key and an
  // insertion at the new: else the node takes the other key and what hangs on it goes along, but the relationships that were
  // read hang on keys that older changes have yet to give to other nodes. An insertion replaces what may be left at its key.
  bool over_copy = false;
  bool overwrites = false;         // Whatever the graph has of the row, this is written over it: no conflict is looked for.
  std::vector<DatumView> old_row;  // Empty where the message had none; as long as the relation's columns otherwise.
  std::vector<DatumView> row;      // Empty for a removal.
};

struct Begin {
  Lsn final_lsn;  // Where its commit stands.
  Xid xid;
  int64_t commit_microseconds = 0;  // Since 1970-01-01T00:00Z.
};

// The last transaction that somebody holds. By both, it is told from any other of a server that was set back and has gone another
// way since.
struct LastCommit {
  Lsn final_lsn;  // As Begin's. 0/0: none is known.
  int64_t commit_microseconds = 0;
  friend bool operator==(const LastCommit&, const LastCommit&) = default;
};

struct Commit {
  Lsn end_lsn;  // The only LSN of a transaction that is ever confirmed.
  // All its rows were passed over as the engine's own: it moves no position, an idle advance will.
  bool passed_over = false;
};

struct Truncate {
  Position position;
  std::vector<RelationPtr> relations;
  bool cascade = false;
};

// Nothing of ours up to here, with no transaction open: an idle slot may move (I1).
struct Idle {
  Lsn wal_end;
};

// The rows that follow are of one segment of the copy (change/segment.hpp), in the order of its key where it has one.
struct SegmentBegin {
  std::string key;                     // Of the segment's node.
  std::vector<uint16_t> key_columns;   // Where the key stands in a row; empty: the segment cannot go on in its middle.
};
// A row that was there before its changes are followed.
struct SnapshotRow {
  RelationPtr relation;
  Buffer buffer{nullptr, [](const void*) {}};
  uint32_t buffer_bytes = 0;
  std::vector<DatumView> row;
};
// The segment's last row was handed on. Not `whole`: what was read does not count, and is read again.
struct SegmentEnd {
  bool whole = true;
};

using Event =
    std::variant<Begin, RowChange, Truncate, Commit, Idle, SegmentBegin, SnapshotRow, SegmentEnd>;

// What it costs a queue's byte budget.
size_t weight(const RowChange& row);
size_t weight(const Event& event);

}  // namespace cnx::change
