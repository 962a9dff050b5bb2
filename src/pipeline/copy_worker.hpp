// One worker of a copy: capture → batch → lane between queues of its own, with a model of its own, since binding a table
// adds to it.
#pragma once

#include <memory>

#include "apply/batch_stage.hpp"
#include "apply/lane_stage.hpp"
#include "apply/neo4j_graph.hpp"
#include "capture/snapshot/snapshot_stage.hpp"
#include "cypher/plan.hpp"
#include "pipeline/audit.hpp"
#include "pipeline/figures.hpp"
#include "pipeline/options.hpp"
#include "pipeline/refusals.hpp"
#include "pipeline/runner.hpp"

namespace cnx::pipeline {

struct CopyWorkerOptions {
  const PipelineOptions& pipeline;
  const std::vector<postgres::Table>& tables;
  const postgres::TypeCatalog& types;
  size_t number = 0;  // Of its lane.
  int64_t epoch = 0;
  std::string snapshot_name;
  std::function<std::optional<capture::SegmentTask>()> next;
  Figures& figures;
  Audit& audit;
  bool replaces = false;  // The graph may have the rows as they were.
  std::vector<apply::DeadKey> dead = {};
  std::optional<apply::Narrowing> narrowing = {};
};

class CopyWorker {
 public:
  // What `options` refers to must outlive it. Blocks until `deadline`, for the connection to PostgreSQL.
  static Result<std::unique_ptr<CopyWorker>> make(CopyWorkerOptions options, TimePoint deadline);

  // Three stages, in the order capture, batch, lane. `supervisor` is woken as rows arrive in the graph.
  void add_to(Runner& runner);
  // Both queues end with the reason, and every stage finds it there.
  void abandon(const Error& error);
  uint64_t rows() const { return counters_.rows; }
  // After its end.
  PassRefusal take_refusal() { return {.batch = lane_.take_refused(), .rows = batch_.take_refused(), .replaces = replaces_}; }

 private:
  CopyWorker(CopyWorkerOptions options, std::unique_ptr<mapping::Model> model);

  bool replaces_;
  std::unique_ptr<mapping::Model> model_;
  cypher::Plan plan_;
  stream::Queue<change::Event> events_;
  stream::Queue<apply::Batch> batches_;
  stream::Acknowledgement acknowledgement_;
  apply::LaneCounters counters_;
  apply::Neo4jGraph graph_;
  capture::SnapshotStage snapshot_;
  apply::BatchStage batch_;
  apply::LaneStage lane_;
};

}  // namespace cnx::pipeline
