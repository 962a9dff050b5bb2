#include "pipeline/pass.hpp"

#include <spdlog/spdlog.h>

#include "pipeline/findings.hpp"

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
// Stages in the order in which the runner is given them: capture, batch, lane, write-back.
constexpr size_t kLane = 2;
constexpr size_t kWriteBack = 3;

uint64_t seed() { return static_cast<uint64_t>(Clock::now().time_since_epoch().count()); }

apply::BatchOptions batch_options(const PipelineOptions& options, const apply::StoredPosition& start, PassOptions& pass) {
  apply::BatchOptions batch = options.batch;
  batch.start = start.lane;
  batch.refetched = std::move(pass.refetched);
  batch.held = std::move(pass.held);
  batch.expects = std::move(pass.expects);
  batch.dead = std::move(pass.dead);
  batch.on_dead_notes = std::move(pass.on_dead_notes);
  batch.narrowing = pass.narrowing;
  batch.keep_values = options.dead_letters.keep_values;
  return batch;
}

void log_write_back(const std::string& table, const Error* error) {
  const std::string what = table.empty() ? "write-back" : "write-back of table " + table;
  if (error == nullptr) {
    spdlog::info("{} works again", what);
    return;
  }
  const std::string advice = advice_of(*error);
  spdlog::warn("{}: {}; it is tried again until it works, and the line goes on meanwhile{}", what, error->describe(),
               advice.empty() ? "" : "; " + advice);
}

}  // namespace

std::function<void(const Error&, Duration)> log_retry(std::string side) {
  return [side = std::move(side)](const Error& error, Duration wait) {
    auto milliseconds = std::chrono::duration_cast<std::chrono::milliseconds>(wait).count();
    spdlog::warn("{}: {}; trying again in {} ms", side, error.describe(), milliseconds);
  };
}

apply::Neo4jGraphOptions graph_options(const PipelineOptions& options) {
  return {.connection = options.neo4j, .pipeline = options.name, .lane = apply::lane_key(options.name)};
}

Pass::Pass(const PipelineOptions& options, mapping::Model& model, const postgres::TypeCatalog& types,
           const cypher::Plan& plan, apply::StoredPosition start, StopRequest& stop, PassOptions pass)
    : stop_(stop),
      events_(kEventLimits),
      batches_(kBatchLimits),
      graph_(graph_options(options), plan),
      batch_(events_, batches_, model, types, batch_options(options, start, pass)),
      lane_(batches_, graph_, acknowledgement_, lane_counters_, lane_options(start, pass.sync_tables),
            log_retry("Neo4j")),
      sync_options_(options.write_back) {
  if (!pass.sync_tables.empty()) {
    sync_port_.emplace(
        record::PostgresSyncOptions{.postgres = options.postgres,
                                    .neo4j = options.neo4j,
                                    .pipeline = options.name,
                                    .origin = record::origin_name(options.name),
                                    .on_note = [](const std::string& note) { spdlog::info("write-back {}", note); }},
        pass.sync_tables);
  }
  if (start.lane.phase == apply::Phase::stream) acknowledgement_.advance(start.lane.position);
}

apply::LaneOptions Pass::lane_options(apply::StoredPosition start, const std::vector<record::SyncTable>& sync_tables) {
  apply::LaneOptions options{.start = start, .seed = seed()};
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
    sync.emplace(sync_queue_, *sync_port_, sync_counters_, sync_options_, log_write_back);
    Waker& sync_waker = runner.add(*sync);
    sync_queue_.on_readable([&sync_waker] { sync_waker.wake(); });
  }
  events_.on_room([&] { capture_waker.wake(); });
  events_.on_readable([&] { batch_waker.wake(); });
  batches_.on_room([&] { batch_waker.wake(); });
  batches_.on_readable([&] { lane_waker.wake(); });
  acknowledgement_.on_advance([&] {
    capture_waker.wake();
    stop_.waker.wake();
  });
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
        give_up = Clock::now() + run_options.drain_max;
        runner.stop(0);
      }
    }
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
  if (std::optional<Error> failure = runner.failure()) return fail(std::move(*failure));
  return {};
}

}  // namespace cnx::pipeline
