// The simulated Neo4j: executes mutations (not Cypher) below the same port, with the position moved by compare-and-set in the
// same step, and fails as its seed says: before the commit, after it with the answer lost, late, or by a transaction that
// outlives its connection and the engine that sent it.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "apply/graph_port.hpp"
#include "capture/logical/source_state.hpp"
#include "change/segment.hpp"
#include "faults.hpp"
#include "mapping/testing/memory_graph.hpp"
#include "source.hpp"

namespace cnx::simulation {

// Mutations, with the model whose names they point to: a transaction may outlive its engine.
struct GraphWork {
  std::shared_ptr<const mapping::Model> model;
  mapping::Mutations mutations;
};

struct GraphTransaction {
  apply::LanePosition from;
  apply::LanePosition to;
  int64_t epoch = 0;
  apply::Part part;
  std::optional<apply::SegmentProgress> segment;
  std::shared_ptr<const GraphWork> work;
  std::optional<std::string> ahead;
  change::LastCommit last;
};

// All that the graph holds. A value: what a backup keeps.
struct GraphContent {
  apply::StoredPosition stored{.lane = {.phase = apply::Phase::initial}, .epoch = 0};
  int64_t recorded_epoch = 0;  // The last one that PostgreSQL is known to have on disk.
  std::string system_identifier = "77";
  std::vector<change::Segment> segments;
  change::Lsn consistent_point;
  mapping::testing::MemoryGraph graph;
  // The value of every row of `counted` that was applied behind a copy, in order and as often as it was.
  std::vector<int64_t> effects;
};

// What survives every kill of the engine.
class GraphState {
 public:
  GraphState(Random& random, Planted planted) : random_(random), planted_(planted) {}

  const GraphContent& content() const { return content_; }
  const apply::StoredPosition& stored() const { return content_.stored; }
  capture::HeldPosition held() const;
  std::vector<std::string> lines() const { return content_.graph.lines(); }
  // Removals are done in pieces where they are of more elements, and a piece is of so many.
  void set_removal_limits(size_t elements_max, size_t piece) { elements_max_ = elements_max; piece_ = piece; }

  // A new owner: waits for whatever still runs, and raises the epoch under the lock.
  apply::StoredPosition raise_epoch(int64_t at_least);
  void record_epoch(int64_t epoch) { content_.recorded_epoch = epoch; }
  // drop --graph, and init: the copy is to begin.
  void empty(const std::string& system_identifier);
  // One segment for each table, and a position that promises nothing until the copy is whole.
  void start_copy(const std::vector<postgres::Table>& tables, change::Lsn consistent_point);
  // What is not copied yet comes under a new snapshot.
  void continue_copy(const std::string& snapshot, change::Lsn seen_until);
  bool copied() const;
  void end_copy();
  // From here on the graph is what the source was at its position.
  change::Lsn consistent_from() const;
  // Whether a node that rows make is there.
  bool has_node(const mapping::NodeTable& table, const mapping::Key& key) const;
  // The mutations alone, rolled back.
  std::optional<Error> try_out(const GraphWork& work) const;

  // Ends every connection; what still ran is rolled back.
  void restart();
  // As the backup has it; ends every connection.
  void restore(GraphContent content);

  // Copies that began in an empty graph.
  int copies() const { return copies_; }
  // Transactions that took effect, since ever.
  uint64_t commits() const { return commits_; }
  // Of removals, and of transactions.
  uint64_t pieces() const { return pieces_; }
  uint64_t transaction_pieces() const { return transaction_pieces_; }
  // A mutation that no graph could have executed; empty: there was none.
  const std::string& broken() const { return broken_; }

 private:
  friend class SimulatedGraph;

  Status commit(const GraphTransaction& transaction, size_t& removed);
  Status execute(const GraphWork& work, mapping::testing::MemoryGraph& graph, std::string* broken) const;
  void plant(const GraphTransaction& transaction);
  // Transactions whose connection was lost are done, or rolled back, in order: all of them before somebody else gets the lock.
  void end_survivors();

  Random& random_;
  const Planted planted_;
  GraphContent content_;
  size_t elements_max_ = SIZE_MAX;
  size_t piece_ = SIZE_MAX;
  int copies_ = 0;
  uint64_t commits_ = 0;
  uint64_t pieces_ = 0;
  uint64_t transaction_pieces_ = 0;
  std::string broken_;
  std::shared_ptr<const GraphWork> older_;  // For Planted::brings_back_what_was_older.
  std::vector<GraphTransaction> survivors_;
  uint64_t incarnation_ = 0;
};

class SimulatedGraph final : public apply::GraphPort {
 public:
  static constexpr int kDescriptor = 1002;

  SimulatedGraph(GraphState& state, Faults faults, std::shared_ptr<const mapping::Model> model)
      : state_(state), faults_(faults), model_(std::move(model)) {}
  ~SimulatedGraph() override { close(); }

  Result<apply::StoredPosition> open(TimePoint deadline) override;
  std::unique_ptr<apply::PreparedBatch> prepare(const apply::Batch& batch) override;
  void submit(const apply::Batch& batch, const apply::PreparedBatch& prepared, apply::Part part, int64_t epoch,
              TimePoint now) override;
  Result<std::optional<apply::Applied>> poll(TimePoint now) override;
  int descriptor() const override { return kDescriptor; }
  bool wants_write() const override { return false; }
  TimePoint deadline() const override { return kNever; }
  // What is under way may survive: a killed engine closes its connections too.
  void close() override;

  // An answer may come at any time.
  bool readable() const { return under_way_.has_value(); }
  void heal() { faults_.heal(); }

 private:
  bool unlucky() { return faults_.strikes(state_.random_, faults_.loss); }
  bool refuses() { return faults_.strikes(state_.random_, faults_.refusal); }

  GraphState& state_;
  Faults faults_;
  std::shared_ptr<const mapping::Model> model_;
  uint64_t incarnation_ = 0;
  TimePoint away_until_ = TimePoint::min();
  std::optional<GraphTransaction> under_way_;
};

}  // namespace cnx::simulation
