// Applies batches in order: one at a time is under way, the next is prepared meanwhile. It owns the
// connection to the graph; after any failure the position in the graph says what became of the
// batch.
#pragma once

#include <atomic>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "apply/graph_port.hpp"
#include "change/correlation.hpp"
#include "mapping/lacking_rows.hpp"
#include "stream/acknowledgement.hpp"
#include "stream/queue.hpp"
#include "stream/retry_class.hpp"
#include "stream/stage.hpp"

namespace cnx::apply {

struct LaneCounters {
  std::atomic<uint64_t> batches{0};
  std::atomic<uint64_t> rows{0};
  std::atomic<uint64_t> transactions{0};
  std::atomic<uint64_t> conflicts{0};  // Updates that met what somebody else wrote in the graph.
  std::atomic<uint64_t> refused{0};    // Of those: the graph kept what it had.
  std::atomic<uint64_t> retries{0};
  std::atomic<uint64_t> removals_in_pieces{0};  // Batches of which the removals were.
  std::atomic<uint64_t> answers{0};  // Of the graph, each of a batch once however often it is tried.
  std::atomic<bool> under_way{false};  // A batch is in hand.
  std::atomic<bool> connected{false};
};

// How one attempt at a batch ended.
struct Attempt {
  enum class Outcome {
    applied,
    retried,  // It failed, and the batch is tried again; after what it lacks was read, or its removals in pieces.
    lost,     // The connection was, before the answer: the position says what became of it. If it was applied, that is told next.
    refused,  // The batch will not do as it is: it is cut smaller, or the row at fault is looked for.
    failed,   // The line stops.
  };
  Outcome outcome = Outcome::applied;
  size_t number = 1;  // Of the attempts at this batch, by this process.
  Duration took{};
  size_t refused = 0;            // Of its rows: updates that met a newer version in the graph.
  const Error* error = nullptr;  // None where it was applied.
};

struct LaneOptions {
  StoredPosition start;  // With the epoch that this owner raised.
  Duration open_max = std::chrono::seconds(5);
  uint64_t seed = 1;  // Of the back-off's jitter.
  // Told, after Neo4j's commit, of the applied rows of `told_tables`; from the stage's thread, must not block. May be empty.
  std::function<void(std::vector<mapping::AppliedRow>&&)> on_applied;
  std::set<mapping::TableName> told_tables;
  // Told, after Neo4j's commit, what of the batch met a conflict, before on_attempt; as on_applied.
  std::function<void(const Batch&, const std::vector<MetConflict>&)> on_conflicts;
  // Told of each batch once Neo4j has committed it, and how long that took; as on_applied.
  std::function<void(const Batch&, Duration took)> on_batch;
  // Told of each attempt, of one that was applied before its position is acknowledged; it may take what the batch holds for the audit.
  // As on_applied.
  std::function<void(Batch&, const Attempt&)> on_attempt;
  // Whether an attempt may begin: whoever is told of it may have no room for that now. Asked again until it may. Empty: always.
  std::function<bool()> may_begin;
  // Whose positions they are, for what tells of a batch.
  change::CorrelationSource source;
};

// What the graph refused, without its mutations.
struct RefusedBatch {
  Batch batch;
  std::string statement;  // At which it failed; empty: the commit.
  Error error;            // Of class smaller, in_pieces or dead_letter.
};

class LaneStage final : public stream::Stage {
 public:
  // All must outlive the stage. `on_retry` is told of each failure that will be tried again (for
  // the log); may be empty.
  LaneStage(stream::Queue<Batch>& batches, GraphPort& graph,
            stream::Acknowledgement& acknowledgement, LaneCounters& counters, LaneOptions options,
            std::function<void(const Error&, Duration)> on_retry);

  std::string_view name() const override { return "lane"; }
  stream::Step step(TimePoint now) override;
  // What is under way is finished; the queue's end ends the stage.
  void stop() override {}
  // After a failure with kEntityMissing: the rows of its batch that lack columns. Once the stage's
  // thread has ended.
  const std::vector<mapping::LackingRow>& lacking() const { return lacking_; }
  // After such a failure. Nothing of the batch was written, or of a removal in pieces what may be repeated. Once the stage's
  // thread has ended.
  std::optional<RefusedBatch> take_refused() { return std::exchange(refused_, std::nullopt); }

 private:
  enum class State { disconnected, ready, under_way };
  struct Work {
    Batch batch;
    std::unique_ptr<PreparedBatch> prepared = nullptr;
    Part part = {};  // What is done of it now.
    std::vector<mapping::LackingRow> lacking = {};
    size_t refusals = 0;  // In a row, that smaller batches may cure.
    size_t attempts = 0;
    Applied reported = {};  // By a transaction whose end is not known.
    TimePoint begun{};    // When it was sent first.
    TimePoint tried{};    // When the last attempt began.
  };

  stream::Step connect(TimePoint now);
  stream::Step start_next(TimePoint now);
  stream::Step follow(TimePoint now);
  bool prepare_next();
  void finish(const Applied& applied, TimePoint now);
  void count_answers();
  bool must_wait() const;
  void attempt(TimePoint now);
  void tell(Attempt::Outcome outcome, size_t refused, const Error* error, TimePoint now);
  void submit(TimePoint now);
  bool go_on_in_pieces(const Applied& applied, TimePoint now);
  stream::Step retry(Error error, TimePoint now);
  bool is_given_up(stream::RetryClass retry);
  void settle_back_off();

  stream::Queue<Batch>& batches_;
  GraphPort& graph_;
  stream::Acknowledgement& acknowledgement_;
  LaneCounters& counters_;
  LaneOptions options_;
  std::function<void(const Error&, Duration)> on_retry_;
  State state_ = State::disconnected;
  LanePosition position_;
  // The most that a transaction of the batch in hand had. Tried again and again, it shows no movement until it gets further.
  size_t answers_ = 0;
  stream::Backoff backoff_;
  TimePoint retry_at_ = TimePoint::min();
  size_t retries_in_a_row_ = 0;
  std::vector<mapping::LackingRow> lacking_;
  std::optional<RefusedBatch> refused_;
  std::optional<Work> current_;
  std::optional<Work> next_;
};

}  // namespace cnx::apply
