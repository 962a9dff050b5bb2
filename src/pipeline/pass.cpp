#include "pipeline/pass.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "pipeline/conflicts.hpp"
#include "pipeline/findings.hpp"
#include "telemetry/log.hpp"

namespace cnx::pipeline {
namespace {

// Rows on their way to a batch. Memory is bounded by bytes (I7): this, the transaction being read (32 MiB at most), the
// batch being merged and two prepared ones.
constexpr stream::QueueLimits kEventLimits{.items_max = 20'000, .bytes_max = 8u << 20};
// One batch waits while one is under way and the next is being prepared.
constexpr stream::QueueLimits kBatchLimits{.items_max = 1, .bytes_max = 64u << 20};
// How often `finished` is asked though nothing moved.
constexpr Duration kLookInterval = std::chrono::seconds(1);
// A sweep that is abandoned is begun again by the next start.
constexpr Duration kSweepStopMax = std::chrono::seconds(10);
// Stages in the order in which the runner is given them: capture, batch, lane, write-back where it is wanted, stub count.
constexpr size_t kLane = 2;
constexpr size_t kWriteBack = 3;

uint64_t seed() { return static_cast<uint64_t>(Clock::now().time_since_epoch().count()); }

// What a conflict's strategy, asked outside of the batch, has decided for the graph: no batch brings these rows.
std::vector<mapping::AppliedRow> kept_out(const std::vector<apply::RefetchedRow>& rows, const std::vector<record::SyncTable>& tables) {
  std::vector<mapping::AppliedRow> kept;
  for (const apply::RefetchedRow& row : rows) {
    if (!row.keeps_graph) continue;
    for (const record::SyncTable& table : tables) {
      if (table.name != row.key.table || table.key_columns != row.key.columns) continue;
      const std::optional<int64_t> version = integer_of(apply::column_of(row, table.version_column).value_or(""));
      if (!version) continue;
      kept.push_back({.table = row.key.table, .key = {row.key.values.begin(), row.key.values.end()}, .version = *version, .conflict = true});
    }
  }
  return kept;
}

void log_write_back(const std::string& table, const Error* error) {
  const std::string what = table.empty() ? "write-back" : "write-back of table " + table;
  if (error == nullptr) {
    telemetry::log_info("write_back_recovered", what + " works again", {{"table", table}});
    return;
  }
  const std::string advice = advice_of(*error);
  std::vector<telemetry::Field> fields = telemetry::fields_of(*error);
  fields.emplace_back("table", table);
  telemetry::log_warning("write_back_failed",
                         what + ": " + error->describe() + "; it is tried again until it works, and the line goes on meanwhile" +
                             (advice.empty() ? "" : "; " + advice),
                         std::move(fields));
}

}  // namespace

Result<std::vector<record::SyncTable>> write_back_tables(postgres::Session& session, const Catalog& catalog, TimePoint deadline) {
  std::vector<postgres::Table> followed;
  for (const postgres::Table* table : catalog.followed()) followed.push_back(*table);
  CNX_TRY(record::SyncTables found, record::find_sync_tables(session, followed, *catalog.model, deadline));
  for (const record::LeftOut& table : found.left_out) {
    const std::string name = postgres::to_string(table.name);
    telemetry::log_warning("write_back_left_out", fmt::format("no write-back to table {}: {}; {}", name, table.reason, table.cure),
                           {{"table", name}, {"reason", table.reason}});
  }
  for (const record::SyncTable& table : found.tables) {
    if (table.meddling_trigger.empty()) continue;
    const std::string name = postgres::to_string(table.name);
    telemetry::log_warning("write_back_trigger",
                           fmt::format("each change of table {} is applied twice, the second time when it was written back, for the trigger {}; "
                                       "contextnexus check says what it wants", name, table.meddling_trigger),
                           {{"table", name}, {"trigger", table.meddling_trigger}});
  }
  if (!found.tables.empty()) {
    telemetry::log_info("write_back_tables", fmt::format("write-back to the synchronisation columns of {} tables", found.tables.size()),
                        {{"tables", found.tables.size()}});
  }
  return std::move(found.tables);
}

apply::Neo4jGraphOptions graph_options(const PipelineOptions& options) {
  apply::Neo4jGraphOptions graph{.connection = options.neo4j, .pipeline = options.name, .lane = apply::lane_key(options.name)};
  // One limit for both: what a row's change makes, and what its removal takes along.
  graph.removal.elements_max = options.batch.transaction_elements_max;
  graph.removal.piece_elements = std::min(graph.removal.piece_elements, graph.removal.elements_max);
  return graph;
}

Pass::Pass(const PipelineOptions& options, mapping::Model& model, const postgres::TypeCatalog& types,
           const cypher::Plan& plan, apply::StoredPosition start, StopRequest& stop, Figures& figures, PassOptions pass)
    : stop_(stop),
      figures_(figures),
      audit_(pass.audit),
      trials_(pass.trials),
      owner_(pass.owner),
      events_(kEventLimits),
      batches_(kBatchLimits),
      graph_(graph_options(options), plan),
      batch_(events_, batches_, model, types, batch_options(options, start, pass)),
      lane_(batches_, graph_, acknowledgement_, figures.lane, lane_options(start, pass),
            tell_retry(figures, Side::graph, "Neo4j")),
      sync_options_(options.write_back),
      stub_count_(options, model, figures) {
  if (!pass.sync_tables.empty()) {
    sync_port_.emplace(
        record::PostgresSyncOptions{.postgres = options.postgres,
                                    .neo4j = options.neo4j,
                                    .pipeline = options.name,
                                    .epoch = pass.recorded_epoch,
                                    .origin = record::origin_name(options.name),
                                    .on_note = [](const std::string& note) { telemetry::log_info("write_back", "write-back " + note); }},
        pass.sync_tables);
  }
  if (start.lane.phase == apply::Phase::stream) acknowledgement_.advance(start.lane.position);
  audit_.limit(acknowledgement_);
}

apply::BatchOptions Pass::batch_options(const PipelineOptions& options, const apply::StoredPosition& start, PassOptions& pass) {
  apply::BatchOptions batch = options.batch;
  batch.start = start.lane;
  sync_queue_.push(kept_out(pass.refetched, pass.sync_tables));
  batch.refetched = std::move(pass.refetched);
  batch.held = std::move(pass.held);
  batch.expects = std::move(pass.expects);
  batch.counts_tenants = figures_.tenants.names_max() > 0;
  batch.dead = trials_.keys(true);
  batch.on_dead_notes = [this](std::vector<apply::DeadNote>&& notes) {
    trials_.hear(notes);
    if (!trials_.endings_are_written()) stop_.waker.wake();
  };
  batch.narrowing = pass.narrowing;
  batch.keep_values = options.dead_letters.keep_values;
  audit_.listen(batch);
  return batch;
}

apply::LaneOptions Pass::lane_options(apply::StoredPosition start, PassOptions& pass) {
  const std::vector<record::SyncTable>& sync_tables = pass.sync_tables;
  apply::LaneOptions options{.start = start, .seed = seed()};
  options.on_batch = [this](const apply::Batch& batch, Duration took) { figures_.applied(batch, took); };
  audit_.listen(options);
  // That a held row is gone is told by the stream once: were it applied and not on disk, a kill would leave the row's key held.
  options.may_begin = [this, may_begin = std::move(options.may_begin)] {
    return trials_.endings_are_written() && (!may_begin || may_begin());
  };
  options.on_conflicts = std::move(pass.on_conflicts);
  if (sync_tables.empty()) return options;
  for (const record::SyncTable& table : sync_tables) options.told_tables.insert(table.name);
  options.on_applied = [this](std::vector<mapping::AppliedRow>&& rows) { sync_queue_.push(std::move(rows)); };
  return options;
}

// Both queues end with the reason, and every stage finds it there. What was on its way is replayed by the next start.
void Pass::abandon(const Error& error) {
  events_.fail(error);
  batches_.fail(error);
  sync_queue_.abandon();
}

Status Pass::run(stream::Stage& capture, const RunOptions& run_options,
                 const std::function<Result<bool>()>& finished) {
  std::optional<record::SyncStage> sync;  // Outlives the runner.
  Runner runner(stop_.waker);
  Waker& capture_waker = runner.add(capture);
  Waker& batch_waker = runner.add(batch_);
  Waker& lane_waker = runner.add(lane_);
  if (sync_port_) {
    sync_options_.finish_sweep = run_options.once;
    sync_options_.seed = seed();
    sync.emplace(sync_queue_, *sync_port_, figures_.write_back, sync_options_, log_write_back);
    Waker& sync_waker = runner.add(*sync);
    sync_queue_.on_readable([&sync_waker] { sync_waker.wake(); });
  }
  const size_t stub_count = sync ? kWriteBack + 1 : kWriteBack;
  runner.add(stub_count_);
  events_.on_room([&] { capture_waker.wake(); });
  events_.on_readable([&] { batch_waker.wake(); });
  batches_.on_room([&] { batch_waker.wake(); });
  batches_.on_readable([&] { lane_waker.wake(); });
  acknowledgement_.on_advance([&] {
    capture_waker.wake();
    stop_.waker.wake();
  });
  audit_.on_written([&] { capture_waker.wake(); });
  runner.start();

  bool stopping = false;
  TimePoint give_up = kNever;
  while (!runner.all_ended()) {
    stop_.waker.arm();
    if (std::optional<Error> failure = runner.failure()) abandon(*failure);
    if (!stopping) {
      Result<bool> asked = finished();
      if (!asked) abandon(asked.error());
      if (stop_.asked || (asked && *asked)) {
        stopping = true;
        if (stop_.asked) figures_.set(telemetry::Activity::stopping);
        give_up = Clock::now() + run_options.drain_max;
        runner.stop(0);
      }
    } else if (Status written = trials_.write_endings(owner_); !written) {
      abandon(written.error());
    }
    figures_.events_bytes = events_.bytes();
    figures_.batches_bytes = batches_.bytes();
    if (stopping || runner.failure()) runner.stop(stub_count);
    // The write-back has heard of everything once the lane has ended.
    if (sync && runner.ended(kLane)) runner.stop(kWriteBack);
    // What is left of a run that ends by itself may be a long sweep: it has no limit until a stop is asked for.
    if (sync && runner.ended(kLane)) give_up = stop_.asked ? std::min(give_up, Clock::now() + kSweepStopMax) : kNever;
    if (stopping && Clock::now() >= give_up) {
      abandon(Error(ErrorKind::timeout, "what was under way did not end in time; the next start goes on from the position"));
    }
    if (!runner.all_ended()) {
      wait_for(stop_.waker, stream::Step::wait_until(std::min(give_up, Clock::now() + kLookInterval)));
    }
    stop_.waker.disarm();
  }
  runner.join();
  audit_.on_written({});
  if (std::optional<Error> failure = runner.failure()) return fail(std::move(*failure));
  return {};
}

}  // namespace cnx::pipeline
