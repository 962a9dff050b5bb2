#include "engine.hpp"

#include <gtest/gtest.h>

#include <array>

namespace cnx::simulation {

using stream::Step;

namespace {

std::vector<postgres::Table> catalog() {
  constexpr change::Oid kInt8{20};
  postgres::Table table;
  table.oid = change::Oid(SimulatedPostgres::kTable);
  table.name = {"public", "counted"};
  table.columns = {{.number = 1, .name = "id", .type = kInt8},
                   {.number = 2, .name = "value", .type = kInt8}};
  return {table};
}

}  // namespace

// The stages of a copy, or of following the changes, between their queues.
struct Engine::Pass {
  Pass(World& world, const EngineOptions& options, mapping::Model& model,
       const postgres::TypeCatalog& types, apply::StoredPosition start, const Rows& rows)
      : following(start.lane.phase == apply::Phase::stream),
        events(options.events),
        batches({.items_max = 1, .bytes_max = 1 << 20}),
        graph(world.graph, options.loss_per_mille) {
    apply::BatchOptions batch_options = options.batch;
    batch_options.start = start.lane;
    batch.emplace(events, batches, model, types, batch_options);
    lane.emplace(batches, graph, acknowledgement, lane_counters,
                 apply::LaneOptions{.start = start, .seed = world.random()}, nullptr);
    if (following) {
      follow(world, options, start);
    } else {
      copy.emplace(events, rows, world.graph.segments().back());
    }
    seats = {Seat{.stage = following ? static_cast<stream::Stage*>(&*logical) : &*copy},
             Seat{.stage = &*batch}, Seat{.stage = &*lane}};
    events.on_room([this] { seats[0].woken = true; });
    events.on_readable([this] { seats[1].woken = true; });
    batches.on_room([this] { seats[1].woken = true; });
    batches.on_readable([this] { seats[2].woken = true; });
    acknowledgement.on_advance([this] { seats[0].woken = true; });
  }

  void follow(World& world, const EngineOptions& options, const apply::StoredPosition& start) {
    acknowledgement.advance(start.lane.position);
    slot.emplace(world.postgres, options.loss_per_mille, [&world](change::Lsn flushed) {
      // I1: never confirmed beyond what the graph holds, nor inside a transaction.
      const change::Position held = world.graph.stored().lane.position;
      EXPECT_LE(flushed, held.lsn);
      EXPECT_EQ(world.graph.stored().lane.phase, apply::Phase::stream);
    });
    capture::LogicalOptions logical_options;
    logical_options.start = start.lane.position;
    logical_options.seed = world.random();
    logical_options.wanted = options.wanted;
    auto made = capture::CopiedRows::make(world.graph.segments());
    EXPECT_TRUE(made) << made.error().describe();
    copied.emplace(*std::move(made));
    logical_options.copied = &*copied;
    logical.emplace(*slot, events, acknowledgement, logical_counters, logical_options, nullptr);
  }

  bool following;
  stream::Queue<change::Event> events;
  stream::Queue<apply::Batch> batches;
  stream::Acknowledgement acknowledgement;
  capture::LogicalCounters logical_counters;
  apply::LaneCounters lane_counters;
  SimulatedGraph graph;
  std::optional<SimulatedSlot> slot;
  std::optional<SimulatedCopy> copy;
  std::optional<capture::CopiedRows> copied;
  std::optional<capture::LogicalStage> logical;
  std::optional<apply::BatchStage> batch;
  std::optional<apply::LaneStage> lane;
  std::array<Seat, 3> seats;
};

Engine::Engine(World& world, EngineOptions options) : world_(world), options_(options) {
  auto model = mapping::Model::make(world.mapping, catalog());
  EXPECT_TRUE(model) << model.error().describe();
  model_ = *std::move(model);
  start_pass();
}

Engine::~Engine() = default;

// As the pipeline starts: the other owner is fenced off, then comes what the graph holds by then.
void Engine::start_pass() {
  apply::StoredPosition start = world_.graph.raise_epoch();
  Rows rows;
  if (start.lane.phase != apply::Phase::stream) {
    rows = prepare_copy(start.lane.phase == apply::Phase::snapshot);
    start.lane = world_.graph.stored().lane;
  }
  pass_.reset();
  pass_ = std::make_unique<Pass>(world_, options_, *model_, types_, start, rows);
}

// What is to be copied, from the beginning or from where it was; nothing where all is.
Rows Engine::prepare_copy(bool under_way) {
  if (under_way && world_.graph.copied()) {
    world_.graph.end_copy();
    return {};
  }
  // A copy of which some table was truncated since would copy it anew; this source has one table.
  if (under_way && !world_.postgres.truncated_since_slot()) {
    SimulatedPostgres::Snapshot snapshot = world_.postgres.take_snapshot();
    world_.graph.continue_copy(snapshot.text, snapshot.seen_until);
    return std::move(snapshot.rows);
  }
  const change::Lsn consistent_point = world_.postgres.make_slot();
  world_.expectation.start(consistent_point, world_.postgres.rows(),
                           world_.postgres.transactions().size());
  world_.graph.start_copy(consistent_point);
  return world_.postgres.rows();
}

bool Engine::ready(const Seat& seat, TimePoint now) const {
  if (seat.done) return false;
  if (!options_.only_woken || seat.woken || now >= seat.waits.until) return true;
  if (!seat.waits.readable) return false;
  if (seat.waits.descriptor == SimulatedSlot::kDescriptor) return pass_->slot->readable();
  return pass_->graph.readable();
}

bool Engine::may_step(TimePoint now) const {
  for (const Seat& seat : pass_->seats) {
    if (ready(seat, now)) return true;
  }
  return false;
}

TimePoint Engine::due() const {
  TimePoint due = kNever;
  for (const Seat& seat : pass_->seats) {
    if (!seat.done) due = std::min(due, seat.waits.until);
  }
  return due;
}

Engine::State Engine::step(TimePoint now) {
  std::vector<Seat*> candidates;
  for (Seat& seat : pass_->seats) {
    if (ready(seat, now)) candidates.push_back(&seat);
  }
  if (candidates.empty()) return State::running;
  Seat& seat = *candidates[world_.random() % candidates.size()];
  seat.woken = false;
  Step step = seat.stage->step(now);
  switch (step.kind) {
    case Step::Kind::progressed:
      seat.woken = true;
      return State::running;
    case Step::Kind::waiting:
      seat.waits = std::move(step);
      return State::running;
    case Step::Kind::failed:
      error_ = std::move(step.error);
      return State::failed;
    case Step::Kind::done:
      seat.done = true;
      break;
  }
  for (const Seat& other : pass_->seats) {
    if (!other.done) return State::running;
  }
  return next_pass();
}

Engine::State Engine::next_pass() {
  if (pass_->following || stopping_ || last_pass_) return State::ended;
  start_pass();
  return State::running;
}

void Engine::stop() {
  if (stopping_) return;
  stopping_ = true;
  pass_->seats[0].stage->stop();
  pass_->seats[0].woken = true;
}

void Engine::heal() {
  options_.loss_per_mille = 0;
  pass_->graph.heal();
  if (pass_->slot) pass_->slot->heal();
}

}  // namespace cnx::simulation
