#include "telemetry/watch.hpp"

#include <nlohmann/json.hpp>

#include "telemetry/log.hpp"
#include "telemetry/timestamp.hpp"

namespace cnx::telemetry {
namespace {

constexpr Duration kInterval = std::chrono::milliseconds(500);

using Json = nlohmann::ordered_json;

std::string line_of(const Json& json) { return json.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n"; }

}  // namespace

Watch::Watch(std::function<Facts()> facts, Duration stalled_after)
    : facts_(std::move(facts)), liveness_(stalled_after, Clock::now()) {
  look();
  thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
}

void Watch::run(const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  while (!wake_.wait_for(lock, stop, kInterval, [&] { return stop.stop_requested(); })) {
    lock.unlock();
    look();
    lock.lock();
  }
}

void Watch::look() {
  const Health now = liveness_.observe(facts_(), Clock::now());
  bool was_healthy = true;
  {
    std::lock_guard lock(mutex_);
    was_healthy = health_.healthy;
    health_ = now;
  }
  if (was_healthy && !now.healthy) log_warning("stalled", "nothing moves: " + now.reason, {{"reason", now.reason}});
  if (!was_healthy && now.healthy) {
    log_info("moving", "it moves again: " + std::string(now.state) + ", " + now.reason, {{"state", now.state}});
  }
}

Health Watch::health() const {
  std::lock_guard lock(mutex_);
  return health_;
}

std::chrono::system_clock::time_point Watch::since() const {
  const Duration ago = Clock::now() - health().since;
  return std::chrono::system_clock::now() - std::chrono::duration_cast<std::chrono::system_clock::duration>(ago);
}

std::string health_json(const std::string& pipeline, const Health& health, std::chrono::system_clock::time_point since) {
  return line_of({{"pipeline", pipeline},
                  {"healthy", health.healthy},
                  {"state", std::string(health.state)},
                  {"reason", health.reason},
                  {"since", timestamp(since)}});
}

std::string readiness_json(const std::string& pipeline, const Health& health, const Readiness& readiness) {
  return line_of({{"pipeline", pipeline},
                  {"ready", readiness.ready},
                  {"state", std::string(health.state)},
                  {"reason", readiness.reason},
                  {"lag_seconds", readiness.lag_seconds}});
}

}  // namespace cnx::telemetry
