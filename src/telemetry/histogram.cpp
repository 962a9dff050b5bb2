#include "telemetry/histogram.hpp"

#include <algorithm>

#include "base/check.hpp"

namespace cnx::telemetry {

Histogram::Histogram(std::span<const double> bounds) : bounds_(bounds.begin(), bounds.end()) {
  CNX_CHECK(bounds_.size() <= kBoundsMax, "a histogram has a bounded number of buckets");
}

void Histogram::observe(double value) {
  const auto bucket = std::lower_bound(bounds_.begin(), bounds_.end(), value) - bounds_.begin();
  counts_[static_cast<size_t>(bucket)].fetch_add(1, std::memory_order_relaxed);
  sum_.fetch_add(value, std::memory_order_relaxed);
}

Histogram::Reading Histogram::read() const {
  Reading reading{.bounds = bounds_, .cumulative = {}, .sum = sum_.load(std::memory_order_relaxed)};
  uint64_t total = 0;
  for (size_t i = 0; i <= bounds_.size(); ++i) {
    total += counts_[i].load(std::memory_order_relaxed);
    reading.cumulative.push_back(total);
  }
  return reading;
}

std::span<const double> lag_bounds() {
  static constexpr std::array kBounds = {0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5,   1.0,
                                         2.5,   5.0,    10.0,  30.0, 60.0,  300.0, 1800.0, 7200.0};
  return kBounds;
}

}  // namespace cnx::telemetry
