// A graph that keeps a position and the rows that reached it, in order, and fails as its seed says: before the commit, after
// it with the answer lost, late.
#pragma once

#include <random>
#include <vector>

#include "apply/graph_port.hpp"

namespace cnx::simulation {

// What survives every kill of the engine.
struct GraphState {
  apply::StoredPosition stored;
  std::vector<int64_t> values;  // Each effect, as often as it took place.
};

class SimulatedGraph final : public apply::GraphPort {
 public:
  SimulatedGraph(GraphState& state, std::mt19937_64& random, int loss_per_mille)
      : state_(state), random_(random), loss_per_mille_(loss_per_mille) {}

  Result<apply::StoredPosition> open(TimePoint deadline) override;
  std::unique_ptr<apply::PreparedBatch> prepare(const apply::Batch& batch) override;
  void submit(const apply::Batch& batch, const apply::PreparedBatch& prepared, int64_t epoch, TimePoint now) override;
  Result<std::optional<apply::Applied>> poll(TimePoint now) override;
  int descriptor() const override { return -1; }
  bool wants_write() const override { return false; }
  TimePoint deadline() const override { return kNever; }
  void close() override { under_way_ = false; }

 private:
  bool unlucky() { return static_cast<int>(random_() % 1000) < loss_per_mille_; }

  GraphState& state_;
  std::mt19937_64& random_;
  int loss_per_mille_;
  bool under_way_ = false;
  apply::LanePosition from_;
  apply::LanePosition to_;
  int64_t epoch_ = 0;
  std::vector<int64_t> values_;
};

}  // namespace cnx::simulation
