// The invariants of the promise (I1–I9), looked at after every step of a history. What is expected comes from the reference
// model; what is found broken is kept, with the invariant's name.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "postgres/replication.hpp"
#include "reference.hpp"
#include "simulated_graph.hpp"
#include "simulated_postgres.hpp"

namespace cnx::simulation {

struct Violation {
  std::string invariant;  // "I1"; "contract" where a port's caller breaks its rules.
  std::string what;
};

// One thread.
class Checks {
 public:
  // Both must outlive it.
  Checks(const SimulatedPostgres& postgres, const GraphState& graph) : postgres_(postgres), graph_(graph) {}

  const std::optional<Violation>& violation() const { return violation_; }
  // The first one stays.
  void violate(const char* invariant, std::string what);

  // A copy begins, of what PostgreSQL has now.
  void start(change::Lsn consistent_point);
  // After each step: I1, I2, I3, I4, I5, I6; I9 while the two sides do not fit together.
  void look();
  // A confirmation on its way to PostgreSQL: I1.
  void hear(const postgres::StatusUpdate& update);
  // What waits in the queue of events: I7.
  void weigh(size_t bytes, size_t bytes_max);
  // Rows were read again: until the position is there, they show a later state (I3).
  void read_again_until(change::Lsn until) { later_until_ = std::max(later_until_, until); }
  // In the end: I8.
  void at_rest();

  // From here on the two sides do not fit together, and nothing may move before a person has chosen (I9).
  void begin_gap();
  void end_gap() { gap_.reset(); }
  bool in_gap() const { return gap_.has_value(); }

  // What a graph that is restored takes along of what was found so far.
  struct Mark {
    Reference reference;
    size_t compared;
    std::optional<size_t> shown_by_copy;
    int copies;
    change::Lsn later_until;
  };
  Mark mark() const { return {reference_, compared_, shown_by_copy_, copies_, later_until_}; }
  void set_back(const Mark& mark);

 private:
  void look_at_position();
  void compare_graph(bool whole);
  void compare_effects();
  void compare_letters();
  size_t effects_shown_by_copy() const;
  std::string at() const { return " at " + graph_.stored().lane.position.to_string(); }

  const SimulatedPostgres& postgres_;
  const GraphState& graph_;
  Reference reference_;
  std::optional<Violation> violation_;
  uint64_t looked_at_ = UINT64_MAX;  // So many transactions of the graph ago.
  std::optional<uint64_t> gap_;      // As many as there were when it began.
  size_t compared_ = 0;              // Effects, which are only ever added.
  int copies_ = 0;
  std::optional<size_t> shown_by_copy_;
  change::Lsn later_until_;
};

}  // namespace cnx::simulation
