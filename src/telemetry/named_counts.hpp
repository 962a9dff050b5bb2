// Counts by a name that comes from outside, with a bound: the first so many names have a count each, all others share one.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace cnx::telemetry {

// The name that all others share.
inline constexpr std::string_view kOtherName = "other";

// Any thread. Meant to be added to once a batch, not once a row: it locks.
class NamedCounts {
 public:
  // First come, first named, and for good: a count that moved from one name to another would not be a counter any more. 0
  // names: nothing is counted. Before anything is added.
  void limit(size_t names_max) { names_max_ = names_max; }
  size_t names_max() const { return names_max_; }

  void add(std::string_view name, uint64_t count);
  std::vector<std::pair<std::string, uint64_t>> read() const;

 private:
  size_t names_max_ = 0;
  mutable std::mutex mutex_;
  std::map<std::string, uint64_t, std::less<>> counts_;
  uint64_t other_ = 0;
};

}  // namespace cnx::telemetry
