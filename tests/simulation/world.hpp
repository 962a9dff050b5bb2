// All of a history that is not the engine: the two servers, the clock, what goes wrong, and the checks. It outlives every engine.
#pragma once

#include <deque>

#include "checks.hpp"

namespace cnx::simulation {

// What happened last, for whoever looks into a failure.
struct TraceEntry {
  TimePoint at;
  std::string what;
  change::Position position;
  change::Lsn confirmed;
};

struct World {
  World(uint64_t seed, Planted plant)
      : random(seed),
        planted(plant),
        postgres(random, once_in(random, 3) ? References::stay : References::follow),
        graph(random, plant),
        checks(postgres, graph) {}

  void trace(std::string what) {
    constexpr size_t kTraced = 60;
    traced.push_back({postgres.now, std::move(what), graph.stored().lane.position, postgres.confirmed()});
    if (traced.size() > kTraced) traced.pop_front();
  }

  Random random;
  const Planted planted;
  Faults faults;
  SimulatedPostgres postgres;
  GraphState graph;
  Checks checks;
  std::deque<TraceEntry> traced;
};

}  // namespace cnx::simulation
