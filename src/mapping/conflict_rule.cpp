#include "mapping/conflict_rule.hpp"

#include <algorithm>

namespace cnx::mapping {

std::optional<ConflictStrategy> find_conflict_strategy(std::string_view word) {
  const auto found = std::find(kConflictStrategies.begin(), kConflictStrategies.end(), word);
  if (found == kConflictStrategies.end()) return std::nullopt;
  return static_cast<ConflictStrategy>(found - kConflictStrategies.begin());
}

std::string_view to_word(ConflictStrategy strategy) { return kConflictStrategies[static_cast<size_t>(strategy)]; }

Guard guard_of(ConflictStrategy strategy) {
  switch (strategy) {
    case ConflictStrategy::postgres_wins:
      return Guard::overwrite;
    case ConflictStrategy::graph_wins:
      return Guard::keep;
    case ConflictStrategy::last_write_wins:
      return Guard::latest;
    case ConflictStrategy::refetch:
    case ConflictStrategy::manual:
    case ConflictStrategy::custom:
    case ConflictStrategy::configured:
      return Guard::decide;
  }
  return Guard::overwrite;
}

}  // namespace cnx::mapping
