// What goes wrong in a history. All of it is drawn from the seed; `Planted` is what a test plants on purpose.
#pragma once

#include <cstdint>
#include <random>

namespace cnx::simulation {

using Random = std::mt19937_64;

// True about once in `times`.
inline bool once_in(Random& random, uint64_t times) {
  return random() % times == 0;
}

// Of a peer's calls, in per mille. heal() ends it all.
struct Faults {
  int loss = 0;      // The connection is lost: before what was asked for was done, behind it, or with its answer.
  int refusal = 0;   // Neo4j refuses, by an error of each class that is tried again.
  int slowness = 3;  // An answer of Neo4j comes at about one look in so many.
  int pause = 0;     // A peer does nothing for some seconds.
  bool memory = true;  // Neo4j's refusals are of too little memory too: a transaction goes in pieces for that.

  void heal() { *this = Faults(); }
  bool strikes(Random& random, int per_mille) const { return static_cast<int>(random() % 1000) < per_mille; }
};

// A fault as an engine might make it, played by a port: each must turn a check red (planted_test.cpp).
enum class Planted {
  nothing,
  confirms_what_it_read,       // Ahead of the graph.
  applies_twice,               // A transaction, without compare-and-set.
  loses_a_row,                 // Of the stream, and tells nobody.
  swaps_two_rows,              // Of one transaction.
  brings_back_what_was_older,  // A zombie's write, beside the position.
  drops_stubs,                 // With the relationships that wait for their ends.
  hides_pieces,                // The position says that a transaction is whole, and it is not.
  passes_refused_rows,         // Without a dead letter.
  goes_on_over_a_gap,          // The source's state is not asked.
  hoards,                      // Its queue has no bound.
  never_recovers,              // It goes on refusing when all is well.
};

}  // namespace cnx::simulation
