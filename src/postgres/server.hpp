// What the server, the database and our role are: `check` reads it before anything starts, capture
// at each connect (I9).
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "change/ids.hpp"
#include "postgres/session.hpp"

namespace cnx::postgres {

struct ServerInfo {
  int version = 0;  // server_version_num: 150018.
  std::string wal_level;
  std::string database;
  std::string encoding;
  std::string
      collation;  // The database's, where libc provides it ("C", "en_US.UTF-8"); else empty.
  std::optional<uint64_t>
      system_identifier;     // nullopt where the role may not ask; IDENTIFY_SYSTEM always tells.
  bool in_recovery = false;  // A standby.
  int64_t replication_slots_max = 0;
  int64_t replication_slots_used = 0;
  int64_t wal_senders_max = 0;
  std::chrono::milliseconds wal_sender_timeout{0};  // 0: never.
  std::optional<int64_t> slot_wal_keep_bytes_max;   // max_slot_wal_keep_size; nullopt: no limit.
  change::Lsn wal_end;  // pg_current_wal_insert_lsn, or what a standby has replayed.

  std::string role;
  bool role_superuser = false;
  bool role_replication = false;
  bool role_bypasses_row_security = false;
  bool role_may_create = false;  // CREATE on the database: a publication needs it.
};

// Blocks until `deadline`; kinds as Session.
Result<ServerInfo> read_server(Session& session, TimePoint deadline);

}  // namespace cnx::postgres
