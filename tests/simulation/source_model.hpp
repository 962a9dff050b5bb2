// What happened in the simulated source: transactions over one table, and what a graph must show
// that has applied them up to a position.
#pragma once

#include <cstdint>
#include <map>
#include <random>
#include <vector>

#include "change/ids.hpp"

namespace cnx::simulation {

using Random = std::mt19937_64;
using Rows = std::map<int64_t, int64_t>;  // Key → value.

// True about once in `times`.
inline bool once_in(Random& random, uint64_t times) {
  return random() % times == 0;
}

struct SimulatedChange {
  enum class Kind { insert, update, move, remove, truncate, elsewhere };
  Kind kind = Kind::elsewhere;  // `elsewhere`: a row of a table that is not mapped.
  int64_t key = 0;
  int64_t new_key = 0;  // Of a move.
  int64_t value = 0;    // Unique over the history: an effect is told from every other by it.
};

struct SimulatedTransaction {
  change::Lsn final_lsn;
  change::Lsn end_lsn;
  uint32_t xid = 0;
  std::vector<SimulatedChange> changes;
};

// What changes do to rows; `effects` gets the value of each insert, update and move.
void apply_change(const SimulatedChange& change, Rows& rows, std::vector<int64_t>& effects);

// A change that the rows admit.
SimulatedChange random_change(Random& random, const Rows& rows, int64_t value);

// What the graph must show at a position: computed from the source alone.
class Expectation {
 public:
  // A copy as of `consistent_point`, when these rows were there and so many transactions were done.
  void start(change::Lsn consistent_point, Rows rows, size_t transactions);
  // Moves on to a position; false where it lies inside a commit record, or before the last one.
  bool advance(const std::vector<SimulatedTransaction>& transactions, change::Position position);

  const Rows& rows() const { return rows_; }
  const std::vector<int64_t>& effects() const { return effects_; }

 private:
  change::Position position_;
  Rows rows_;
  std::vector<int64_t> effects_;
  size_t next_ = 0;     // The first transaction that is not applied whole.
  size_t applied_ = 0;  // Of its changes.
};

}  // namespace cnx::simulation
