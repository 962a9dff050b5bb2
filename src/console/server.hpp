// The engine over HTTP: /metrics for Prometheus, /healthz and /readyz for whoever watches it. It only reads.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "base/clock.hpp"
#include "telemetry/listen_address.hpp"

namespace httplib {
class Server;
}

namespace cnx::console {

struct Answer {
  bool ok = true;  // 200, else 503.
  std::string body;
};

// Called from the server's threads, at any time.
struct Pages {
  std::function<std::string()> metrics;
  std::function<Answer()> health;
  std::function<Answer()> readiness;
};

// Serves from construction to destruction, with threads of its own. An address that is taken is no reason for the line to
// stand: it is said once, and tried again until it is free, so that of two engines of one machine the one that is left
// serves.
class Server {
 public:
  // An address that is off serves nothing.
  Server(telemetry::ListenAddress address, Pages pages);
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

 private:
  class Listener;
  std::unique_ptr<Listener> listener_;
};

}  // namespace cnx::console
