#include "simulated_graph.hpp"

namespace cnx::simulation {
namespace {

class PreparedChanges final : public apply::PreparedBatch {
 public:
  explicit PreparedChanges(std::vector<NodeChanges> changes) : changes_(std::move(changes)) {}
  const std::vector<NodeChanges>& changes() const { return changes_; }

 private:
  std::vector<NodeChanges> changes_;
};

Error lost() {
  return Error(ErrorKind::unavailable, "the simulated connection was lost");
}
Error refused(std::string_view code) {
  return Error(ErrorKind::server, std::string(code), "the simulated graph refused");
}

int64_t number(const mapping::Key& key) {
  return std::get<int64_t>(key);
}

std::optional<int64_t> value_of(const mapping::Properties& properties) {
  for (const mapping::Property& property : properties) {
    if (property.name->name == "value") return std::get<int64_t>(property.value);
  }
  return std::nullopt;
}

NodeChanges changes_of(const mapping::NodeMutations& node) {
  NodeChanges changes;
  changes.truncated = node.truncated;
  for (const mapping::Key& key : node.removed) changes.removed.push_back(number(key));
  for (const mapping::KeyChange& change : node.key_changes) {
    changes.moved.emplace_back(number(change.from), number(change.to));
  }
  for (const mapping::NodeUpsert& upsert : node.upserts) {
    if (auto value = value_of(upsert.properties)) {
      changes.upserted.emplace_back(number(upsert.key), *value);
    }
  }
  for (const mapping::Properties& row : node.user_rows) {
    changes.row_values.push_back(value_of(row).value());
  }
  return changes;
}

}  // namespace

apply::StoredPosition GraphState::raise_epoch() {
  end_survivors();
  stored_.epoch += 1;
  return stored_;
}

void GraphState::start_copy(change::Lsn consistent_point) {
  nodes_.clear();
  effects_.clear();
  ++copies_;
  consistent_point_ = consistent_point;
  change::Segment whole;
  whole.key = "history/1";
  whole.schema = "public";
  whole.table = "counted";
  whole.key_columns = {{"id", change::KeyOrder::integer}};
  segments_ = {whole};
  stored_.lane = {.position = {}, .phase = apply::Phase::snapshot, .partial = false};
}

void GraphState::continue_copy(const std::string& snapshot, change::Lsn seen_until) {
  change::Segment open = std::move(segments_.back());
  segments_.pop_back();
  if (!open.last.empty()) {
    change::Segment done = open;
    done.upto = open.last;
    done.done = true;
    segments_.push_back(std::move(done));
    open.above = std::move(open.last);
    open.last.clear();
  }
  open.key = "history/" + std::to_string(segments_.size() + 1);
  open.snapshot = snapshot;
  open.seen_until = seen_until;
  segments_.push_back(std::move(open));
  stored_.lane = {.position = {}, .phase = apply::Phase::snapshot, .partial = false};
}

bool GraphState::copied() const {
  return !segments_.empty() && segments_.back().done;
}

void GraphState::end_copy() {
  stored_.lane = {.position = {consistent_point_, 0}, .phase = apply::Phase::stream, .partial = false};
}

change::Lsn GraphState::consistent_from() const {
  change::Lsn from;
  for (const change::Segment& segment : segments_) from = std::max(from, segment.seen_until);
  return from;
}

void GraphState::restart() {
  ++incarnation_;
  survivors_.clear();
}

void GraphState::end_survivors() {
  for (const GraphTransaction& transaction : survivors_) {
    if (once_in(random_, 2)) (void)commit(transaction);  // Nobody hears of a refusal.
  }
  survivors_.clear();
}

Status GraphState::commit(const GraphTransaction& transaction) {
  if (!(stored_.lane == transaction.from) || stored_.epoch != transaction.epoch) {
    return fail(refused(apply::kPositionRefused));
  }
  const bool streamed = transaction.from.phase == apply::Phase::stream;
  for (const NodeChanges& changes : transaction.changes) {
    execute(changes);
    if (!streamed) continue;
    effects_.insert(effects_.end(), changes.row_values.begin(), changes.row_values.end());
  }
  for (change::Segment& segment : segments_) {
    if (!transaction.segment || segment.key != transaction.segment->key) continue;
    if (!transaction.segment->last.empty()) segment.last = transaction.segment->last;
    segment.done = transaction.segment->done;
  }
  stored_.lane = transaction.to;
  return {};
}

void GraphState::execute(const NodeChanges& changes) {
  if (changes.truncated) nodes_.clear();
  for (int64_t key : changes.removed) nodes_.erase(key);
  Rows moved;
  for (const auto& [from, to] : changes.moved) {
    auto found = nodes_.extract(from);
    if (!found.empty()) moved[to] = found.mapped();
  }
  for (const auto& [key, value] : moved) nodes_[key] = value;
  for (const auto& [key, value] : changes.upserted) nodes_[key] = value;
}

Result<apply::StoredPosition> SimulatedGraph::open(TimePoint) {
  close();
  if (unlucky()) return fail(lost());
  if (unlucky()) return fail(refused("Neo.TransientError.General.DatabaseUnavailable"));
  // A plain read waits for nobody: what still runs may be done before it, or after.
  if (once_in(state_.random_, 2)) state_.end_survivors();
  incarnation_ = state_.incarnation_;
  return state_.stored_;
}

std::unique_ptr<apply::PreparedBatch> SimulatedGraph::prepare(const apply::Batch& batch) {
  std::vector<NodeChanges> changes;
  for (const mapping::NodeMutations& node : batch.mutations.nodes) {
    changes.push_back(changes_of(node));
  }
  return std::make_unique<PreparedChanges>(std::move(changes));
}

void SimulatedGraph::submit(const apply::Batch& batch, const apply::PreparedBatch& prepared,
                            apply::Part, int64_t epoch, TimePoint) {
  const auto& changes = static_cast<const PreparedChanges&>(prepared).changes();
  under_way_ = GraphTransaction{batch.from, batch.to, epoch, batch.segment, changes};
}

Result<std::optional<apply::Applied>> SimulatedGraph::poll(TimePoint) {
  if (incarnation_ != state_.incarnation_) {
    under_way_.reset();
    return fail(lost());
  }
  if (unlucky()) {
    close();
    return fail(lost());
  }
  if (once_in(state_.random_, 3)) return std::optional<apply::Applied>();  // Later.
  if (unlucky()) {
    under_way_.reset();
    const bool deadlock = once_in(state_.random_, 2);
    return fail(refused(deadlock ? "Neo.TransientError.Transaction.DeadlockDetected"
                                 : "Neo.ClientError.Transaction.Terminated"));
  }
  state_.end_survivors();
  GraphTransaction transaction = std::move(*under_way_);
  under_way_.reset();
  CNX_TRY(state_.commit(transaction));
  if (unlucky()) return fail(lost());  // The commit was done, its answer lost.
  return std::optional<apply::Applied>(apply::Applied{});
}

void SimulatedGraph::close() {
  if (under_way_ && incarnation_ == state_.incarnation_ && once_in(state_.random_, 2)) {
    state_.survivors_.push_back(std::move(*under_way_));
  }
  under_way_.reset();
}

}  // namespace cnx::simulation
