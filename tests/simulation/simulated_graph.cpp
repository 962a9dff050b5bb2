#include "simulated_graph.hpp"

namespace cnx::simulation {
namespace {

class PreparedValues final : public apply::PreparedBatch {
 public:
  explicit PreparedValues(std::vector<int64_t> values) : values_(std::move(values)) {}
  const std::vector<int64_t>& values() const { return values_; }

 private:
  std::vector<int64_t> values_;
};

Error lost() { return Error(ErrorKind::unavailable, "the simulated connection was lost"); }

}  // namespace

Result<apply::StoredPosition> SimulatedGraph::open(TimePoint) {
  under_way_ = false;
  if (unlucky()) return fail(lost());
  return state_.stored;
}

std::unique_ptr<apply::PreparedBatch> SimulatedGraph::prepare(const apply::Batch& batch) {
  std::vector<int64_t> values;
  for (const mapping::NodeMutations& node : batch.mutations.nodes) {
    for (const mapping::Properties& row : node.user_rows) {
      for (const mapping::Property& property : row) {
        if (property.name->name == "value") values.push_back(std::get<int64_t>(property.value));
      }
    }
  }
  return std::make_unique<PreparedValues>(std::move(values));
}

void SimulatedGraph::submit(const apply::Batch& batch, const apply::PreparedBatch& prepared, int64_t epoch, TimePoint) {
  under_way_ = true;
  from_ = batch.from;
  to_ = batch.to;
  epoch_ = epoch;
  values_ = static_cast<const PreparedValues&>(prepared).values();
}

Result<std::optional<apply::Applied>> SimulatedGraph::poll(TimePoint) {
  if (!under_way_ || unlucky()) return fail(lost());
  if (random_() % 3 == 0) return std::optional<apply::Applied>();  // Late.
  if (!(state_.stored.lane == from_) || state_.stored.epoch != epoch_) {
    return fail(Error(ErrorKind::server, std::string(apply::kPositionRefused), "another position"));
  }
  state_.stored.lane = to_;
  state_.values.insert(state_.values.end(), values_.begin(), values_.end());
  under_way_ = false;
  if (unlucky()) return fail(lost());  // The commit was done, its answer lost.
  return std::optional<apply::Applied>(apply::Applied{});
}

}  // namespace cnx::simulation
