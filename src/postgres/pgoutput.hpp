// The bytes of logical replication messages (PostgreSQL documentation, "Logical Replication Message
// Formats", protocol versions 1 to 4) to values. Pure: no I/O, no memory between messages but
// `DecoderState`.
//
// All numbers are big endian; a string ends with NUL; a time is int64 microseconds since
// 2000-01-01. Inside a stream block (between S and E) the messages marked * carry an int32 xid
// behind the type byte.
//
//   B  Begin              final_lsn, time, xid
//   C  Commit             flags, commit_lsn, end_lsn, time
//   O  Origin             lsn, name
//   M* Message            flags, lsn, prefix, int32 length, bytes
//   R* Relation           oid, schema, name, identity, int16 n, n × (flags, name, type, typmod)
//   Y* Type               oid, schema, name
//   I* Insert             oid, 'N' tuple
//   U* Update             oid, [('K' | 'O') tuple], 'N' tuple
//   D* Delete             oid, ('K' | 'O') tuple
//   T* Truncate           int32 n, flags, n × oid
//   S  Stream start       xid, first
//   E  Stream stop
//   c  Stream commit      xid, flags, commit_lsn, end_lsn, time
//   A  Stream abort       xid, subxid [, abort_lsn, time: with streaming 'parallel']
//   b  Begin prepare      prepare_lsn, end_lsn, time, xid, gid
//   P  Prepare            flags, prepare_lsn, end_lsn, time, xid, gid
//   K  Commit prepared    flags, commit_lsn, end_lsn, time, xid, gid
//   r  Rollback prepared  flags, prepare_end_lsn, rollback_end_lsn, two times, xid, gid
//   p  Stream prepare     flags, prepare_lsn, end_lsn, time, xid, gid
//
//   tuple = int16 n, n × ( 'n' null | 'u' unchanged TOAST | 't' text | 'b' binary )
//   text, binary = int32 length, bytes
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "change/event.hpp"

namespace cnx::postgres {

// Views point into the payload that was decoded.
using Tuple = std::vector<change::DatumView>;

// The (sub)transaction that a message inside a stream block belongs to; none outside.
using StreamXid = std::optional<change::Xid>;

// Times are microseconds since 1970-01-01T00:00Z.
struct CommitMessage {
  change::Lsn commit_lsn;
  change::Lsn end_lsn;
  int64_t commit_microseconds = 0;
};
struct OriginMessage {
  change::Lsn commit_lsn;  // On the origin's server; 0/0 where it set none.
  std::string name;
};
struct LogicalMessage {
  bool transactional = false;
  change::Lsn lsn;
  std::string prefix;
  BytesView content;  // A view into the payload.
  StreamXid xid;
};
struct RelationMessage {
  change::RelationPtr relation;  // Schema "pg_catalog" where the wire says "".
  StreamXid xid;
};
// For a domain it names the base type.
struct TypeMessage {
  change::Oid oid;
  std::string schema;  // "pg_catalog" where the wire says "".
  std::string name;
  StreamXid xid;
};
struct RowMessage {
  change::Operation operation = change::Operation::insert;
  change::Oid relation;
  bool old_is_full =
      false;  // 'O': the whole old row; else the key only, other columns null meaning "not sent".
  Tuple old_row;  // Empty where there was none.
  Tuple row;      // Empty for a removal.
  StreamXid xid;
};
struct TruncateMessage {
  std::vector<change::Oid> relations;
  bool cascade = false;
  bool restart_identity = false;
  StreamXid xid;
};
struct StreamStart {
  change::Xid xid;
  bool first_segment = false;
};
struct StreamStop {};
struct StreamCommit {
  change::Xid xid;
  change::Lsn commit_lsn;
  change::Lsn end_lsn;
  int64_t commit_microseconds = 0;
};
// The whole transaction where both are equal.
struct StreamAbort {
  change::Xid xid;
  change::Xid subtransaction;
  change::Lsn abort_lsn;           // 0/0 unless streaming is 'parallel'.
  int64_t abort_microseconds = 0;  // The same.
};
enum class PrepareStep : char { begin = 'b', prepare = 'P', stream = 'p', commit = 'K' };
struct PrepareMessage {
  PrepareStep step = PrepareStep::begin;
  change::Lsn lsn;  // Of the PREPARE, or of the COMMIT PREPARED.
  change::Lsn end_lsn;
  int64_t microseconds = 0;
  change::Xid xid;
  std::string gid;
};
struct RollbackPrepared {
  change::Lsn prepare_end_lsn;
  change::Lsn rollback_end_lsn;
  int64_t prepare_microseconds = 0;
  int64_t rollback_microseconds = 0;
  change::Xid xid;
  std::string gid;
};

using Message =
    std::variant<RowMessage, change::Begin, CommitMessage, RelationMessage, TypeMessage,
                 TruncateMessage, OriginMessage, LogicalMessage, StreamStart, StreamStop,
                 StreamCommit, StreamAbort, PrepareMessage, RollbackPrepared>;

struct DecoderState {
  bool streaming_parallel = false;  // As START_REPLICATION asked: it lengthens StreamAbort.
  bool in_stream_block = false;     // Kept by decode().
};

// One payload (WalData::payload) to one message. Tuples and LogicalMessage::content are valid while
// the payload is. Does not throw, whatever the bytes. Kinds: malformed (cut short, something left
// over, a count that cannot be, an unknown type), unsupported (a column in binary form: we never
// ask for it). After an error `state` is as before.
Result<Message> decode(BytesView payload, DecoderState& state);

}  // namespace cnx::postgres
