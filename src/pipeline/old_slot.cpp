#include "pipeline/old_slot.hpp"

#include "pipeline/copy.hpp"
#include "pipeline/ground.hpp"
#include "pipeline/lease.hpp"
#include "pipeline/slot_wait.hpp"
#include "stream/retry_class.hpp"

namespace cnx::pipeline {
namespace {

// A walsender of another role's that was killed is noticed by PostgreSQL within wal_sender_timeout.
constexpr Duration kSlotReleaseMax = std::chrono::minutes(2);
constexpr Duration kLook = std::chrono::milliseconds(200);

// An instance that was away meanwhile must not drop the slot of the one that took over.
Status drop_as_owner(postgres::Session& session, const PipelineOptions& options, int32_t lease_pid, TimePoint deadline) {
  CNX_TRY(postgres::Rows rows,
          session.query("SELECT pg_catalog.pg_drop_replication_slot($1) WHERE " + holds_lock_sql("$2", "$3"),
                        {options.slot(), options.name, std::to_string(lease_pid)}, deadline));
  if (!rows.empty()) return {};
  return fail(Error(ErrorKind::state, "another instance has taken over this pipeline").advise("stop one of the two"));
}

}  // namespace

Status drop_old_slot(const PipelineOptions& options, int32_t lease_pid, StopRequest& stop) {
  const TimePoint deadline = Clock::now() + kSlotReleaseMax;
  CNX_TRY(postgres::Session session, open_session(options, deadline));
  CNX_TRY(postgres::ServerInfo server, postgres::read_server(session, deadline));
  while (!stop.asked) {
    CNX_TRY(std::optional<postgres::SlotState> slot, postgres::read_slot(session, options.slot(), deadline));
    if (!slot) return {};
    if (slot->plugin != "pgoutput" || slot->database != server.database) {
      return fail(Error(ErrorKind::state, "a slot of the pipeline's name is there, and it is not ours")
                      .with("slot", slot->name)
                      .advise("choose another pipeline name, or drop that slot"));
    }
    Status dropped = drop_as_owner(session, options, lease_pid, deadline);
    if (dropped) return {};
    if (stream::retry_class(dropped.error()) == stream::RetryClass::stop || Clock::now() >= deadline) return dropped;
    CNX_TRY(end_unfinished_slot(session, options.slot(), deadline));
    CNX_TRY(end_former_reader(session, options, lease_pid, deadline));
    pause(stop, kLook);
  }
  return {};
}

}  // namespace cnx::pipeline
