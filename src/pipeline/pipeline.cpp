#include "pipeline/pipeline.hpp"

#include <spdlog/spdlog.h>

#include "apply/segments.hpp"
#include "capture/logical/logical_stage.hpp"
#include "capture/logical/slot_connection.hpp"
#include "capture/snapshot/snapshot_stage.hpp"
#include "pipeline/clean.hpp"
#include "pipeline/copy.hpp"
#include "pipeline/graph_marks.hpp"
#include "pipeline/pass.hpp"
#include "pipeline/pause.hpp"
#include "pipeline/refetches.hpp"
#include "pipeline/resync.hpp"
#include "pipeline/slot_wait.hpp"
#include "pipeline/table_shape.hpp"
#include "record/ledger.hpp"
#include "record/own_updates.hpp"

namespace cnx::pipeline {
namespace {

constexpr Duration kGroundMax = std::chrono::seconds(30);
// `run --once` waits so long for another instance to end.
constexpr Duration kOwnerMax = std::chrono::seconds(30);
// The catalog is looked at so often.
constexpr Duration kCatalogLook = std::chrono::seconds(2);
// A paused pipeline looks so often whether it was resumed.
constexpr Duration kPauseLook = std::chrono::milliseconds(500);

capture::HeldPosition held_position(const apply::PositionNode& node) {
  return {.position = node.stored.lane.position,
          .system_identifier = node.source.system_identifier,
          .timeline = node.source.timeline,
          .database = node.source.database,
          .slot = node.source.slot};
}

class Run {
 public:
  Run(const PipelineOptions& options, const RunOptions& run_options, StopRequest& stop)
      : options_(options), run_options_(run_options), stop_(stop), backoff_(1, std::chrono::milliseconds(200)), refetches_(options) {}

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
      if (ended.error().code() == apply::kTableChanged) continue;
      const bool enough = run_options_.once && attempt >= kOnceAttempts;
      // A secret is being changed: on the server first, and then where it is read.
      const bool rotated = was_let_in_ && stream::is_login_refused(ended.error());
      if (enough || (stream::retry_class(ended.error()) == stream::RetryClass::stop && !rotated)) return ended;
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
    while (!stop_.asked) {
      CNX_TRY(wait_while_paused());
      if (stop_.asked) return {};
      Status ended = work();
      if (!ended || !pause_->state().paused()) return ended;
    }
    return {};
  }

  // Until it was stopped, is done, or was paused.
  Status work() {
    while (true) {
      CNX_TRY(look());
      if (wanted_ == change::Lsn()) wanted_ = ground_.system.wal_end;
      CopyContext context = copy_context();
      if (ground_.position->stored.lane.phase != apply::Phase::stream) {
        CNX_TRY(copy_tables(context));
        if (ended_early()) return {};
        CNX_TRY(look());
      }
      const TimePoint began = Clock::now();
      Result<ResyncTurn> turn = resync_tables(context, resync_, told_);
      turn_took_ = Clock::now() - began;
      forget_begun_anew();
      CNX_TRY(turn_, std::move(turn));
      if (turn_ == ResyncTurn::stopped || ended_early()) return {};
      CNX_TRY(look_again_, clean(context, ground_.position->stored.lane.position.lsn));
      if (look_again_) continue;
      CNX_TRY(change::Position reached, follow());
      if (ended_early()) return {};
      CNX_TRY(bool again, clean(context, reached.lsn));
      look_again_ = look_again_ || again;
      if (turn_ == ResyncTurn::done && !look_again_) return {};
    }
  }

  Result<bool> clean(CopyContext& context, change::Lsn reached) {
    CNX_TRY(bool may, may_clean(reached));
    if (!may) return false;
    Result<bool> again = clean_tables(context, resync_, reached);
    forget_begun_anew();
    return again;
  }

  // A row that is in the graph already and not visible yet would be taken for one that went.
  Result<bool> may_clean(change::Lsn reached) {
    if (!is_due(ground_.plan.states, reached)) return false;
    return shows_all(resync_, told_, *owner_, Clock::now() + kGroundMax);
  }

  // A row of them that was read before is older than what is copied.
  void forget_begun_anew() {
    for (const postgres::TableName& name : resync_.begun_anew) refetches_.forget(name);
  }

  // Between two turns of a copy: until the stream has caught up with what there was, or has had as long as the copy. A copy that
  // waits for others leaves it all of that time.
  bool turn_is_over(change::Lsn reached, TimePoint began) const {
    if (turn_ == ResyncTurn::done) return false;
    return (turn_ == ResyncTurn::more && reached >= ground_.system.wal_end) ||
           Clock::now() >= began + std::max(run_options_.copy_turn, turn_took_);
  }

  bool ended_early() const { return stop_.asked || pause_->state().paused(); }

  // An advisory lock on PostgreSQL saves two instances from working against each other; that only one of them can write
  // is not its doing: the epoch in the graph guards.
  Status own() {
    TimePoint give_up = run_options_.once ? Clock::now() + kOwnerMax : kNever;
    pause_.reset();
    owner_.reset();
    CNX_TRY(postgres::Session session, open_session(options_, Clock::now() + kGroundMax));
    for (bool said = false; !stop_.asked; said = true) {
      CNX_TRY(postgres::Rows rows, session.query("SELECT pg_catalog.pg_try_advisory_lock($1, pg_catalog.hashtext($2))",
                                                 {std::to_string(kOwnerLockClass), options_.name}, Clock::now() + kGroundMax));
      CNX_TRY(bool locked, rows.boolean(0, 0));
      if (locked) {
        owner_ = std::move(session);
        // What another process was told of may not be visible yet.
        resync_ = {};
        CNX_TRY(resync_.writers_until, next_transaction(*owner_, Clock::now() + kGroundMax));
        pause_.emplace(*owner_, options_.name);
        return pause_->listen();
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
  // ends the pass, and with it the replication connection; a new start goes on from the position. True: the pipeline was
  // paused, and what is under way is to be finished.
  Result<bool> paused_or_lost() { return pause_->paused(); }

  // The lock is kept, and PostgreSQL its log; nothing else is.
  Status wait_while_paused() {
    CNX_TRY(bool paused, paused_or_lost());
    if (!paused) return {};
    if (run_options_.once) {
      return fail(Error(ErrorKind::state, "the pipeline is paused").with("since", pause_->state().paused_at)
                      .advise("contextnexus resume lets it go on"));
    }
    spdlog::warn("paused since {} by {}: nothing is read or applied, and PostgreSQL keeps its log until contextnexus resume",
                 pause_->state().paused_at, pause_->state().paused_by);
    while (!stop_.asked) {
      CNX_TRY(paused, paused_or_lost());
      if (!paused) {
        spdlog::info("resumed");
        return {};
      }
      pause(stop_, kPauseLook);
    }
    return {};
  }

  // For `status`, in the name of the session that holds the lock: what a walsender reports is shown to few roles, and this
  // writes no log, which a row would, so that the two would chase each other. Once a second at most.
  Status say_in_step(change::Lsn lsn) {
    const TimePoint now = Clock::now();
    if (lsn == said_in_step_ || now < said_at_ + std::chrono::seconds(1)) return {};
    said_in_step_ = lsn;
    said_at_ = now;
    return owner_->execute("SET application_name = 'contextnexus in step with " + lsn.to_string() + "'", now + kGroundMax);
  }

  Status look() {
    CNX_TRY(ground_, read_ground(options_, Clock::now() + kGroundMax));
    was_let_in_ = true;
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
    // Of a copy that is not done the mapping stays; later what differs is synced anew.
    if (ground_.position->stored.lane.phase == apply::Phase::snapshot &&
        ground_.position->source.fingerprint != options_.mapping.fingerprint) {
      return fail(Error(ErrorKind::state, "the graph was built with another mapping")
                      .advise("run with that mapping; or contextnexus drop --graph, then init and run build it with this one"));
    }
    if (ground_.position->stored.lane.phase == apply::Phase::snapshot) return {};
    return capture::check_source(held_position(*ground_.position), ground_.system, ground_.slot);
  }

  CopyContext copy_context() {
    return {.options = options_,
            .run_options = run_options_,
            .stop = stop_,
            .ground = ground_,
            .owner = *owner_,
            .paused_or_lost = [this] { return paused_or_lost(); }};
  }

  // Whether a relation message describes its table as the catalog did when this pass began, or is an older one that was
  // looked into.
  bool expects(const change::Relation& relation) const {
    for (const postgres::Table& table : ground_.catalog.tables) {
      if (table.name.schema == relation.schema && table.name.name == relation.name) {
        const std::string described = change::describe(relation);
        return described == change::describe(*capture::relation_of(table)) || accepted_.contains(described);
      }
    }
    return true;
  }

  // Once in two seconds at most. What changed in the catalog without a message is found here.
  Result<bool> catalog_changed() {
    const TimePoint now = Clock::now();
    if (now < looked_at_ + kCatalogLook) return false;
    looked_at_ = now;
    const std::vector<postgres::TableName> names = options_.mapping.table_names();
    CNX_TRY(std::string mark, read_catalog_mark(*owner_, names, options_.publication(), now + kGroundMax));
    // So that only those are remembered that are not visible yet.
    if (Result<bool> seen = are_seen(told_, *owner_, now + kGroundMax); !seen) return fail(std::move(seen.error()));
    return mark != ground_.catalog_mark;
  }

  // Until it was stopped, is done, was paused, or something has to be looked into: where the graph stands then.
  Result<change::Position> follow() {
    TimePoint deadline = Clock::now() + kGroundMax;
    CNX_TRY(capture::check_source(held_position(*ground_.position), ground_.system, ground_.slot));
    apply::StoredPosition start;
    std::vector<change::Segment> segments;
    {
      CNX_TRY(bolt::Connection graph, open_graph(options_, deadline));
      CNX_TRY(make_constraints(graph, *ground_.catalog.model));
      // What the graph held a moment ago is no start: a transaction of an instance that was killed may
      // have been done since.
      CNX_TRY(start, apply::raise_epoch(graph, apply::lane_key(options_.name), deadline));
      CNX_TRY(segments, apply::read_segments(graph, options_.name, deadline));
    }
    CNX_TRY(capture::CopiedRows copied, capture::CopiedRows::make(segments));
    bool consistent = segments.empty();
    CNX_TRY(std::vector<record::SyncTable> sync_tables, write_back_tables());
    refetches_.forget_until(start.lane.position.lsn);
    Pass pass(options_, *ground_.catalog.model, ground_.catalog.types, *plan_, start, stop_,
              {.sync_tables = sync_tables,
               .refetched = refetches_.rows(),
               .held = ground_.catalog.held,
               .expects = [this](const change::Relation& relation) { return expects(relation); }});
    capture::SlotConnection slot({.connection = options_.postgres,
                                  .source = held_position(*ground_.position),
                                  .publication = options_.publication()});
    capture::LogicalCounters counters;
    capture::LogicalOptions logical = options_.logical;
    logical.start = start.lane.position;
    // Until the position has passed what the copy saw, the graph is not consistent: somebody waits for that.
    logical.wanted = consistent ? change::Lsn() : copied.open() ? ground_.system.wal_end : copied.seen_until();
    if (run_options_.once) logical.wanted = std::max(wanted_, logical.wanted);
    logical.wanted = std::max(logical.wanted, due_until(ground_.plan.states));
    logical.copied = &copied;
    logical.told = &told_;
    record::OwnUpdates own_updates(sync_tables, record::origin_name(options_.name));
    if (!sync_tables.empty()) {
      logical.passes_over = [&](const change::RowChange& row, std::string_view origin) {
        return own_updates.contains(row, origin);
      };
    }
    const TimePoint began = Clock::now();
    capture::LogicalStage stage(slot, pass.events(), pass.acknowledgement(), counters, logical, log_retry("PostgreSQL"));
    // Of each of a copy's turns nobody wants to read.
    const auto level = turn_ == ResyncTurn::done ? spdlog::level::info : spdlog::level::debug;
    spdlog::log(level, "following {} from {}", options_.slot(), start.lane.position.to_string());
    const stream::Acknowledgement& acknowledgement = pass.acknowledgement();
    Status ran = pass.run(stage, run_options_, [&]() -> Result<bool> {
      CNX_TRY(bool paused, paused_or_lost());
      CNX_TRY(say_in_step(change::Lsn(counters.in_step)));
      if (!consistent && turn_ == ResyncTurn::done && acknowledgement.position() >= change::Position{copied.seen_until(), 0}) {
        CNX_TRY(forget_copy(start.epoch));
        consistent = true;
      }
      CNX_TRY(bool changed, catalog_changed());
      const change::Position reached = acknowledgement.position();
      CNX_TRY(bool cleans, may_clean(reached.lsn));
      look_again_ = look_again_ || changed || cleans;
      if (paused || look_again_ || turn_is_over(reached.lsn, began)) return true;
      const bool all = turn_ == ResyncTurn::done && reached >= change::Position{logical.wanted, 0};
      return run_options_.once && all && !is_due(ground_.plan.states, reached.lsn);
    });
    if (!ran) {
      lacking_ = pass.lacking();
      if (pass.unexpected()) accepted_.insert(change::describe(*pass.unexpected()));
      return fail(std::move(ran.error()));
    }
    spdlog::log(level, "at {}: {} rows of {} transactions applied, {} updates refused as older than the graph",
                 acknowledgement.position().to_string(), pass.lane().rows.load(), pass.lane().transactions.load(),
                 pass.lane().refused.load());
    return acknowledgement.position();
  }

  // Every change that a copied row showed is behind the position: nothing is held against the segments any more.
  // Only the owner may say so: another instance may be copying anew.
  Status forget_copy(int64_t epoch) {
    const TimePoint deadline = Clock::now() + kGroundMax;
    CNX_TRY(bolt::Connection graph, open_graph(options_, deadline));
    CNX_TRY(apply::replace_segments(graph, {.pipeline = options_.name, .epoch = epoch}, {}, deadline));
    spdlog::info("the graph is consistent: all that the copy saw is behind the position");
    return {};
  }

  Status read_again() {
    CNX_TRY(wait_until_told_is_seen());
    return refetches_.read(ground_.catalog, std::exchange(lacking_, {}));
  }

  // A row that is read before a transaction is visible which the graph shows already would be older than the graph.
  Status wait_until_told_is_seen() {
    constexpr int kLooks = 100;
    for (int look = 0; look < kLooks && !stop_.asked; ++look) {
      if (look > 0) pause(stop_, std::chrono::milliseconds(20));
      CNX_TRY(bool seen, are_seen(told_, *owner_, Clock::now() + kGroundMax));
      if (seen) return {};
    }
    return fail(Error(ErrorKind::unavailable, "a transaction that the stream has told of is not visible yet")
                    .advise("it waits for a synchronous standby, perhaps (pg_stat_activity: wait_event SyncRep)"));
  }

  Result<std::vector<record::SyncTable>> write_back_tables() {
    if (!run_options_.write_back) return std::vector<record::SyncTable>();
    std::vector<postgres::Table> followed;
    for (const postgres::Table* table : ground_.catalog.followed()) followed.push_back(*table);
    CNX_TRY(record::SyncTables found,
            record::find_sync_tables(*owner_, followed, *ground_.catalog.model, Clock::now() + kGroundMax));
    for (const record::LeftOut& table : found.left_out) {
      spdlog::warn("no write-back to table {}: {}; {}", postgres::to_string(table.name), table.reason, table.cure);
    }
    if (!found.tables.empty()) spdlog::info("write-back to the synchronisation columns of {} tables", found.tables.size());
    return std::move(found.tables);
  }

  // `run --once` is for scripts: it waits for a database that is starting, not for ever.
  static constexpr int kOnceAttempts = 10;

  const PipelineOptions& options_;
  const RunOptions& run_options_;
  StopRequest& stop_;
  stream::Backoff backoff_;
  std::optional<postgres::Session> owner_;
  std::optional<PauseWatch> pause_;  // On that session.
  Ground ground_;
  std::vector<mapping::LackingRow> lacking_;         // Of the pass that has ended.
  Refetches refetches_;
  // What the catalog said of a table before this pass began, met in the stream.
  std::set<std::string> accepted_;
  bool look_again_ = false;
  bool was_let_in_ = false;  // By both servers, since the process began.
  ResyncProgress resync_;
  capture::ToldTransactions told_;  // By the stream, to this process.
  ResyncTurn turn_ = ResyncTurn::done;
  Duration turn_took_{};
  TimePoint looked_at_ = TimePoint::min() + std::chrono::hours(1);
  std::optional<cypher::Plan> plan_;
  change::Lsn wanted_;
  change::Lsn said_in_step_;
  TimePoint said_at_ = TimePoint::min() + std::chrono::hours(1);
};

}  // namespace

Status run(const PipelineOptions& options, const RunOptions& run_options, StopRequest& stop) {
  return Run(options, run_options, stop).run();
}

}  // namespace cnx::pipeline
