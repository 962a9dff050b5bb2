#include "pipeline/copy.hpp"

#include <spdlog/spdlog.h>

#include <deque>
#include <map>
#include <mutex>
#include <set>

#include "apply/segments.hpp"
#include "capture/logical/source_check.hpp"
#include "pipeline/copy_plan.hpp"
#include "pipeline/copy_progress.hpp"
#include "pipeline/copy_worker.hpp"
#include "pipeline/graph_marks.hpp"
#include "pipeline/slot_wait.hpp"
#include "record/ledger.hpp"

namespace cnx::pipeline {
namespace {

constexpr Duration kStepMax = std::chrono::seconds(30);
// A walsender of ours that was killed is noticed by PostgreSQL within wal_sender_timeout.
constexpr Duration kSlotReleaseMax = std::chrono::minutes(2);
constexpr Duration kLookInterval = std::chrono::milliseconds(250);
// Stages of a worker, as it adds them.
constexpr size_t kWorkerStages = 3;

TimePoint soon() { return Clock::now() + kStepMax; }

// Segments that nobody has taken yet. Any thread.
class OpenSegments {
 public:
  void add(capture::SegmentTask task) { tasks_.push_back(std::move(task)); }
  size_t size() const { return tasks_.size(); }
  std::optional<capture::SegmentTask> take() {
    std::lock_guard lock(mutex_);
    if (tasks_.empty()) return std::nullopt;
    capture::SegmentTask task = std::move(tasks_.front());
    tasks_.pop_front();
    return task;
  }

 private:
  std::mutex mutex_;
  std::deque<capture::SegmentTask> tasks_;
};

class Copy {
 public:
  explicit Copy(CopyContext context)
      : context_(std::move(context)), options_(context_.options), ground_(context_.ground) {}

  // From the beginning, or from where it was; then in rounds, one snapshot each: a table that was rewritten while it was
  // read is left to the next.
  Status run() {
    CNX_TRY(bolt::Connection graph, open_graph(options_, soon()));
    graph_.emplace(std::move(graph));
    CNX_TRY(make_constraints(*graph_, *ground_.catalog.model));
    // First of all: an instance that is still copying writes no more.
    CNX_TRY(apply::StoredPosition start, apply::raise_epoch(*graph_, apply::lane_key(options_.name), soon()));
    owner_ = {.pipeline = options_.name, .epoch = start.epoch};
    CNX_TRY(apply::make_copy_lanes(*graph_, owner_, context_.run_options.copy_workers, soon()));
    CNX_TRY(bool goes_on, may_go_on());
    const TimePoint started = Clock::now();
    if (goes_on) {
      CNX_TRY(take_snapshot());
    } else {
      CNX_TRY(begin());
    }
    for (bool first = true; !ended_early(); first = false) {
      if (!first) {
        CNX_TRY(bool all, all_done());
        if (all) return end(started);
        spdlog::info("some tables were rewritten while they were read, and are read again");
        CNX_TRY(take_snapshot());
      }
      if (ended_early()) break;
      CNX_TRY(round());
    }
    return {};
  }

 private:
  bool ended_early() const { return context_.stop.asked || paused_; }

  // The copy in the graph belongs to the slot that is there, and nothing that follows it was lost.
  Result<bool> may_go_on() {
    if (ground_.position->stored.lane.phase != apply::Phase::snapshot) {
      CNX_TRY(refuse_filled_graph());
      return false;
    }
    CNX_TRY(segments_, apply::read_segments(*graph_, options_.name, soon()));
    consistent_point_ = ground_.position->consistent_point;
    const capture::HeldPosition held{.position = {consistent_point_, 0},
                                     .system_identifier = ground_.position->source.system_identifier,
                                     .timeline = ground_.position->source.timeline,
                                     .database = ground_.position->source.database,
                                     .slot = ground_.position->source.slot};
    Status fits = capture::check_source(held, ground_.system, ground_.slot);
    if (fits && covers_tables()) {
      spdlog::info("the copy goes on: {} rows are in the graph, {} of {} segments are done", rows_in_graph(),
                   done_segments(), segments_.size());
      return true;
    }
    spdlog::warn("a copy did not come to its end and cannot go on ({}); it starts again from an empty graph",
                 fits ? "it is of other tables" : fits.error().describe());
    CNX_TRY(auto names, known_properties(ground_.catalog));
    CNX_TRY(clear_ours(*graph_, *ground_.catalog.model, names));
    return false;
  }

  bool covers_tables() const {
    std::set<std::pair<std::string, std::string>> copied;
    for (const change::Segment& segment : segments_) copied.insert({segment.schema, segment.table});
    std::set<std::pair<std::string, std::string>> mapped;
    for (const postgres::Table& table : ground_.catalog.tables) mapped.insert({table.name.schema, table.name.name});
    return copied == mapped;
  }

  Status refuse_filled_graph() {
    CNX_TRY(OursInGraph ours, count_ours(*graph_, *ground_.catalog.model));
    if (ours.nodes == 0) return {};
    return fail(Error(ErrorKind::state, "the graph already has nodes of the mapped labels, and this pipeline did not write them")
                    .with("nodes", std::to_string(ours.nodes))
                    .advise("contextnexus drop --graph removes them; nodes of other labels stay"));
  }

  Status begin() {
    CNX_TRY(drop_old_slot());
    if (context_.stop.asked) return {};
    CNX_TRY(postgres::Session session, open_reader());
    CNX_TRY(TableFiles files, read_files(session));
    CNX_TRY(segments_, plan_segments(session, ground_.catalog.tables, *ground_.catalog.model, files, soon()));
    // The slot first; its exported snapshot lives as long as this connection stays idle.
    CNX_TRY(postgres::ReplicationStream exporter, postgres::ReplicationStream::open(options_.postgres, soon()));
    CNX_TRY(postgres::CreatedSlot slot, make_slot(exporter, options_, context_.stop));
    consistent_point_ = slot.consistent_point;
    snapshot_name_ = slot.snapshot_name;
    CNX_TRY(apply::start_copy(*graph_, owner_, source_of(options_, ground_.system), consistent_point_, segments_, soon()));
    CNX_TRY(record::mark_filled(context_.owner, options_.name, soon()));
    slot_exporter_.emplace(std::move(exporter));
    spdlog::info("copying {} tables as of {}", ground_.catalog.tables.size(), consistent_point_.to_string());
    return number_segments();
  }

  Status drop_old_slot() {
    TimePoint deadline = Clock::now() + kSlotReleaseMax;
    CNX_TRY(postgres::Session session, open_session(options_, deadline));
    while (!context_.stop.asked) {
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
      CNX_TRY(end_unfinished_slot(session, options_.slot(), deadline));
      pause(context_.stop, std::chrono::milliseconds(200));
    }
    return {};
  }

  // A session that may read the tables as the copy reads them.
  Result<postgres::Session> open_reader() {
    postgres::ConnectionOptions connection = options_.postgres;
    connection.row_security_on = true;
    return postgres::Session::open(connection, soon());
  }

  Result<TableFiles> read_files(postgres::Session& session) {
    TableFiles files;
    for (const postgres::Table& table : ground_.catalog.tables) {
      CNX_TRY(std::string read, capture::read_table_files(session, table.oid, soon()));
      files[{table.name.schema, table.name.name}] = std::move(read);
    }
    return files;
  }

  // A new snapshot for what is not copied yet. The tables' files are read before it is taken, and again after each segment.
  Status take_snapshot() {
    slot_exporter_.reset();
    exporter_.reset();
    CNX_TRY(postgres::Session session, open_reader());
    CNX_TRY(TableFiles files, read_files(session));
    CNX_TRY(session.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", soon()));
    CNX_TRY(postgres::Rows rows,
            session.query("SELECT pg_catalog.pg_export_snapshot(), pg_catalog.pg_current_snapshot()::text, "
                          "pg_catalog.pg_current_wal_insert_lsn()",
                          soon()));
    TakenSnapshot snapshot{.text = std::string(rows.text(0, 1)), .seen_until = {}};
    CNX_TRY(snapshot.seen_until, rows.lsn(0, 2));
    snapshot_name_ = std::string(rows.text(0, 0));
    exporter_.emplace(std::move(session));
    CNX_TRY(flush_log());
    CNX_TRY(segments_, apply::read_segments(*graph_, options_.name, soon()));
    segments_ = continue_segments(std::move(segments_), files, snapshot);
    CNX_TRY(apply::replace_segments(*graph_, owner_, segments_, soon()));
    CNX_TRY(number_segments());
    return clear_rewritten();
  }

  // What the snapshot sees may be of a transaction whose commit is not on disk yet, and a crash would lose it: with the
  // commit of this message all before it is. It also moves the log's end beyond `seen_until`, so that the position comes to
  // pass it in a quiet database too.
  Status flush_log() {
    CNX_TRY(postgres::Session session, open_session(options_, soon()));
    CNX_TRY(session.execute("SET synchronous_commit = local", soon()));
    CNX_TRY(session.query("SELECT pg_catalog.pg_logical_emit_message(true, 'contextnexus', 'snapshot')", soon()));
    return {};
  }

  // What was read of a table that starts over goes first: rows that are not there any more would stay.
  Status clear_rewritten() {
    std::set<std::pair<std::string, std::string>> tables;
    for (change::Segment& segment : segments_) {
      if (segment.dirty) tables.insert({segment.schema, segment.table});
      segment.dirty = false;
    }
    if (tables.empty()) return {};
    CNX_TRY(auto names, known_properties(ground_.catalog));
    for (const auto& [schema, name] : tables) {
      spdlog::info("{}.{} is copied anew", schema, name);
      CNX_TRY(clear_table(*graph_, *ground_.catalog.model, names, {schema, name}, owner_));
    }
    CNX_TRY(apply::replace_segments(*graph_, owner_, segments_, soon()));
    return number_segments();
  }

  // With the names that their nodes have now.
  Status number_segments() {
    CNX_TRY(segments_, apply::read_segments(*graph_, options_.name, soon()));
    return {};
  }

  size_t done_segments() const {
    size_t done = 0;
    for (const change::Segment& segment : segments_) done += segment.done ? 1 : 0;
    return done;
  }

  uint64_t rows_in_graph() const {
    uint64_t rows = 0;
    for (const change::Segment& segment : segments_) rows += segment.rows;
    return rows;
  }

  Result<bool> all_done() {
    CNX_TRY(segments_, apply::read_segments(*graph_, options_.name, soon()));
    return done_segments() == segments_.size();
  }

  const postgres::Table* table_of(const change::Segment& segment) const {
    for (const postgres::Table& table : ground_.catalog.tables) {
      if (table.name.schema == segment.schema && table.name.name == segment.table) return &table;
    }
    return nullptr;
  }

  Status round() {
    OpenSegments open;
    for (const change::Segment& segment : segments_) {
      if (!segment.done) open.add({segment, table_of(segment)});
    }
    const size_t workers = std::min(context_.run_options.copy_workers, std::max<size_t>(open.size(), 1));
    // Lanes begin where a new round's workers do: at nothing.
    CNX_TRY(apply::make_copy_lanes(*graph_, owner_, workers, soon()));
    std::vector<std::unique_ptr<CopyWorker>> all;
    for (size_t i = 0; i < workers; ++i) {
      CNX_TRY(std::unique_ptr<CopyWorker> worker,
              CopyWorker::make({.pipeline = options_,
                                .tables = ground_.catalog.tables,
                                .types = ground_.catalog.types,
                                .number = i,
                                .epoch = owner_.epoch,
                                .snapshot_name = snapshot_name_,
                                .next = [&open] { return open.take(); }},
                               soon()));
      all.push_back(std::move(worker));
    }
    return run_workers(all, open);
  }

  Status run_workers(std::vector<std::unique_ptr<CopyWorker>>& workers, const OpenSegments& open) {
    Runner runner(context_.stop.waker);
    for (auto& worker : workers) worker->add_to(runner);
    CopyProgress progress(standard_error_is_a_terminal(), Clock::now());
    const TimePoint started = Clock::now();
    const uint64_t before = rows_in_graph();
    auto abandon = [&](const Error& error) {
      for (auto& worker : workers) worker->abandon(error);
    };
    runner.start();
    TimePoint give_up = kNever;
    while (!runner.all_ended()) {
      context_.stop.waker.arm();
      if (std::optional<Error> failure = runner.failure()) abandon(*failure);
      if (give_up == kNever) {
        Result<bool> paused = context_.paused_or_lost();
        if (!paused) abandon(paused.error());
        paused_ = paused && *paused;
        if (ended_early()) {
          give_up = Clock::now() + context_.run_options.drain_max;
          for (size_t i = 0; i < workers.size(); ++i) runner.stop(i * kWorkerStages);
        }
      }
      if (Clock::now() >= give_up) {
        abandon(Error(ErrorKind::timeout, "what was under way did not end in time; the next start goes on from the segments"));
      }
      progress.show(figures(workers, open, before, started), Clock::now());
      if (!runner.all_ended()) {
        wait_for(context_.stop.waker, stream::Step::wait_until(std::min(give_up, Clock::now() + kLookInterval)));
      }
      context_.stop.waker.disarm();
    }
    progress.end();
    runner.join();
    copied_ += figures(workers, open, 0, started).rows;
    if (std::optional<Error> failure = runner.failure()) return fail(std::move(*failure));
    return {};
  }

  CopyFigures figures(const std::vector<std::unique_ptr<CopyWorker>>& workers, const OpenSegments& open, uint64_t before,
                      TimePoint started) const {
    uint64_t rows = 0;
    for (const auto& worker : workers) rows += worker->rows();
    CopyFigures figures{.rows = before + rows, .segments = segments_.size()};
    for (const change::Segment& segment : segments_) figures.estimate += segment.estimate;
    // Those that are being read count as not done.
    figures.segments_done = segments_.size() - std::min(open.size() + workers.size(), segments_.size());
    const double seconds = std::chrono::duration<double>(Clock::now() - started).count();
    if (seconds > 0) figures.rows_per_second = static_cast<double>(rows) / seconds;
    return figures;
  }

  Status end(TimePoint started) {
    CNX_TRY(apply::end_copy(*graph_, owner_, consistent_point_, soon()));
    const double seconds = std::chrono::duration<double>(Clock::now() - started).count();
    spdlog::info("copied {} rows in {:.1f} s, {} with what was copied before", copied_, seconds, rows_in_graph());
    return {};
  }

  CopyContext context_;
  const PipelineOptions& options_;
  Ground& ground_;
  std::optional<bolt::Connection> graph_;
  apply::CopyOwner owner_;
  std::vector<change::Segment> segments_;
  change::Lsn consistent_point_;
  std::string snapshot_name_;
  // One of them holds the snapshot.
  std::optional<postgres::ReplicationStream> slot_exporter_;
  std::optional<postgres::Session> exporter_;
  uint64_t copied_ = 0;  // By this process.
  bool paused_ = false;
};

}  // namespace

apply::Source source_of(const PipelineOptions& options, const postgres::SystemIdentity& system) {
  return {.system_identifier = std::to_string(system.system_identifier),
          .timeline = system.timeline,
          .database = system.database,
          .slot = options.slot(),
          .fingerprint = options.mapping.fingerprint};
}

void pause(StopRequest& stop, Duration duration) {
  stop.waker.arm();
  if (!stop.asked) wait_for(stop.waker, stream::Step::wait_until(Clock::now() + duration));
  stop.waker.disarm();
}

Status copy_tables(CopyContext context) { return Copy(std::move(context)).run(); }

}  // namespace cnx::pipeline
