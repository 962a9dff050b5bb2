// Histories: the real stages over a simulated PostgreSQL and a simulated graph, stepped from one thread in an order drawn
// from a seed, under a virtual clock, with connections lost on both sides and the engine killed at any step. One seed is one
// history; a failing one is printed and repeats.
#include <gtest/gtest.h>

#include "apply/batch_stage.hpp"
#include "apply/lane_stage.hpp"
#include "capture/logical/logical_stage.hpp"
#include "mapping/load.hpp"
#include "simulated_graph.hpp"
#include "simulated_postgres.hpp"

namespace cnx::simulation {
namespace {

constexpr std::string_view kMapping = R"(
version: 1
name: history
tables:
  counted:
    node: Counted
    key: id
    cypher: UNWIND $rows AS row RETURN row
)";

std::vector<postgres::Table> catalog() {
  postgres::Table table;
  table.oid = change::Oid(SimulatedPostgres::kTable);
  table.name = {"public", "counted"};
  table.columns = {{.number = 1, .name = "id", .type = change::Oid(20)}, {.number = 2, .name = "value", .type = change::Oid(20)}};
  return {table};
}

// One life of the engine: made from what the graph holds, thrown away at any moment.
class Engine {
 public:
  Engine(SimulatedPostgres& postgres, GraphState& graph, const mapping::Mapping& mapping, std::mt19937_64& random, int loss,
         apply::BatchOptions batch)
      : random_(random), events_({.items_max = 40, .bytes_max = 20'000}), batches_({.items_max = 1, .bytes_max = 1 << 20}) {
    graph.stored.epoch += 1;
    model_ = std::move(*mapping::Model::make(mapping, catalog()));
    batch.start = graph.stored.lane;
    slot_.emplace(postgres, random, loss, [&graph](change::Lsn flushed) {
      // I1: never confirmed beyond what the graph holds.
      ASSERT_LE(flushed, graph.stored.lane.position.lsn);
    });
    port_.emplace(graph, random, loss);
    acknowledgement_.advance(graph.stored.lane.position);
    capture::LogicalOptions logical;
    logical.start = graph.stored.lane.position;
    logical.seed = random();
    capture_.emplace(*slot_, events_, acknowledgement_, logical_counters_, logical, nullptr);
    batch_.emplace(events_, batches_, *model_, types_, batch);
    lane_.emplace(batches_, *port_, acknowledgement_, lane_counters_,
                  apply::LaneOptions{.start = graph.stored, .seed = random()}, nullptr);
  }

  // A step of one of the stages; false: it failed.
  bool step(TimePoint now) {
    stream::Stage* stages[] = {&*capture_, &*batch_, &*lane_};
    stream::Step step = stages[random_() % 3]->step(now);
    if (step.kind != stream::Step::Kind::failed) return true;
    error_ = step.error->describe();
    return false;
  }
  const std::string& error() const { return error_; }

 private:
  std::mt19937_64& random_;
  postgres::TypeCatalog types_ = postgres::TypeCatalog::built_in();
  std::unique_ptr<mapping::Model> model_;
  stream::Queue<change::Event> events_;
  stream::Queue<apply::Batch> batches_;
  stream::Acknowledgement acknowledgement_;
  capture::LogicalCounters logical_counters_;
  apply::LaneCounters lane_counters_;
  std::optional<SimulatedSlot> slot_;
  std::optional<SimulatedGraph> port_;
  std::optional<capture::LogicalStage> capture_;
  std::optional<apply::BatchStage> batch_;
  std::optional<apply::LaneStage> lane_;
  std::string error_;
};

class History {
 public:
  explicit History(uint64_t seed) : random_(seed) {
    mapping_ = std::move(*mapping::load(kMapping, "history.yaml"));
    graph_.stored.lane.position = {postgres_.confirmed(), 0};
    // Small enough that batches are cut everywhere and large transactions go in pieces.
    batch_ = {.rows_target = 1 + random_() % 12,
              .transaction_elements_max = 5 + random_() % 30,
              .piece_rows = 1 + random_() % 7};
  }

  void run() {
    const int loss = static_cast<int>(random_() % 30);
    start(loss);
    for (int i = 0; i < 1'500; ++i) {
      if (random_() % 20 == 0) commit();
      if (random_() % 60 == 0) postgres_.write_elsewhere(random_() % 5'000);
      if (random_() % 100 == 0) start(loss);  // kill -9
      advance(loss);
      check();
      if (testing::Test::HasFatalFailure()) return;
    }
    settle();
  }

 private:
  void start(int loss) { engine_ = std::make_unique<Engine>(postgres_, graph_, mapping_, random_, loss, batch_); }

  void commit() {
    std::vector<SimulatedRow> rows;
    const uint64_t count = random_() % 10 == 0 ? random_() % 80 : random_() % 6;
    for (uint64_t i = 0; i < count; ++i) rows.push_back({static_cast<int64_t>(random_() % 5), ++value_});
    for (const SimulatedRow& row : rows) expected_.push_back(row.value);
    postgres_.commit(std::move(rows), random_() % 3 == 0);
  }

  void advance(int loss) {
    now_ += std::chrono::milliseconds(random_() % 400);
    if (engine_->step(now_)) return;
    FAIL() << "the engine stopped: " << engine_->error();
    start(loss);
  }

  // I2, I4, I6: what the graph holds is a prefix of what was committed, each effect once and in order, and the position says
  // which prefix.
  void check() {
    ASSERT_LE(graph_.values.size(), expected_.size());
    for (; checked_ < graph_.values.size(); ++checked_) ASSERT_EQ(graph_.values[checked_], expected_[checked_]);
    size_t wanted = 0;
    const change::Position position = graph_.stored.lane.position;
    for (const SimulatedTransaction& transaction : postgres_.transactions()) {
      if (transaction.end_lsn <= position.lsn && !(position.ordinal > 0 && transaction.final_lsn == position.lsn)) {
        wanted += transaction.rows.size();
      } else if (position.ordinal > 0 && transaction.final_lsn == position.lsn) {
        wanted += position.ordinal;
      }
    }
    ASSERT_EQ(graph_.values.size(), wanted) << "at " << position.to_string();
    ASSERT_LE(postgres_.confirmed(), position.lsn);
  }

  // I8: when faults stop, lag goes to zero by itself, and the idle slot moves.
  void settle() {
    start(0);
    for (int i = 0; i < 20'000 && postgres_.confirmed() < postgres_.wal_end(); ++i) {
      advance(0);
      check();
      if (testing::Test::HasFatalFailure()) return;
    }
    ASSERT_EQ(graph_.values, expected_);
    ASSERT_EQ(postgres_.confirmed(), postgres_.wal_end());
  }

  std::mt19937_64 random_;
  mapping::Mapping mapping_;
  SimulatedPostgres postgres_;
  GraphState graph_;
  apply::BatchOptions batch_;
  std::unique_ptr<Engine> engine_;
  TimePoint now_ = TimePoint(std::chrono::hours(1));
  int64_t value_ = 0;
  std::vector<int64_t> expected_;
  size_t checked_ = 0;
};

TEST(History, each_transaction_takes_effect_once_whole_and_in_order) {
  uint64_t first = 1;
  uint64_t count = 300;
  if (const char* seed = std::getenv("CNX_SEED")) {
    first = std::strtoull(seed, nullptr, 10);
    count = 1;
  }
  for (uint64_t seed = first; seed < first + count; ++seed) {
    SCOPED_TRACE("repeat it with CNX_SEED=" + std::to_string(seed));
    History(seed).run();
    if (HasFatalFailure()) return;
  }
}

}  // namespace
}  // namespace cnx::simulation
