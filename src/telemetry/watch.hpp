// Looks at a pipeline twice a second, whether anybody asks or not, so that what stands still is noticed when it does; says so
// once in the log, and once that it moves again.
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <stop_token>
#include <string>
#include <thread>

#include "telemetry/liveness.hpp"

namespace cnx::telemetry {

// Whether the graph shows what the source does, within a bound.
struct Readiness {
  bool ready = false;
  std::string reason;        // A sentence.
  double lag_seconds = 0;    // At most.
};

// A thread of its own from construction to destruction. health() from any thread.
class Watch {
 public:
  // `facts` is called from the watch's thread, must not block, and must outlive it.
  Watch(std::function<Facts()> facts, Duration stalled_after);

  Health health() const;
  // The moment of Health::since on the calendar.
  std::chrono::system_clock::time_point since() const;

 private:
  void run(const std::stop_token& stop);
  void look();

  std::function<Facts()> facts_;
  Liveness liveness_;  // The thread's alone.
  mutable std::mutex mutex_;
  std::condition_variable_any wake_;
  Health health_;
  std::jthread thread_;  // Last: it uses all of the above.
};

// Bodies of /healthz and /readyz: one JSON object with its line end. Pure.
std::string health_json(const std::string& pipeline, const Health& health, std::chrono::system_clock::time_point since);
std::string readiness_json(const std::string& pipeline, const Health& health, const Readiness& readiness);

}  // namespace cnx::telemetry
