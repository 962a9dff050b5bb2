// The application that writes into the simulated database: inserts, updates, key changes, swaps, deletes, truncations, rows that
// are replaced, in transactions of any size.
#pragma once

#include <memory>
#include <vector>

#include "faults.hpp"
#include "source.hpp"

namespace cnx::simulation {

// A value: a database that is restored forgets what was written since.
class Workload {
 public:
  explicit Workload(References references);
  Workload(const Workload& other);
  Workload& operator=(const Workload& other);
  ~Workload();

  // The changes of a transaction of about so many commands. `poison`: some rows are such that no graph takes them.
  std::vector<SourceChange> transaction(Random& random, size_t commands, bool poison);
  // Takes out every row that no graph takes, or that is behind one.
  std::vector<SourceChange> mend();

 private:
  struct State;

  void change_family(Random& random, std::vector<SourceChange>& changes);
  void change_counted(Random& random, bool poison, std::vector<SourceChange>& changes);
  std::string next_value(bool poison);

  std::unique_ptr<State> state_;
};

}  // namespace cnx::simulation
