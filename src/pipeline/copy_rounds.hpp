// The rounds of a copy: the open segments of some tables under one snapshot, by several workers at once, each capture →
// batch → lane with connections of its own; then those of tables that were rewritten meanwhile, under the next. What is done
// stands in the graph beside the rows.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "apply/segments.hpp"
#include "pipeline/audit.hpp"
#include "pipeline/copy_plan.hpp"
#include "pipeline/copy_progress.hpp"
#include "pipeline/figures.hpp"
#include "pipeline/ground.hpp"
#include "pipeline/pipeline.hpp"
#include "pipeline/refusals.hpp"
#include "postgres/replication.hpp"

namespace cnx::pipeline {

struct CopyContext {
  const PipelineOptions& options;
  const RunOptions& run_options;
  StopRequest& stop;
  Ground& ground;
  postgres::Session& owner;
  int32_t lease_pid;  // The server process that holds the pipeline's lock.
  // Whether the pipeline was paused meanwhile, which ends the copy for now; an error, that the lock is lost, ends it too.
  std::function<Result<bool>()> paused_or_lost;
  Figures& figures;
  Audit& audit;
  // Rows that are dead letters, and how batches are cut where one was refused.
  std::vector<apply::DeadKey> dead = {};
  std::optional<apply::Narrowing> narrowing = {};
  // What became of it: rows that were applied, and after an error what was refused.
  uint64_t rows_applied = 0;
  PassRefusal refusal = {};
};

class CopyWorker;
class OpenSegments;

// One thread.
class CopyRounds {
 public:
  struct Options {
    apply::CopyOwner owner;
    // The tables to be copied; segments of others stay as they are.
    std::vector<const postgres::Table*> tables;
    // The graph had nothing of the tables before, and what was read of one that starts over is removed first. Else rows
    // replace what is there, and what is left over is left to the sweep.
    bool clears = true;
    // After so long no more is begun, and what is not read yet is left open; something is copied however short it is. None: all is
    // copied.
    std::optional<Duration> turn;
  };

  // What it is given must outlive it.
  CopyRounds(CopyContext& context, bolt::Connection& graph, Options options)
      : context_(context), graph_(graph), options_(std::move(options)) {}

  // The slot's own snapshot, for a first round; the connection holds it.
  void use_slot_snapshot(std::string name, postgres::ReplicationStream exporter);
  // A new snapshot for what is not copied yet. Blocks.
  Status take_snapshot();
  // Round after round, until all is in the graph: true; or until a stop was asked for, the pipeline paused, or the time was up:
  // false. Blocks.
  Result<bool> run();

  // After take_snapshot(): the session that holds the snapshot in an open transaction, with the files of every followed table
  // before it, and how far it sees. Valid until the next one is taken.
  postgres::Session& snapshot() { return *exporter_; }
  const TableFiles& files() const { return files_; }
  change::Lsn seen_until() const { return seen_until_; }

  bool ended_early() const { return context_.stop.asked || paused_; }  // Not by its time.
  // With the names that their nodes have now. Blocks.
  Status read_segments();
  uint64_t rows_in_graph() const;
  uint64_t copied() const { return copied_; }  // By this object.
  // Those of which nothing counts that was copied before this object was.
  const std::set<postgres::TableName>& begun_anew() const { return begun_anew_; }

 private:
  bool is_ours(const change::Segment& segment) const { return table_of(segment) != nullptr; }
  const postgres::Table* table_of(const change::Segment& segment) const;
  bool time_is_up() const { return options_.turn && Clock::now() - began_ >= *options_.turn; }
  size_t open_segments() const;
  void start_beside();
  Status clear_rewritten();
  Status round();
  Status run_workers(std::vector<std::unique_ptr<CopyWorker>>& workers, const OpenSegments& open);
  CopyFigures figures(const std::vector<std::unique_ptr<CopyWorker>>& workers, const OpenSegments& open, uint64_t before,
                      TimePoint started) const;

  CopyContext& context_;
  bolt::Connection& graph_;
  Options options_;
  std::vector<change::Segment> segments_;  // All of the graph's.
  std::string snapshot_name_;
  TableFiles files_;
  change::Lsn seen_until_;
  // One of them holds the snapshot.
  std::optional<postgres::ReplicationStream> slot_exporter_;
  std::optional<postgres::Session> exporter_;
  uint64_t copied_ = 0;
  std::set<postgres::TableName> begun_anew_;
  TimePoint began_;
  bool paused_ = false;
};

// A session that may read the tables as the copy reads them.
Result<postgres::Session> open_reader(const PipelineOptions& options);
// As they are now. Blocks.
Result<TableFiles> read_files(postgres::Session& session, const std::vector<const postgres::Table*>& tables);
// What a snapshot sees may be of a transaction whose commit is not on disk yet, and a crash would lose it: with the commit of
// this message all before it is. It also moves the log's end beyond all that is seen, so that the position comes to pass it
// in a quiet database too. Blocks.
Status flush_log(const PipelineOptions& options);

}  // namespace cnx::pipeline
