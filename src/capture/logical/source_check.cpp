#include "capture/logical/source_check.hpp"

namespace cnx::capture {
namespace {

constexpr const char* kCopyAnew =
    "contextnexus drop --graph, then contextnexus init and run copy the tables anew; or bring the "
    "right database back";

Error state(std::string message) {
  return Error(ErrorKind::state, std::move(message));
}

Status check_slot(const HeldPosition& held, const postgres::SlotState& slot) {
  if (!slot.logical || slot.plugin != "pgoutput" || slot.database != held.database) {
    return fail(state("the slot of that name is not the one that this pipeline made")
                    .with("slot", slot.name)
                    .with("plugin", slot.plugin)
                    .with("database", slot.database)
                    .advise("drop that slot or choose another pipeline name"));
  }
  if (slot.lost()) {
    return fail(
        state("the slot is lost: PostgreSQL removed log that it needed (max_slot_wal_keep_size)")
            .with("slot", slot.name)
            .with("position", held.position.to_string())
            .advise(kCopyAnew));
  }
  if (slot.confirmed_flush && held.position.lsn < *slot.confirmed_flush) {
    return fail(state("the graph is behind the slot: changes in between would be missing")
                    .with("graph", held.position.to_string())
                    .with("confirmed", slot.confirmed_flush->to_string())
                    .advise("the graph was restored from a backup, or the slot was advanced or "
                            "made again. Restore a graph "
                            "that is at or beyond the confirmed position, or copy anew: "
                            "contextnexus drop --graph, init, run"));
  }
  return {};
}

}  // namespace

Status check_source(const HeldPosition& held, const postgres::SystemIdentity& system,
                    const std::optional<postgres::SlotState>& slot) {
  if (std::to_string(system.system_identifier) != held.system_identifier) {
    return fail(state("the graph was filled from another PostgreSQL cluster")
                    .with("graph", held.system_identifier)
                    .with("postgresql", std::to_string(system.system_identifier))
                    .advise(kCopyAnew));
  }
  if (system.database != held.database) {
    return fail(state("the graph was filled from another database of this cluster")
                    .with("graph", held.database)
                    .with("postgresql", system.database)
                    .advise("connect to that database, or use another pipeline name"));
  }
  if (static_cast<int64_t>(system.timeline) != held.timeline) {
    return fail(state("PostgreSQL is on another timeline: it failed over or was restored since the "
                      "graph was written")
                    .with("graph", std::to_string(held.timeline))
                    .with("postgresql", std::to_string(system.timeline))
                    .advise(kCopyAnew));
  }
  if (held.position.lsn > system.wal_end) {
    return fail(state("the graph is beyond the end of PostgreSQL's log: PostgreSQL was restored or "
                      "lost its end")
                    .with("graph", held.position.to_string())
                    .with("postgresql", system.wal_end.to_string())
                    .advise(kCopyAnew));
  }
  if (!slot) {
    return fail(state("the replication slot of this pipeline is gone")
                    .with("slot", held.slot)
                    .with("position", held.position.to_string())
                    .advise("changes since the position cannot be read any more. contextnexus drop "
                            "--graph, then init and run, copy "
                            "the tables anew"));
  }
  return check_slot(held, *slot);
}

}  // namespace cnx::capture
