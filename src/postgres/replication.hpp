// The replication connection: makes and starts a slot, hands on the stream's envelopes, sends what
// we confirm. It does not look into the messages (pgoutput.hpp does) and decides nothing about what
// may be confirmed: capture does.
//
// CopyData envelopes (big endian, times in microseconds since 2000-01-01):
//   w  'w' int64 start  int64 end  int64 sent  payload               from the server
//   k  'k' int64 wal_end  int64 sent  int8 reply_requested           from the server
//   r  'r' int64 written  int64 flushed  int64 applied  int64 now  int8 reply_requested   from us
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/bytes.hpp"
#include "base/clock.hpp"
#include "base/result.hpp"
#include "change/event.hpp"
#include "postgres/connection.hpp"
#include "postgres/options.hpp"

namespace cnx::postgres {

// Where a timeline was left for the next one: what the log has behind it is of the next.
struct TimelineSwitch {
  uint32_t timeline = 0;
  change::Lsn left_at;
  friend bool operator==(const TimelineSwitch&, const TimelineSwitch&) = default;
};

struct SystemIdentity {
  uint64_t system_identifier = 0;
  uint32_t timeline = 0;
  change::Lsn wal_end;  // How far the server has flushed.
  std::string database;
  int64_t database_oid = 0;
  // The timelines that led to this one, ascending. Empty: the first, or the server does not say.
  std::vector<TimelineSwitch> history;
};

struct CreateSlotOptions {
  std::string name;             // [a-z0-9_]{1,63}.
  bool export_snapshot = true;  // false: no snapshot, `snapshot_name` is empty.
  bool temporary = false;       // true: gone with the connection; for trials.
  bool failover = false;        // PostgreSQL 17 and later: kept in step on standbys.
};
struct CreatedSlot {
  change::Lsn consistent_point;  // All that commits after it comes in the stream.
  std::string snapshot_name;     // For SET TRANSACTION SNAPSHOT on other connections.
};

struct StartOptions {
  std::string slot;
  // Where to start; at or below the slot's confirmed position means there. 0/0: there.
  change::Lsn from;
  std::vector<std::string> publications;  // As they are, unquoted; at least one.
  int protocol = 1;                       // 1 to 4; only committed transactions come with 1.
  bool messages = false;                  // pg_logical_emit_message's too.
  bool local_only = false;  // PostgreSQL 16 and later: nothing that came from a replication origin.
};

struct WalData {
  change::Buffer
      buffer;         // Owns the bytes that `payload` points into; moving it keeps their address.
  BytesView payload;  // For pgoutput's decode().
  change::Lsn start;  // 0/0 for Relation and Type messages: never a measure of progress.
};
struct KeepAlive {
  change::Lsn wal_end;
  bool reply_requested = false;
};
// The server ended the stream of its own will, without an error.
struct StreamEnd {};
using StreamMessage = std::variant<WalData, KeepAlive, StreamEnd>;

struct StatusUpdate {
  change::Lsn written;
  change::Lsn
      flushed;  // What the slot is confirmed to: never above what is durable on our side (I1).
  change::Lsn applied;
  bool reply_requested = false;
};

// One thread. Movable. Error kinds as Session: server, unavailable, timeout; after the last two it
// is of no more use.
class ReplicationStream {
 public:
  // Connects with replication=database and sets and reads back R5, since pgoutput prints values
  // under this session's settings. Blocks until `deadline`. Kinds as Session::open().
  static Result<ReplicationStream> open(const ConnectionOptions& options, TimePoint deadline);

  // Before start() only. Block until `deadline`.
  Result<SystemIdentity> identify_system(TimePoint deadline);
  // Waits for the transactions that are running now. The exported snapshot lives until the next
  // command on this connection, or its end: leave it idle, and open, until every reader has taken
  // the snapshot. invalid: the name. server 42710: the slot is there already.
  Result<CreatedSlot> create_slot(const CreateSlotOptions& options, TimePoint deadline);
  // The same in halves, for who has something to say meanwhile. Begins it, and does not block.
  Status begin_create_slot(const CreateSlotOptions& options);
  // nullopt: not made yet, wait until fd() is readable. Blocks no longer than the rest of an answer takes to arrive.
  Result<std::optional<CreatedSlot>> try_created_slot();
  // Has the server give up the command under way, and waits until it has: what was half made is gone then. Blocks until
  // `deadline`, but for one connect.
  void cancel(TimePoint deadline);
  // The server process, as pg_stat_activity.pid.
  int32_t backend_pid() const;

  // Waits until nobody uses the slot. server 42704: there is none.
  Status drop_slot(const std::string& name, TimePoint deadline);

  // Begins the stream. server 55006: another connection uses the slot (also ours, until
  // wal_sender_timeout after it was lost); 55000: the slot is lost; 42704: there is no such slot.
  // Whether the publications exist is not asked here. A change that is older than a publication
  // makes try_read() give server 42704 before PostgreSQL 18; since 18 it is *silently left out*:
  // read_publication() before every start, and make publications before slots. Blocks until
  // `deadline`.
  Status start(const StartOptions& options, TimePoint deadline);

  // The next envelope. Does not block; nullopt: none now, wait until fd() is readable. malformed:
  // an envelope cut short.
  Result<std::optional<StreamMessage>> try_read();

  // Queues a status update and sends what fits. Does not block; while the socket takes no more, a
  // later update replaces one that waits.
  Status send_status(const StatusUpdate& update);
  // Something waits for fd() to be writable: then call flush().
  bool wants_write() const { return wants_write_; }
  Status flush();

  int fd() const { return connection_.fd(); }
  int server_version() const { return connection_.server_version(); }

 private:
  explicit ReplicationStream(Connection connection) : connection_(std::move(connection)) {}
  Result<std::optional<StreamMessage>> end_stream();

  Connection connection_;
  bool streaming_ = false;
  bool ended_ = false;
  bool wants_write_ = false;
  std::optional<StatusUpdate> waiting_;
};

// The lines of a timeline's history file (xlogarchive: "parent<tab>switch point<tab>reason", # comments). Lines of
// another form are passed over. Pure.
std::vector<TimelineSwitch> parse_timeline_history(std::string_view file);

// A status update's bytes at `now_microseconds` since 2000-01-01.
Bytes encode_status(const StatusUpdate& update, int64_t now_microseconds);

// The envelope that `bytes` hold, all of them. Pure; `WalData::buffer` is empty, its payload a view
// into `bytes`.
Result<StreamMessage> decode_envelope(BytesView bytes);

}  // namespace cnx::postgres
