// A graph that executes mutations (not Cypher) below the same port as Neo4j, with the position
// moved by compare-and-set in the same step, and that fails as its seed says: before the commit,
// after it with the answer lost, late, or by a transaction that outlives its connection.
#pragma once

#include <optional>
#include <vector>

#include "apply/graph_port.hpp"
#include "change/segment.hpp"
#include "source_model.hpp"

namespace cnx::simulation {

// One table's mutations in values of their own: a transaction may outlive the engine that sent it.
struct NodeChanges {
  bool truncated = false;
  std::vector<int64_t> removed;
  std::vector<std::pair<int64_t, int64_t>> moved;
  std::vector<std::pair<int64_t, int64_t>> upserted;  // Key, value.
  std::vector<int64_t> row_values;                    // Of every insert and update, in order.
};

struct GraphTransaction {
  apply::LanePosition from;
  apply::LanePosition to;
  int64_t epoch = 0;
  std::optional<apply::SegmentProgress> segment;
  std::vector<NodeChanges> changes;
};

// What survives every kill of the engine.
class GraphState {
 public:
  explicit GraphState(Random& random) : random_(random) {}

  const apply::StoredPosition& stored() const { return stored_; }
  const Rows& nodes() const { return nodes_; }
  // The value of every row that was applied since the copy, in order and as often as it was.
  const std::vector<int64_t>& effects() const { return effects_; }

  // A new owner: waits for whatever still runs, and raises the epoch under the lock.
  apply::StoredPosition raise_epoch();
  // An empty graph, one segment, and a position that promises nothing until the copy is whole.
  void start_copy(change::Lsn consistent_point);
  // What is not copied yet comes under a new snapshot.
  void continue_copy(const std::string& snapshot, change::Lsn seen_until);
  bool copied() const;
  void end_copy();
  const std::vector<change::Segment>& segments() const { return segments_; }
  // Copies that began in an empty graph.
  int copies() const { return copies_; }
  // From here on the graph is what the source was at its position.
  change::Lsn consistent_from() const;
  // Ends every connection; what still ran is rolled back.
  void restart();

 private:
  friend class SimulatedGraph;

  Status commit(const GraphTransaction& transaction);
  void execute(const NodeChanges& changes);
  // Transactions whose connection was lost are done, or rolled back, in order: all of them before
  // somebody else gets the lock.
  void end_survivors();

  Random& random_;
  apply::StoredPosition stored_{.lane = {.phase = apply::Phase::initial}, .epoch = 0};
  std::vector<change::Segment> segments_;
  change::Lsn consistent_point_;
  int copies_ = 0;
  Rows nodes_;
  std::vector<int64_t> effects_;
  std::vector<GraphTransaction> survivors_;
  uint64_t incarnation_ = 0;
};

class SimulatedGraph final : public apply::GraphPort {
 public:
  static constexpr int kDescriptor = 1002;

  SimulatedGraph(GraphState& state, int loss_per_mille)
      : state_(state), loss_per_mille_(loss_per_mille) {}
  ~SimulatedGraph() override { close(); }

  Result<apply::StoredPosition> open(TimePoint deadline) override;
  std::unique_ptr<apply::PreparedBatch> prepare(const apply::Batch& batch) override;
  void submit(const apply::Batch& batch, const apply::PreparedBatch& prepared, apply::Part part,
              int64_t epoch,
              TimePoint now) override;
  Result<std::optional<apply::Applied>> poll(TimePoint now) override;
  int descriptor() const override { return kDescriptor; }
  bool wants_write() const override { return false; }
  TimePoint deadline() const override { return kNever; }
  // What is under way may survive: a killed engine closes its connections too.
  void close() override;

  // An answer may come at any time.
  bool readable() const { return under_way_.has_value(); }
  void heal() { loss_per_mille_ = 0; }

 private:
  bool unlucky() { return static_cast<int>(state_.random_() % 1000) < loss_per_mille_; }

  GraphState& state_;
  int loss_per_mille_;
  uint64_t incarnation_ = 0;
  std::optional<GraphTransaction> under_way_;
};

}  // namespace cnx::simulation
