#include "simulated_graph.hpp"

#include <algorithm>
#include <array>

#include "graph_removal.hpp"
#include "mapping/testing/execution.hpp"

namespace cnx::simulation {
namespace {

using mapping::testing::MemoryGraph;

// Of each class that is tried again, and of the one that asks for less at once.
constexpr std::array kRefusals = {"Neo.TransientError.Transaction.Outdated", "Neo.TransientError.General.DatabaseUnavailable",
                                  "Neo.ClientError.Transaction.Terminated", "Neo.TransientError.Transaction.DeadlockDetected",
                                  "Neo.TransientError.General.MemoryPoolOutOfMemoryError"};
constexpr const char* kPoisonRefused = "Neo.ClientError.Statement.TypeError";
constexpr Duration kAwayMost = std::chrono::seconds(20);

class PreparedWork final : public apply::PreparedBatch {
 public:
  explicit PreparedWork(std::shared_ptr<const GraphWork> work) : work_(std::move(work)) {}
  size_t removal_steps() const override { return kRemovalSteps; }
  const std::shared_ptr<const GraphWork>& work() const { return work_; }

 private:
  std::shared_ptr<const GraphWork> work_;
};

Error lost() {
  return Error(ErrorKind::unavailable, "the simulated connection was lost");
}
Error refused(std::string_view code) {
  return Error(ErrorKind::server, std::string(code), "the simulated graph refused");
}

// Values of the rows that the user's statement got.
std::vector<int64_t> values_of(const mapping::Mutations& mutations) {
  std::vector<int64_t> values;
  for (const mapping::NodeMutations& node : mutations.nodes) {
    if (!node.table->rule->cypher) continue;
    for (const mapping::Properties& row : node.user_rows) {
      for (const mapping::Property& property : row) {
        if (property.name->name == "value") values.push_back(std::get<int64_t>(property.value));
      }
    }
  }
  return values;
}

bool has_poison(const mapping::Mutations& mutations) {
  const std::vector<int64_t> values = values_of(mutations);
  return std::any_of(values.begin(), values.end(), [](int64_t value) { return value < 0; });
}

// As somebody who takes what the graph refuses for done.
mapping::Mutations without_poison(mapping::Mutations mutations) {
  for (mapping::NodeMutations& node : mutations.nodes) {
    std::erase_if(node.user_rows, [](const mapping::Properties& row) {
      return std::any_of(row.begin(), row.end(), [](const mapping::Property& property) {
        return property.name->name == "value" && std::get<int64_t>(property.value) < 0;
      });
    });
  }
  return mutations;
}

}  // namespace

capture::HeldPosition GraphState::held() const {
  return {.position = content_.stored.lane.position,
          .system_identifier = content_.system_identifier,
          .timeline = 1,
          .database = "knowledge",
          .slot = "contextnexus",
          .epoch = content_.stored.epoch,
          .recorded_epoch = content_.recorded_epoch};
}

apply::StoredPosition GraphState::raise_epoch(int64_t at_least) {
  end_survivors();
  content_.stored.epoch = std::max(content_.stored.epoch, at_least) + 1;
  return content_.stored;
}

void GraphState::empty(const std::string& system_identifier) {
  const int64_t epoch = content_.stored.epoch;
  content_ = GraphContent();
  content_.stored.epoch = epoch;
  content_.system_identifier = system_identifier;
  restart();
}

void GraphState::start_copy(const std::vector<postgres::Table>& tables, change::Lsn consistent_point) {
  content_.graph = MemoryGraph();
  content_.effects.clear();
  content_.segments.clear();
  content_.consistent_point = consistent_point;
  ++copies_;
  for (const Table table : kTables) {
    const postgres::Table& described = tables[static_cast<size_t>(table)];
    change::Segment whole;
    whole.key = "history/" + std::to_string(content_.segments.size() + 1);
    whole.schema = described.name.schema;
    whole.table = described.name.name;
    for (size_t i = 0; i < key_columns(table); ++i) {
      const bool is_text = described.columns[i].type == change::Oid(25);
      whole.key_columns.push_back({described.columns[i].name, is_text ? change::KeyOrder::bytes : change::KeyOrder::integer});
    }
    content_.segments.push_back(std::move(whole));
  }
  content_.stored.lane = {.position = {}, .phase = apply::Phase::snapshot, .partial = false};
}

void GraphState::continue_copy(const std::string& snapshot, change::Lsn seen_until) {
  std::vector<change::Segment> segments;
  for (change::Segment& open : content_.segments) {
    if (!open.done && !open.last.empty()) {
      change::Segment done = open;
      done.upto = open.last;
      done.done = true;
      segments.push_back(std::move(done));
      open.above = std::move(open.last);
      open.last.clear();
    }
    if (!open.done) {
      open.snapshot = snapshot;
      open.seen_until = seen_until;
    }
    segments.push_back(std::move(open));
  }
  for (size_t i = 0; i < segments.size(); ++i) segments[i].key = "history/" + std::to_string(i + 1);
  content_.segments = std::move(segments);
  content_.stored.lane = {.position = {}, .phase = apply::Phase::snapshot, .partial = false};
}

bool GraphState::copied() const {
  const auto& segments = content_.segments;
  return std::all_of(segments.begin(), segments.end(), [](const change::Segment& segment) { return segment.done; });
}

void GraphState::end_copy() {
  content_.stored.lane = {.position = {content_.consistent_point, 0}, .phase = apply::Phase::stream, .partial = false};
}

change::Lsn GraphState::consistent_from() const {
  change::Lsn from;
  for (const change::Segment& segment : content_.segments) from = std::max(from, segment.seen_until);
  return from;
}

bool GraphState::has_node(const mapping::NodeTable& table, const mapping::Key& key) const {
  const std::optional<int> found = content_.graph.find(table, key);
  return found && !content_.graph.is_stub(*found);
}

std::optional<Error> GraphState::try_out(const GraphWork& work) const {
  MemoryGraph graph = content_.graph;
  Status done = execute(work, graph, nullptr);
  if (done) return std::nullopt;
  return std::move(done.error());
}

void GraphState::restart() {
  ++incarnation_;
  survivors_.clear();
}

void GraphState::restore(GraphContent content) {
  restart();
  content_ = std::move(content);
}

void GraphState::end_survivors() {
  size_t removed = 0;
  for (const GraphTransaction& transaction : survivors_) {
    if (once_in(random_, 2)) (void)commit(transaction, removed);  // Nobody hears of a refusal.
  }
  survivors_.clear();
}

Status GraphState::execute(const GraphWork& work, MemoryGraph& graph, std::string* broken) const {
  const bool filters = planted_ == Planted::passes_refused_rows;
  if (!filters && has_poison(work.mutations)) return fail(refused(kPoisonRefused));
  mapping::testing::Execution execution(graph);
  execution.run(filters ? without_poison(work.mutations) : work.mutations);
  for (const std::string& fault : execution.faults()) {
    if (fault.find("lacks") != std::string::npos) {
      return fail(Error(ErrorKind::state, std::string(apply::kEntityMissing), "an entity is missing"));
    }
    if (broken != nullptr) *broken = fault;
  }
  return {};
}

Status GraphState::commit(const GraphTransaction& transaction, size_t& removed) {
  using Kind = apply::Part::Kind;
  apply::LanePosition& lane = content_.stored.lane;
  if (!same_place(lane, transaction.from) || content_.stored.epoch != transaction.epoch) return fail(refused(apply::kPositionRefused));
  const mapping::Mutations& mutations = transaction.work->mutations;
  if (transaction.part.kind == Kind::piece) {
    const mapping::Mutations piece = removal_piece(mutations, transaction.part.step, piece_, content_.graph);
    removed = removal_size(piece, content_.graph);
    mapping::testing::Execution(content_.graph).run(piece);
    lane.partial = true;
    lane.partial_until = transaction.to.position.lsn;
    ++pieces_;
    ++commits_;
    return {};
  }
  const bool too_large = transaction.part.kind == Kind::whole && removal_size(mutations, content_.graph) > elements_max_;
  if (too_large) return fail(refused(apply::kTooLargeAtOnce));
  MemoryGraph after = content_.graph;
  CNX_TRY(execute(*transaction.work, after, &broken_));
  content_.graph = std::move(after);
  if (transaction.from.phase == apply::Phase::stream) {
    for (int64_t value : values_of(mutations)) {
      if (value >= 0) content_.effects.push_back(value);
    }
  }
  for (change::Segment& segment : content_.segments) {
    if (!transaction.segment || segment.key != transaction.segment->key) continue;
    if (!transaction.segment->last.empty()) segment.last = transaction.segment->last;
    segment.done = transaction.segment->done;
  }
  lane = transaction.to;
  if (transaction.ahead) content_.stored.ahead = *transaction.ahead;
  if (transaction.last.final_lsn != change::Lsn()) content_.stored.last = transaction.last;
  ++commits_;
  if (lane.phase == apply::Phase::stream && lane.position.ordinal > 0) ++transaction_pieces_;
  plant(transaction);
  return {};
}

void GraphState::plant(const GraphTransaction& transaction) {
  if (transaction.from.phase != apply::Phase::stream) return;
  if (planted_ == Planted::hides_pieces && transaction.to.position.ordinal > 0) content_.stored.lane.partial = false;
  if (planted_ == Planted::applies_twice && once_in(random_, 5)) {
    for (int64_t value : values_of(transaction.work->mutations)) content_.effects.push_back(value);
  }
  if (planted_ == Planted::brings_back_what_was_older) {
    if (older_ && once_in(random_, 3)) mapping::testing::Execution(content_.graph).run(older_->mutations);
    if (!older_ || once_in(random_, 2)) older_ = transaction.work;
  }
  if (planted_ != Planted::drops_stubs) return;
  std::erase_if(content_.graph.edges(), [&](const auto& each) {
    return content_.graph.is_stub(each.second.start) || content_.graph.is_stub(each.second.end);
  });
  std::erase_if(content_.graph.nodes(), [&](const auto& each) { return content_.graph.is_stub(each.first); });
}

Result<apply::StoredPosition> SimulatedGraph::open(TimePoint deadline) {
  close();
  if (unlucky()) return fail(lost());
  if (refuses()) away_until_ = deadline + std::chrono::milliseconds(state_.random_() % (kAwayMost / std::chrono::milliseconds(1)));
  if (deadline < away_until_) return fail(refused("Neo.TransientError.General.DatabaseUnavailable"));
  // A plain read waits for nobody: what still runs may be done before it, or after.
  if (once_in(state_.random_, 2)) state_.end_survivors();
  incarnation_ = state_.incarnation_;
  return state_.stored();
}

std::unique_ptr<apply::PreparedBatch> SimulatedGraph::prepare(const apply::Batch& batch) {
  return std::make_unique<PreparedWork>(std::make_shared<GraphWork>(GraphWork{model_, batch.mutations}));
}

void SimulatedGraph::submit(const apply::Batch& batch, const apply::PreparedBatch& prepared, apply::Part part, int64_t epoch,
                            TimePoint) {
  under_way_ = GraphTransaction{batch.from, batch.to, epoch, part, batch.segment, static_cast<const PreparedWork&>(prepared).work(), batch.ahead,
                                  {batch.final_lsn, batch.commit_microseconds}};
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
  if (state_.planted_ == Planted::never_recovers) {
    under_way_.reset();
    return fail(refused(kRefusals[1]));
  }
  if (!once_in(state_.random_, static_cast<uint64_t>(faults_.slowness))) return std::optional<apply::Applied>();  // Later.
  if (refuses()) {
    under_way_.reset();
    return fail(refused(kRefusals[state_.random_() % (kRefusals.size() - (faults_.memory ? 0 : 1))]));
  }
  state_.end_survivors();
  const GraphTransaction transaction = std::move(*under_way_);
  under_way_.reset();
  apply::Applied applied;
  CNX_TRY(state_.commit(transaction, applied.removed));
  if (unlucky()) return fail(lost());  // The commit was done, its answer lost.
  return std::optional<apply::Applied>(applied);
}

void SimulatedGraph::close() {
  if (under_way_ && incarnation_ == state_.incarnation_ && once_in(state_.random_, 2)) {
    state_.survivors_.push_back(std::move(*under_way_));
  }
  under_way_.reset();
}

}  // namespace cnx::simulation
