#include "telemetry/repeats.hpp"

#include <utility>

namespace cnx::telemetry {
namespace {

// A summary so often.
constexpr Duration kInterval = std::chrono::seconds(30);
// After so long without any, the next one is news.
constexpr Duration kQuiet = std::chrono::minutes(2);
// Texts may hold what differs each time (a port, a position): no more of them than this are news in one interval.
constexpr size_t kDifferent = 10;

}  // namespace

std::optional<Repeat> Repeats::occur(const std::string& what, TimePoint now) {
  const bool news = !last_ || now - *last_ > kQuiet;
  const bool summary = !news && now - since_ >= kInterval;
  last_ = now;
  ++failures_;
  if (news || summary) {
    const Repeat repeat{.times = news ? 0 : unsaid_, .within = news ? Duration{} : now - since_};
    said_ = {what};
    since_ = now;
    unsaid_ = 0;
    failures_said_ = true;
    return repeat;
  }
  if (said_.size() < kDifferent && said_.insert(what).second) {
    failures_said_ = true;
    return Repeat{};
  }
  ++unsaid_;
  return std::nullopt;
}

uint64_t Repeats::over() {
  const uint64_t failures = std::exchange(failures_, 0);
  return std::exchange(failures_said_, false) ? failures : 0;
}

}  // namespace cnx::telemetry
