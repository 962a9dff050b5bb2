// One life of the engine in a history: started from what the graph and the slot hold, stepped from
// one thread, thrown away at any moment.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "apply/batch_stage.hpp"
#include "apply/lane_stage.hpp"
#include "capture/logical/logical_stage.hpp"
#include "mapping/model.hpp"
#include "simulated_copy.hpp"
#include "simulated_graph.hpp"
#include "simulated_postgres.hpp"

namespace cnx::simulation {

struct World {
  explicit World(uint64_t seed) : random(seed), postgres(random), graph(random) {}

  Random random;
  SimulatedPostgres postgres;
  GraphState graph;
  mapping::Mapping mapping;
  Expectation expectation;
};

struct EngineOptions {
  int loss_per_mille = 0;
  apply::BatchOptions batch;
  stream::QueueLimits events;
  // Steps a stage only where something has woken it, as the runner does: a wake-up that is missing
  // then ends in silence. Else any stage at any time.
  bool only_woken = false;
  change::Lsn wanted;
};

class Engine {
 public:
  enum class State { running, ended, failed };

  Engine(World& world, EngineOptions options);
  ~Engine();

  // A step of one of the stages. `progressed` says whether there was one that could be stepped.
  State step(TimePoint now);
  // When a stage is due though nothing wakes it; kNever: none.
  TimePoint due() const;
  bool may_step(TimePoint now) const;
  void stop();
  // It has lost the lock that owners hold: what it is at goes on, and nothing follows it.
  void depose() { last_pass_ = true; }
  void heal();
  const Error& error() const { return *error_; }

 private:
  struct Seat {
    stream::Stage* stage = nullptr;
    bool woken = true;
    bool done = false;
    stream::Step waits;
  };
  struct Pass;

  void start_pass();
  Rows prepare_copy(bool under_way);
  bool ready(const Seat& seat, TimePoint now) const;
  State next_pass();

  World& world_;
  EngineOptions options_;
  std::unique_ptr<mapping::Model> model_;
  postgres::TypeCatalog types_ = postgres::TypeCatalog::built_in();
  std::unique_ptr<Pass> pass_;
  bool stopping_ = false;
  bool last_pass_ = false;
  std::optional<Error> error_;
};

}  // namespace cnx::simulation
