// One set of stages between two queues, started, watched and joined: the copy is one pass, the stream another.
#pragma once

#include <functional>

#include "apply/batch_stage.hpp"
#include "apply/lane_stage.hpp"
#include "apply/neo4j_graph.hpp"
#include "cypher/plan.hpp"
#include "pipeline/audit.hpp"
#include "pipeline/catalog.hpp"
#include "pipeline/figures.hpp"
#include "pipeline/letter_trials.hpp"
#include "pipeline/pipeline.hpp"
#include "pipeline/refusals.hpp"
#include "pipeline/runner.hpp"
#include "pipeline/stub_count.hpp"
#include "record/postgres_sync.hpp"
#include "record/sync_stage.hpp"

namespace cnx::pipeline {

// Of the tables that are followed: those whose rows are told, in PostgreSQL, that they are in the graph. The log says which have the
// columns and are left out. Blocks until `deadline`.
Result<std::vector<record::SyncTable>> write_back_tables(postgres::Session& session, const Catalog& catalog, TimePoint deadline);

apply::Neo4jGraphOptions graph_options(const PipelineOptions& options);

struct PassOptions {
  Audit& audit;  // Must outlive the pass.
  // Those whose rows are told, in PostgreSQL, that they are in the graph; none: no write-back. They must outlive the pass.
  const std::vector<record::SyncTable>& sync_tables;
  int64_t recorded_epoch = 0;  // As PostgresSyncOptions::epoch.
  std::vector<apply::RefetchedRow> refetched;
  // As BatchOptions.
  std::set<postgres::TableName> held;
  std::function<bool(const change::Relation&)> expects;
  LetterTrials& trials;      // Begun for this pass; must outlive it.
  postgres::Session& owner;  // The pipeline's thread's; likewise.
  std::optional<apply::Narrowing> narrowing;
  std::function<void(const apply::Batch&, const std::vector<apply::MetConflict>&)> on_conflicts;  // As LaneOptions.
};

class Pass {
 public:
  // All must outlive it.
  Pass(const PipelineOptions& options, mapping::Model& model, const postgres::TypeCatalog& types,
       const cypher::Plan& plan, apply::StoredPosition start, StopRequest& stop, Figures& figures, PassOptions pass);

  // For the capture stage that the caller makes.
  stream::Queue<change::Event>& events() { return events_; }
  stream::Acknowledgement& acknowledgement() { return acknowledgement_; }
  // After run() failed with apply::kEntityMissing: the rows to be read again.
  const std::vector<mapping::LackingRow>& lacking() const { return lane_.lacking(); }

  // After run() failed because the graph, or the batch stage, refused rows.
  PassRefusal take_refusal() { return {.batch = lane_.take_refused(), .rows = batch_.take_refused()}; }

  // After run() failed with apply::kTableChanged.
  const change::RelationPtr& unexpected() const { return batch_.unexpected(); }

  // Runs `capture` → batch → lane until all have ended. `finished` is asked whenever something moved, and at least every
  // second: true stops the capture, and the rest drains; an error ends everything now, and run() returns it. Blocks.
  Status run(stream::Stage& capture, const RunOptions& run_options,
             const std::function<Result<bool>()>& finished);

 private:
  void abandon(const Error& error);
  apply::BatchOptions batch_options(const PipelineOptions& options, const apply::StoredPosition& start, PassOptions& pass);
  apply::LaneOptions lane_options(apply::StoredPosition start, PassOptions& pass);

  StopRequest& stop_;
  Figures& figures_;
  Audit& audit_;
  LetterTrials& trials_;
  postgres::Session& owner_;
  stream::Queue<change::Event> events_;
  stream::Queue<apply::Batch> batches_;
  stream::Acknowledgement acknowledgement_;
  apply::Neo4jGraph graph_;
  record::SyncQueue sync_queue_;  // Before the stages: their options fill it.
  apply::BatchStage batch_;
  apply::LaneStage lane_;
  std::optional<record::PostgresSync> sync_port_;
  record::SyncOptions sync_options_;
  StubCount stub_count_;
};

}  // namespace cnx::pipeline
