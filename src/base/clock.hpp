// Time as the stages see it: given to them, never asked for, so that a simulated clock can drive them.
#pragma once

#include <chrono>

namespace cnx {

using Clock = std::chrono::steady_clock;
using TimePoint = Clock::time_point;
using Duration = Clock::duration;

constexpr TimePoint kNever = TimePoint::max();

// Milliseconds until `deadline`, for poll(2): rounded up, 0 when passed, -1 for kNever.
inline int poll_timeout(TimePoint deadline, TimePoint now) {
  if (deadline == kNever) return -1;
  if (deadline <= now) return 0;
  auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - now).count();
  constexpr long long kLongest = 1'000'000'000;  // poll takes an int; twelve days are for ever here.
  return static_cast<int>(left < kLongest ? left : kLongest);
}

}  // namespace cnx
