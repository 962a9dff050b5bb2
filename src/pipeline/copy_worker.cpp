#include "pipeline/copy_worker.hpp"

#include "apply/segments.hpp"

namespace cnx::pipeline {
namespace {

// A worker's share of what is on its way (I7).
constexpr stream::QueueLimits kEventLimits{.items_max = 10'000, .bytes_max = 4u << 20};
constexpr stream::QueueLimits kBatchLimits{.items_max = 1, .bytes_max = 32u << 20};

apply::StoredPosition start_of(int64_t epoch) {
  return {.lane = {.position = {}, .phase = apply::Phase::snapshot, .partial = false}, .epoch = epoch};
}

uint64_t seed(size_t number) { return static_cast<uint64_t>(Clock::now().time_since_epoch().count()) + number; }

capture::SnapshotOptions snapshot_options(const CopyWorkerOptions& options) {
  capture::SnapshotOptions snapshot;
  snapshot.connection = options.pipeline.postgres;
  snapshot.connection.row_security_on = true;
  snapshot.snapshot_name = options.snapshot_name;
  snapshot.next = options.next;
  return snapshot;
}

apply::BatchOptions batch_options(const CopyWorkerOptions& options) {
  apply::BatchOptions batch = options.pipeline.batch;
  batch.start = start_of(options.epoch).lane;
  batch.copy_replaces = options.replaces;
  batch.counts_tenants = options.figures.tenants.names_max() > 0;
  batch.dead = options.dead;
  batch.narrowing = options.narrowing;
  batch.keep_values = options.pipeline.dead_letters.keep_values;
  return batch;
}

apply::LaneOptions lane_options(const CopyWorkerOptions& options) {
  apply::LaneOptions lane{.start = start_of(options.epoch), .seed = seed(options.number)};
  options.audit.listen(lane);
  lane.on_batch = [&figures = options.figures](const apply::Batch& batch, Duration) { figures.copied(batch); };
  return lane;
}

}  // namespace

Result<std::unique_ptr<CopyWorker>> CopyWorker::make(CopyWorkerOptions options, TimePoint deadline) {
  CNX_TRY(std::unique_ptr<mapping::Model> model, mapping::Model::make(options.pipeline.mapping, options.tables));
  std::unique_ptr<CopyWorker> worker(new CopyWorker(std::move(options), std::move(model)));
  CNX_TRY(worker->snapshot_.open(deadline));
  return worker;
}

CopyWorker::CopyWorker(CopyWorkerOptions options, std::unique_ptr<mapping::Model> model)
    : replaces_(options.replaces),
      model_(std::move(model)),
      plan_(*model_),
      events_(kEventLimits),
      batches_(kBatchLimits),
      graph_({.connection = options.pipeline.neo4j,
              .pipeline = options.pipeline.name,
              .lane = apply::copy_lane_key(options.pipeline.name, options.number)},
             plan_),
      snapshot_(events_, options.figures.snapshot, snapshot_options(options)),
      batch_(events_, batches_, *model_, options.types, batch_options(options)),
      lane_(batches_, graph_, acknowledgement_, counters_,
            lane_options(options), tell_retry(options.figures, Side::graph, "Neo4j, copying")) {}

void CopyWorker::add_to(Runner& runner) {
  Waker& snapshot = runner.add(snapshot_);
  Waker& batch = runner.add(batch_);
  Waker& lane = runner.add(lane_);
  events_.on_room([&] { snapshot.wake(); });
  events_.on_readable([&] { batch.wake(); });
  batches_.on_room([&] { batch.wake(); });
  batches_.on_readable([&] { lane.wake(); });
}

void CopyWorker::abandon(const Error& error) {
  events_.fail(error);
  batches_.fail(error);
}

}  // namespace cnx::pipeline
