// A histogram that any thread may add to without a lock.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <span>
#include <vector>

namespace cnx::telemetry {

class Histogram {
 public:
  // Upper bounds in rising order, at most kBoundsMax; one bucket above the last is there by itself.
  static constexpr size_t kBoundsMax = 24;
  explicit Histogram(std::span<const double> bounds);

  void observe(double value);

  struct Reading {
    std::vector<double> bounds;
    std::vector<uint64_t> cumulative;  // One more than bounds; the last is the count of all.
    double sum = 0;
  };
  Reading read() const;

 private:
  std::vector<double> bounds_;
  std::array<std::atomic<uint64_t>, kBoundsMax + 1> counts_{};
  std::atomic<double> sum_{0};
};

// From a millisecond to hours: a commit on its way, or a backlog.
std::span<const double> lag_bounds();

}  // namespace cnx::telemetry
