// The making of the slot. PostgreSQL waits in it for every transaction that is open, of any database of the server, and for
// prepared ones; a person is told for whom, and may stop it.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "pipeline/pipeline.hpp"
#include "postgres/replication.hpp"

namespace cnx::pipeline {

// A transaction that has written something and is not over.
struct OpenTransaction {
  std::string gid;       // Of a prepared one; empty: a session's.
  int64_t pid = 0;       // 0: a prepared one, which has no session.
  std::string user;
  std::string application;
  std::string database;
  std::optional<int64_t> seconds;  // Since its begin, or since it was prepared; nullopt: not for this role's eyes.
  bool waited_for = false;         // It is the one that the slot is waiting for now.
};

// Those that the slot of this server process waits for, first; ten at most. Blocks until `deadline`; kinds as Session.
Result<std::vector<OpenTransaction>> read_open_transactions(postgres::Session& session, int32_t walsender_pid,
                                                            TimePoint deadline);

// "pid 12 (user app, application psql, database shop, open for 32 s); also open: prepared transaction 'x' (…)". Holds no
// text of a query. Pure.
std::string describe(const std::vector<OpenTransaction>& transactions);

// Makes the pipeline's slot on `stream` with an exported snapshot. Blocks until it is made, `options.slot_wait_max` has
// passed (ErrorKind::state, with who is in the way), or a stop is asked for (ErrorKind::unavailable, at once); in the last two cases
// nothing of the slot stays. The log says every few seconds for whom it waits.
Result<postgres::CreatedSlot> make_slot(postgres::ReplicationStream& stream, const PipelineOptions& options,
                                        StopRequest& stop);

// Ends the server process that is still making a slot for an engine that is gone: it would go on until every transaction
// that was open has ended, and hold the name so long. Leaves any other use of the slot alone.
Status end_unfinished_slot(postgres::Session& session, const std::string& slot, TimePoint deadline);

}  // namespace cnx::pipeline
