#include "pipeline/copy_rounds.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <deque>
#include <mutex>

#include "base/failpoint.hpp"
#include "pipeline/copy_worker.hpp"
#include "pipeline/graph_form.hpp"
#include "pipeline/graph_marks.hpp"
#include "telemetry/log.hpp"

namespace cnx::pipeline {
namespace {

constexpr Duration kStepMax = std::chrono::seconds(30);
constexpr Duration kLookInterval = std::chrono::milliseconds(250);
// Stages of a worker, as it adds them.
constexpr size_t kWorkerStages = 3;

TimePoint soon() { return Clock::now() + kStepMax; }

}  // namespace

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

Result<postgres::Session> open_reader(const PipelineOptions& options) {
  postgres::ConnectionOptions connection = options.postgres;
  connection.row_security_on = true;
  return postgres::Session::open(connection, soon());
}

Result<TableFiles> read_files(postgres::Session& session, const std::vector<const postgres::Table*>& tables) {
  TableFiles files;
  for (const postgres::Table* table : tables) {
    CNX_TRY(std::string read, capture::read_table_files(session, table->oid, soon()));
    files[{table->name.schema, table->name.name}] = std::move(read);
  }
  return files;
}

Status flush_log(const PipelineOptions& options) {
  CNX_TRY(postgres::Session session, open_session(options, soon()));
  CNX_TRY(session.execute("SET synchronous_commit = local", soon()));
  CNX_TRY(session.query("SELECT pg_catalog.pg_logical_emit_message(true, 'contextnexus', 'snapshot')", soon()));
  return {};
}

void CopyRounds::use_slot_snapshot(std::string name, postgres::ReplicationStream exporter) {
  snapshot_name_ = std::move(name);
  slot_exporter_.emplace(std::move(exporter));
}

// The tables' files are read before it is taken, and again after each segment.
Status CopyRounds::take_snapshot() {
  slot_exporter_.reset();
  exporter_.reset();
  CNX_TRY(postgres::Session session, open_reader(context_.options));
  CNX_TRY(files_, read_files(session, context_.ground.catalog.followed()));
  CNX_TRY(session.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", soon()));
  CNX_TRY(postgres::Rows rows,
          session.query("SELECT pg_catalog.pg_export_snapshot(), pg_catalog.pg_current_snapshot()::text, "
                        "pg_catalog.pg_current_wal_insert_lsn()",
                        soon()));
  TakenSnapshot snapshot{.text = std::string(rows.text(0, 1)), .seen_until = {}};
  CNX_TRY(snapshot.seen_until, rows.lsn(0, 2));
  seen_until_ = snapshot.seen_until;
  snapshot_name_ = std::string(rows.text(0, 0));
  exporter_.emplace(std::move(session));
  CNX_TRY(flush_log(context_.options));
  CNX_TRY(read_segments());
  auto others = std::stable_partition(segments_.begin(), segments_.end(),
                                      [this](const change::Segment& segment) { return is_ours(segment); });
  std::vector<change::Segment> kept(std::make_move_iterator(others), std::make_move_iterator(segments_.end()));
  segments_.erase(others, segments_.end());
  start_beside();
  reach("copy_snapshot_taken");
  segments_ = continue_segments(std::move(segments_), files_, snapshot);
  segments_.insert(segments_.end(), std::make_move_iterator(kept.begin()), std::make_move_iterator(kept.end()));
  CNX_TRY(apply::replace_segments(graph_, options_.owner, segments_, soon()));
  reach("copy_segments_written");
  CNX_TRY(read_segments());
  return clear_rewritten();
}

// What is cleared of a table that starts over may be another's of the same label: that one starts over with it.
void CopyRounds::start_beside() {
  if (!options_.clears) return;
  std::set<postgres::TableName> beside;
  for (const change::Segment& segment : segments_) {
    const bool rewritten = files_.at({segment.schema, segment.table}) != segment.files;
    if (!rewritten && (segment.ordered() || segment.done)) continue;
    beside.merge(tables_beside(*context_.ground.catalog.model, {segment.schema, segment.table}));
  }
  for (change::Segment& segment : segments_) {
    if (beside.contains({segment.schema, segment.table})) segment.files.clear();
  }
}

// Rows that are not there any more would stay.
Status CopyRounds::clear_rewritten() {
  std::set<std::pair<std::string, std::string>> tables;
  for (change::Segment& segment : segments_) {
    if (segment.dirty) tables.insert({segment.schema, segment.table});
    segment.dirty = false;
  }
  if (tables.empty()) return {};
  CNX_TRY(auto names, known_properties(context_.ground.catalog));
  for (const auto& [schema, name] : tables) {
    telemetry::log_info("table_copied_anew", fmt::format("{}.{} is copied anew", schema, name), {{"table", schema + "." + name}});
    begun_anew_.insert({schema, name});
    if (!options_.clears) continue;
    CNX_TRY(clear_table(graph_, *context_.ground.catalog.model, names, {schema, name}, options_.owner));
  }
  CNX_TRY(apply::replace_segments(graph_, options_.owner, segments_, soon()));
  return read_segments();
}

Status CopyRounds::read_segments() {
  CNX_TRY(segments_, apply::read_segments(graph_, context_.options.name, soon()));
  return {};
}

size_t CopyRounds::open_segments() const {
  return static_cast<size_t>(std::count_if(segments_.begin(), segments_.end(), [this](const change::Segment& segment) {
    return !segment.done && is_ours(segment);
  }));
}

uint64_t CopyRounds::rows_in_graph() const {
  uint64_t rows = 0;
  for (const change::Segment& segment : segments_) rows += is_ours(segment) ? segment.rows : 0;
  return rows;
}

const postgres::Table* CopyRounds::table_of(const change::Segment& segment) const {
  for (const postgres::Table* table : options_.tables) {
    if (table->name.schema == segment.schema && table->name.name == segment.table) return table;
  }
  return nullptr;
}

Result<bool> CopyRounds::run() {
  began_ = Clock::now();
  while (!ended_early()) {
    CNX_TRY(round());
    if (ended_early()) break;
    CNX_TRY(read_segments());
    if (open_segments() == 0) return true;
    if (time_is_up()) return false;
    telemetry::log_info("copy_again", "some tables were rewritten while they were read, and are read again");
    CNX_TRY(take_snapshot());
  }
  return false;
}

Status CopyRounds::round() {
  OpenSegments open;
  for (const change::Segment& segment : segments_) {
    if (!segment.done && is_ours(segment)) open.add({segment, table_of(segment)});
  }
  const size_t workers = std::min(context_.run_options.copy_workers, std::max<size_t>(open.size(), 1));
  // Lanes begin where a new round's workers do: at nothing.
  CNX_TRY(apply::make_copy_lanes(graph_, options_.owner, workers, soon()));
  std::vector<std::unique_ptr<CopyWorker>> all;
  for (size_t i = 0; i < workers; ++i) {
    CNX_TRY(std::unique_ptr<CopyWorker> worker,
            CopyWorker::make({.pipeline = context_.options,
                              .tables = context_.ground.catalog.tables,
                              .types = context_.ground.catalog.types,
                              .number = i,
                              .epoch = options_.owner.epoch,
                              .snapshot_name = snapshot_name_,
                              .next = [&open] { return open.take(); },
                              .figures = context_.figures,
                              .audit = context_.audit,
                              .replaces = !options_.clears,
                              .dead = context_.dead,
                              .narrowing = context_.narrowing},
                             soon()));
    all.push_back(std::move(worker));
  }
  return run_workers(all, open);
}

Status CopyRounds::run_workers(std::vector<std::unique_ptr<CopyWorker>>& workers, const OpenSegments& open) {
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
      const bool turn_is_over = time_is_up() && figures(workers, open, 0, started).rows > 0;
      if (ended_early() || turn_is_over) {
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
  const uint64_t rows = figures(workers, open, 0, started).rows;
  copied_ += rows;
  context_.rows_applied += rows;
  for (auto& worker : workers) {
    // Of several the others are met again.
    if (!context_.refusal.any()) context_.refusal = worker->take_refusal();
  }
  if (std::optional<Error> failure = runner.failure()) return fail(std::move(*failure));
  return {};
}

CopyFigures CopyRounds::figures(const std::vector<std::unique_ptr<CopyWorker>>& workers, const OpenSegments& open,
                                uint64_t before, TimePoint started) const {
  uint64_t rows = 0;
  for (const auto& worker : workers) rows += worker->rows();
  CopyFigures figures{.rows = before + rows, .segments = 0};
  for (const change::Segment& segment : segments_) {
    if (!is_ours(segment)) continue;
    ++figures.segments;
    figures.estimate += segment.estimate;
  }
  // Those that are being read count as not done.
  figures.segments_done = figures.segments - std::min(open.size() + workers.size(), figures.segments);
  const double seconds = std::chrono::duration<double>(Clock::now() - started).count();
  if (seconds > 0) figures.rows_per_second = static_cast<double>(rows) / seconds;
  return figures;
}

}  // namespace cnx::pipeline
