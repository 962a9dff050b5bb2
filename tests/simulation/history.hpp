// A history: the real stages over the simulated servers, stepped from one thread in an order drawn from a seed, under a virtual
// clock, with servers that fail and an engine that is killed, stopped and replaced at any step. One seed is one history.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "engine.hpp"

namespace cnx::simulation {

// What histories were made of, so that a test can tell that everything happened.
struct Tally {
  int kills = 0;
  int stops = 0;
  int takeovers = 0;
  int copies_killed = 0;
  int copies_continued = 0;
  int pieces = 0;           // Of transactions.
  int removals = 0;         // Pieces of removals.
  int crashes = 0;
  int deposed_failures = 0;
  int letters = 0;
  int read_again = 0;
  int restored = 0;         // Graphs, to where the slot still is.
  int gaps = 0;             // Named, and cured.
};

class History {
 public:
  explicit History(uint64_t seed, Planted planted = Planted::nothing);

  // To its end, or to the first invariant that is broken.
  void run(Tally& tally);
  const std::optional<Violation>& violation() const { return world_.checks.violation(); }
  // What happened last, a line each.
  std::string trace() const;

 private:
  // What a graph's backup keeps, and what was known of it.
  struct Backup {
    GraphContent graph;
    Checks::Mark mark;
    int copies;
  };
  // Why the two sides do not fit together, and what that may be called.
  struct Gap {
    std::string cause;
    std::vector<capture::SourceState> names;
    int refusals = 0;
  };

  uint64_t random() { return world_.random(); }
  bool once_in(uint64_t times) { return simulation::once_in(world_.random, times); }
  bool broken() const { return violation().has_value(); }
  const apply::LanePosition& lane() const { return world_.graph.stored().lane; }
  bool is_consistent() const;

  void start();
  void commit();
  void disturb();
  void replace_engine();
  void back_up();
  void tear_apart();
  void restore_graph();
  void restore_postgres();
  void begin_gap(const char* cause, std::vector<capture::SourceState> names);
  void cure();
  void pass_time();
  void advance();
  void advance_alone();
  void take_failure();
  bool caught_up() const;
  void settle();
  void stop_at_the_end();

  World world_;
  Tally* tally_ = nullptr;
  EngineOptions options_;
  std::unique_ptr<Engine> engine_;
  std::unique_ptr<Engine> deposed_;
  std::optional<Backup> backup_;
  std::optional<SimulatedPostgres::Image> image_;
  std::optional<Gap> gap_;
  TimePoint now_ = TimePoint(std::chrono::hours(1));
  bool stopping_ = false;
  bool ended_ = false;
};

}  // namespace cnx::simulation
