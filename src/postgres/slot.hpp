// Replication slots as SQL sees them. A slot is made on the replication connection
// (replication.hpp), since only there does it export a snapshot.
#pragma once

#include <optional>
#include <string>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "change/ids.hpp"
#include "postgres/session.hpp"

namespace cnx::postgres {

struct SlotState {
  std::string name;
  std::string plugin;
  std::string database;
  bool logical = true;
  bool temporary = false;
  bool active = false;
  std::optional<int64_t> active_pid;
  std::optional<change::Lsn> restart_lsn;      // nullopt when lost.
  std::optional<change::Lsn> confirmed_flush;  // Where the stream goes on; kept also when lost.
  std::string wal_status;                      // reserved, extended, unreserved, lost.
  std::string invalidation_reason;             // PostgreSQL 17 and later; else empty.
  std::optional<int64_t>
      safe_wal_bytes;  // What may be written before the slot is lost; nullopt: no limit.
  std::optional<int64_t> retained_wal_bytes;  // What it holds back.
  bool two_phase = false;
  bool failover = false;  // PostgreSQL 17 and later: standbys keep it in step.
  // Transactions that were decoded through it, by PostgreSQL's statistics: 0 for a slot that was just made, and also after a
  // crash, which empties them.
  int64_t decoded_transactions = 0;

  bool lost() const { return wal_status == "lost"; }
};

// nullopt: there is none of that name. Blocks until `deadline`; kinds as Session.
Result<std::optional<SlotState>> read_slot(Session& session, const std::string& name,
                                           TimePoint deadline);
// server 42704: there is none; 55006: somebody uses it.
Status drop_slot(Session& session, const std::string& name, TimePoint deadline);

}  // namespace cnx::postgres
