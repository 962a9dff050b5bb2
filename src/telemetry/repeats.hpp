// Keeps a storm of the same trouble from filling the log: the first of each is said at once, what comes again is counted and
// summed up now and then. Pure: time is given to it.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>

#include "base/clock.hpp"

namespace cnx::telemetry {

// What is to be said of one occurrence.
struct Repeat {
  uint64_t times = 0;   // It came so often before without being said; 0: say it alone.
  Duration within{};    // In so long.
};

// One side's troubles. One thread.
class Repeats {
 public:
  // nullopt: nothing is said of this one. `what` tells one trouble from another.
  std::optional<Repeat> occur(const std::string& what, TimePoint now);
  // It works again. How often it failed before that, where anything was said of it; 0: there is nothing to take back.
  uint64_t over();

 private:
  std::set<std::string> said_;  // Since `since_`.
  TimePoint since_ = TimePoint::min();
  std::optional<TimePoint> last_;
  uint64_t unsaid_ = 0;
  uint64_t failures_ = 0;       // Since it last worked.
  bool failures_said_ = false;  // Something of them.
};

}  // namespace cnx::telemetry
