// All that a run counts and knows of itself, over whatever passes it makes: what metrics and health are made from. Stages
// count without a lock; whoever reads may be anywhere.
#pragma once

#include <array>
#include <atomic>
#include <functional>
#include <mutex>
#include <string>

#include "apply/lane_stage.hpp"
#include "apply/table_states.hpp"
#include "capture/logical/logical_stage.hpp"
#include "capture/snapshot/snapshot_stage.hpp"
#include "record/audit_stage.hpp"
#include "record/sync_stage.hpp"
#include "telemetry/histogram.hpp"
#include "telemetry/liveness.hpp"
#include "telemetry/named_counts.hpp"
#include "telemetry/options.hpp"
#include "telemetry/repeats.hpp"
#include "telemetry/watch.hpp"

namespace cnx::pipeline {

// Where a failure was met that will be tried again.
enum class Side { source, graph, start };
inline constexpr std::array kSides = {Side::source, Side::graph, Side::start};
std::string_view to_string(Side side);

// Any thread.
class Figures {
 public:
  explicit Figures(const telemetry::TelemetryOptions& options);

  // What the run is about now, and why where that is worth a sentence.
  void set(telemetry::Activity activity, std::string why = {});
  // A failure that will be tried again: counted, and said in the log unless it repeats itself. `what`: for a person, "Neo4j".
  void retry(Side side, const std::string& what, const Error& error, Duration wait);
  // Of each batch that Neo4j has committed, in the stream and in a copy.
  void applied(const apply::Batch& batch, Duration took);
  void copied(const apply::Batch& batch);
  // Where the graph stands as the line begins, and the commit of the newest transaction that it has; 0: not known.
  void begin_stream(change::Lsn position, int64_t commit_microseconds);

  // Why the audit cannot be written now; empty: it can.
  void set_audit_trouble(std::string why);

  // Of the pass that begins.
  void count(const std::vector<apply::TableState>& states);

  // For whoever looks twice a second.
  telemetry::Facts look();
  // How much log the graph does not have yet. And so old at most is the oldest committed change that it does not have.
  uint64_t lag_bytes() const;
  double lag_seconds() const;
  telemetry::Readiness readiness(const telemetry::Health& health) const;
  uint64_t retries(Side side) const;

  // Given to the stages.
  capture::LogicalCounters capture;
  apply::LaneCounters lane;
  capture::SnapshotCounters snapshot;
  record::SyncCounters write_back;
  record::AuditCounters audit;

  // From here on: single facts, each written by one thread.
  std::atomic<uint64_t> applied_lsn{0};      // The position in the graph.
  std::atomic<uint64_t> copied_rows{0};      // By this process.
  std::atomic<uint64_t> copied_batches{0};
  std::atomic<uint64_t> steps{0};            // Of what has no rows to count: looking for leftovers.
  std::atomic<uint64_t> events_bytes{0};     // In the queues.
  std::atomic<uint64_t> batches_bytes{0};
  std::atomic<uint64_t> audit_bytes{0};
  std::atomic<bool> audit_is_full{false};    // The line waits for it.
  std::atomic<bool> consistent{false};       // All that a copy saw is behind the position.
  std::atomic<uint64_t> tables_copying{0};   // Read again, or to be.
  std::atomic<uint64_t> tables_held{0};
  std::atomic<uint64_t> conflicts_decided{0};  // Outside the transaction that met them.
  std::atomic<uint64_t> conflicts_waiting{0};  // For a person.
  // Asked of the servers now and then; -1: not known.
  std::atomic<uint64_t> source_wal_end{0};
  std::atomic<int64_t> retained_wal_bytes{-1};
  std::atomic<int64_t> safe_wal_bytes{-1};
  std::atomic<int64_t> stubs{-1};
  // The stub count's alone, from pass to pass.
  TimePoint stubs_due = Clock::now() + std::chrono::seconds(2);

  telemetry::Histogram commit_to_visible;
  telemetry::Histogram transaction;          // One of Neo4j's, from the first word to its answer.
  telemetry::NamedCounts tables;
  telemetry::NamedCounts tenants;

 private:
  // What is known of one side's failures.
  struct Failures {
    telemetry::Repeats repeats;
    uint64_t count = 0;
    std::string last;        // What the last one was, for a person.
    TimePoint last_at{};
    uint64_t heard = 0;      // From the source, up to then.
  };
  Failures& of(Side side) { return failures_[static_cast<size_t>(side)]; }
  const Failures& of(Side side) const { return failures_[static_cast<size_t>(side)]; }
  void count_by_name(const apply::Batch& batch);
  void works_again(Side side);
  uint64_t wal_end() const;
  bool has_it_all() const;

  const telemetry::TelemetryOptions options_;
  const int64_t began_;                       // Microseconds since 1970, as all such here.
  std::atomic<int64_t> newest_commit_{0};     // Of the transactions that are in the graph whole.
  std::atomic<int64_t> has_it_all_at_{0};     // When the graph was last seen so.
  mutable std::mutex mutex_;                  // Of what follows.
  telemetry::Activity activity_ = telemetry::Activity::starting;
  std::string why_;
  std::string audit_trouble_;
  std::array<Failures, kSides.size()> failures_;
};

// Told of each failure that will be tried again; `figures` must outlive it.
std::function<void(const Error&, Duration)> tell_retry(Figures& figures, Side side, std::string what);

}  // namespace cnx::pipeline
