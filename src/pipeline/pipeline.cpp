#include "pipeline/pipeline.hpp"

#include <spdlog/spdlog.h>

#include "capture/logical/logical_stage.hpp"
#include "capture/logical/slot_connection.hpp"
#include "capture/snapshot/snapshot_stage.hpp"
#include "pipeline/graph_marks.hpp"
#include "pipeline/pass.hpp"
#include "pipeline/refetch.hpp"
#include "record/own_updates.hpp"

namespace cnx::pipeline {
namespace {

constexpr Duration kGroundMax = std::chrono::seconds(30);
// The slot's creation waits for every transaction that is running.
constexpr Duration kSlotMax = std::chrono::minutes(30);
// A walsender of ours that was killed is noticed by PostgreSQL within wal_sender_timeout.
constexpr Duration kSlotReleaseMax = std::chrono::minutes(2);
// `run --once` waits so long for another instance to end.
constexpr Duration kOwnerMax = std::chrono::seconds(30);
// The first half of the advisory lock's key, ours alone: "cnx" in ASCII.
constexpr int kLockClass = 0x636E78;

apply::Source source_of(const PipelineOptions& options, const postgres::SystemIdentity& system) {
  return {.system_identifier = std::to_string(system.system_identifier),
          .timeline = system.timeline,
          .database = system.database,
          .slot = options.slot(),
          .fingerprint = options.mapping.fingerprint};
}

capture::HeldPosition held_position(const apply::PositionNode& node) {
  return {.position = node.stored.lane.position,
          .system_identifier = node.source.system_identifier,
          .timeline = node.source.timeline,
          .database = node.source.database,
          .slot = node.source.slot};
}

// Waits, unless a stop is asked for meanwhile.
void pause(StopRequest& stop, Duration duration) {
  stop.waker.arm();
  if (!stop.asked) wait_for(stop.waker, stream::Step::wait_until(Clock::now() + duration));
  stop.waker.disarm();
}

class Run {
 public:
  Run(const PipelineOptions& options, const RunOptions& run_options, StopRequest& stop)
      : options_(options), run_options_(run_options), stop_(stop), backoff_(1, std::chrono::milliseconds(200)) {}

  // Until it was stopped, or is done: what a new attempt may cure is tried again.
  Status run() {
    for (int attempt = 1; !stop_.asked; ++attempt) {
      Status ended = this->attempt();
      if (ended) return {};
      if (stop_.asked) {
        spdlog::info("stopped: {}", ended.error().describe());
        return {};
      }
      if (ended.error().code() == apply::kEntityMissing) {
        Status read = read_again();
        if (read) continue;
        ended = std::move(read);
      }
      const bool enough = run_options_.once && attempt >= kOnceAttempts;
      if (enough || stream::retry_class(ended.error()) == stream::RetryClass::stop) return ended;
      Duration wait = backoff_.next();
      log_retry("starting again")(ended.error(), wait);
      pause(stop_, wait);
    }
    return {};
  }

 private:
  // Start-up as a story: nobody else is at it, what is there, does it fit together, copy what was there before, then
  // follow the changes.
  Status attempt() {
    CNX_TRY(own());
    if (stop_.asked) return {};
    CNX_TRY(look());
    if (wanted_ == change::Lsn()) wanted_ = ground_.system.wal_end;
    if (ground_.position->stored.lane.phase != apply::Phase::stream) {
      CNX_TRY(copy());
      if (stop_.asked) return {};
      CNX_TRY(look());
    }
    return follow();
  }

  // An advisory lock on PostgreSQL saves two instances from working against each other; that only one of them can write
  // is not its doing: the epoch in the graph guards.
  Status own() {
    TimePoint give_up = run_options_.once ? Clock::now() + kOwnerMax : kNever;
    owner_.reset();
    CNX_TRY(postgres::Session session, open_session(options_, Clock::now() + kGroundMax));
    for (bool said = false; !stop_.asked; said = true) {
      CNX_TRY(postgres::Rows rows, session.query("SELECT pg_catalog.pg_try_advisory_lock($1, pg_catalog.hashtext($2))",
                                                 {std::to_string(kLockClass), options_.name}, Clock::now() + kGroundMax));
      CNX_TRY(bool locked, rows.boolean(0, 0));
      if (locked) {
        owner_ = std::move(session);
        return {};
      }
      if (Clock::now() >= give_up) {
        return fail(Error(ErrorKind::state, "the pipeline is running already").with("pipeline", options_.name));
      }
      if (!said) spdlog::info("pipeline {} is running already; waiting to take over", options_.name);
      pause(stop_, std::chrono::milliseconds(500));
    }
    return {};
  }

  // The session that holds the lock also tells when PostgreSQL shuts down: it loses it then, at once, while a walsender
  // would be waited for until all that was sent is confirmed, which without Neo4j would be for ever. Losing the session
  // ends the pass, and with it the replication connection; a new start goes on from the position.
  Status still_own() {
    while (true) {
      CNX_TRY(std::optional<postgres::Notification> notification, owner_->try_read_notification());
      if (!notification) return {};
    }
  }

  Status look() {
    CNX_TRY(ground_, read_ground(options_, Clock::now() + kGroundMax));
    plan_.emplace(*ground_.catalog.model);
    return check_ground();
  }

  Status check_ground() {
    CNX_TRY(check_tables(ground_.catalog));
    CNX_TRY(check_publication(ground_.catalog, ground_.publication, options_.publication()));
    if (!ground_.position) {
      const bool bound = !ground_.bound_graph_identity.empty() && ground_.slot;
      return fail(Error(bound ? ErrorKind::state : ErrorKind::invalid, "the graph has no position for this pipeline")
                      .with("pipeline", options_.name)
                      .advise(bound ? "the graph was emptied or replaced: contextnexus drop, then init and run copy it anew"
                                    : "contextnexus init prepares both databases"));
    }
    if (!ground_.bound_graph_identity.empty() && ground_.bound_graph_identity != ground_.graph_identity) {
      return fail(Error(ErrorKind::state, "this is another graph than the one that the pipeline was made for")
                      .with("pipeline", options_.name)
                      .advise("connect to that graph again; or contextnexus drop, then init and run fill this one"));
    }
    if (ground_.position->stored.lane.phase == apply::Phase::initial) return {};
    if (ground_.position->source.fingerprint != options_.mapping.fingerprint) {
      return fail(Error(ErrorKind::state, "the graph was built with another mapping")
                      .advise("run with that mapping; or contextnexus drop --graph, then init and run build it with this one"));
    }
    if (ground_.position->stored.lane.phase == apply::Phase::snapshot) return {};
    return capture::check_source(held_position(*ground_.position), ground_.system, ground_.slot);
  }

  Status copy() {
    TimePoint deadline = Clock::now() + kGroundMax;
    CNX_TRY(bolt::Connection graph, open_graph(options_, deadline));
    CNX_TRY(make_constraints(graph, *ground_.catalog.model));
    apply::StoredPosition start;
    const std::string lane = apply::lane_key(options_.name);
    // First of all: an instance that is still copying writes no more.
    CNX_TRY(start, apply::raise_epoch(graph, lane, deadline));
    if (ground_.position->stored.lane.phase == apply::Phase::snapshot) {
      spdlog::info("a copy did not come to its end; it starts again from an empty graph");
      CNX_TRY(auto names, known_properties(ground_.catalog));
      CNX_TRY(clear_ours(graph, *ground_.catalog.model, names));
    } else {
      CNX_TRY(refuse_filled_graph(graph));
    }
    CNX_TRY(drop_old_slot());
    // The slot first; its exported snapshot lives as long as this connection stays idle.
    CNX_TRY(postgres::ReplicationStream exporter, postgres::ReplicationStream::open(options_.postgres, deadline));
    spdlog::info("making the slot {}; PostgreSQL waits for the transactions that are running now", options_.slot());
    CNX_TRY(postgres::CreatedSlot slot, exporter.create_slot({.name = options_.slot()}, Clock::now() + kSlotMax));

    capture::SnapshotOptions snapshot;
    snapshot.connection = options_.postgres;
    snapshot.connection.row_security_on = true;
    snapshot.snapshot_name = slot.snapshot_name;
    snapshot.consistent_point = slot.consistent_point;
    snapshot.tables = ground_.catalog.tables;
    deadline = Clock::now() + kGroundMax;
    apply::Source source = source_of(options_, ground_.system);
    CNX_TRY(apply::start_copy(graph, lane, source, slot.consistent_point, deadline));
    start.lane = {.position = {}, .phase = apply::Phase::snapshot, .partial = false};

    Pass pass(options_, *ground_.catalog.model, ground_.catalog.types, *plan_, start, stop_);
    capture::SnapshotCounters counters;
    capture::SnapshotStage stage(pass.events(), counters, std::move(snapshot));
    CNX_TRY(stage.open(deadline));
    spdlog::info("copying {} tables as of {}", ground_.catalog.tables.size(), slot.consistent_point.to_string());
    TimePoint started = Clock::now();
    CNX_TRY(pass.run(stage, run_options_, [&]() -> Result<bool> {
      CNX_TRY(still_own());
      return false;
    }));
    auto seconds = std::chrono::duration<double>(Clock::now() - started).count();
    spdlog::info("copied {} rows in {:.1f} s", counters.rows.load(), seconds);
    return {};
  }

  Status refuse_filled_graph(bolt::Connection& graph) {
    CNX_TRY(OursInGraph ours, count_ours(graph, *ground_.catalog.model));
    if (ours.nodes == 0) return {};
    return fail(Error(ErrorKind::state, "the graph already has nodes of the mapped labels, and this pipeline did not write them")
                    .with("nodes", std::to_string(ours.nodes))
                    .advise("contextnexus drop --graph removes them; nodes of other labels stay"));
  }

  Status drop_old_slot() {
    TimePoint deadline = Clock::now() + kSlotReleaseMax;
    CNX_TRY(postgres::Session session, open_session(options_, deadline));
    while (!stop_.asked) {
      CNX_TRY(std::optional<postgres::SlotState> slot, postgres::read_slot(session, options_.slot(), deadline));
      if (!slot) return {};
      if (slot->plugin != "pgoutput" || slot->database != ground_.server.database) {
        return fail(Error(ErrorKind::state, "a slot of the pipeline's name is there, and it is not ours")
                        .with("slot", slot->name)
                        .advise("choose another pipeline name, or drop that slot"));
      }
      Status dropped = postgres::drop_slot(session, options_.slot(), deadline);
      if (dropped) return {};
      if (stream::retry_class(dropped.error()) == stream::RetryClass::stop || Clock::now() >= deadline) return dropped;
      pause(stop_, std::chrono::milliseconds(200));
    }
    return {};
  }

  Status follow() {
    TimePoint deadline = Clock::now() + kGroundMax;
    CNX_TRY(capture::check_source(held_position(*ground_.position), ground_.system, ground_.slot));
    apply::StoredPosition start;
    {
      CNX_TRY(bolt::Connection graph, open_graph(options_, deadline));
      CNX_TRY(make_constraints(graph, *ground_.catalog.model));
      // What the graph held a moment ago is no start: a transaction of an instance that was killed may
      // have been done since.
      CNX_TRY(start, apply::raise_epoch(graph, apply::lane_key(options_.name), deadline));
    }
    CNX_TRY(std::vector<record::SyncTable> sync_tables, write_back_tables());
    std::erase_if(refetched_, [&](const apply::RefetchedRow& row) { return row.until <= start.lane.position.lsn; });
    Pass pass(options_, *ground_.catalog.model, ground_.catalog.types, *plan_, start, stop_, sync_tables, refetched_);
    capture::SlotConnection slot({.connection = options_.postgres,
                                  .source = held_position(*ground_.position),
                                  .publication = options_.publication()});
    capture::LogicalCounters counters;
    capture::LogicalOptions logical;
    logical.start = start.lane.position;
    if (run_options_.once) logical.wanted = wanted_;
    record::OwnUpdates own_updates(sync_tables);
    if (!sync_tables.empty()) {
      logical.passes_over = [&](const change::RowChange& row) { return own_updates.contains(row); };
    }
    capture::LogicalStage stage(slot, pass.events(), pass.acknowledgement(), counters, logical, log_retry("PostgreSQL"));
    spdlog::info("following {} from {}", options_.slot(), start.lane.position.to_string());
    const stream::Acknowledgement& acknowledgement = pass.acknowledgement();
    Status ran = pass.run(stage, run_options_, [&]() -> Result<bool> {
      CNX_TRY(still_own());
      return run_options_.once && acknowledgement.position() >= change::Position{wanted_, 0};
    });
    if (!ran) {
      lacking_ = pass.lacking();
      return ran;
    }
    spdlog::info("at {}: {} rows of {} transactions applied, {} updates refused as older than the graph",
                 acknowledgement.position().to_string(), pass.lane().rows.load(), pass.lane().transactions.load(),
                 pass.lane().refused.load());
    return {};
  }

  // The batch that failed wrote nothing: the next pass starts where it would have, led by the rows as they are now.
  Status read_again() {
    const TimePoint deadline = Clock::now() + kGroundMax;
    const std::vector<mapping::LackingRow> lacking = std::exchange(lacking_, {});
    CNX_TRY(bolt::Connection graph, open_graph(options_, deadline));
    CNX_TRY(std::optional<apply::PositionNode> position,
            apply::read_position(graph, apply::lane_key(options_.name), deadline));
    if (!position) return fail(ErrorKind::state, "the graph has no position for this pipeline any more");
    CNX_TRY(std::vector<apply::RefetchedRow> rows,
            refetch(options_, ground_.catalog, lacking, position->stored.lane.position, deadline));
    if (rows.empty()) {
      return fail(ErrorKind::state, "an UPDATE without all of its columns met an entity that the graph lacks, and then did not");
    }
    spdlog::info("read {} rows again whose nodes or relationships the graph lacked", rows.size());
    refetched_.insert(refetched_.end(), std::make_move_iterator(rows.begin()), std::make_move_iterator(rows.end()));
    return {};
  }

  Result<std::vector<record::SyncTable>> write_back_tables() {
    if (!run_options_.write_back) return std::vector<record::SyncTable>();
    CNX_TRY(std::vector<record::SyncTable> tables,
            record::find_sync_tables(*owner_, ground_.catalog.tables, *ground_.catalog.model, Clock::now() + kGroundMax));
    if (!tables.empty()) spdlog::info("write-back to the synchronisation columns of {} tables", tables.size());
    return tables;
  }

  // `run --once` is for scripts: it waits for a database that is starting, not for ever.
  static constexpr int kOnceAttempts = 10;

  const PipelineOptions& options_;
  const RunOptions& run_options_;
  StopRequest& stop_;
  stream::Backoff backoff_;
  std::optional<postgres::Session> owner_;
  Ground ground_;
  std::vector<mapping::LackingRow> lacking_;         // Of the pass that has ended.
  std::vector<apply::RefetchedRow> refetched_;  // Until the position is above what their reads had seen.
  std::optional<cypher::Plan> plan_;
  change::Lsn wanted_;
};

}  // namespace

Status run(const PipelineOptions& options, const RunOptions& run_options, StopRequest& stop) {
  return Run(options, run_options, stop).run();
}

}  // namespace cnx::pipeline
