#include "telemetry/named_counts.hpp"

namespace cnx::telemetry {

void NamedCounts::add(std::string_view name, uint64_t count) {
  if (names_max_ == 0) return;
  std::lock_guard lock(mutex_);
  auto found = counts_.find(name);
  if (found == counts_.end() && counts_.size() < names_max_ && name != kOtherName) {
    found = counts_.emplace(name, 0).first;
  }
  (found == counts_.end() ? other_ : found->second) += count;
}

std::vector<std::pair<std::string, uint64_t>> NamedCounts::read() const {
  std::lock_guard lock(mutex_);
  std::vector<std::pair<std::string, uint64_t>> counts(counts_.begin(), counts_.end());
  if (other_ > 0) counts.emplace_back(kOtherName, other_);
  return counts;
}

}  // namespace cnx::telemetry
