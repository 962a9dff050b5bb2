// What is told of a running engine, and when it counts as standing still.
#pragma once

#include "base/clock.hpp"
#include "telemetry/listen_address.hpp"

namespace cnx::telemetry {

struct TelemetryOptions {
  // /metrics, /healthz and /readyz. Loopback, since nobody is asked for a password.
  ListenAddress listen{.host = "127.0.0.1", .port = 9747};
  // Something should move and has not for so long: not healthy. The longest that a healthy line is silent is one Neo4j
  // statement of a large transaction, and a server that was just started.
  Duration stalled_after = std::chrono::seconds(60);
  // Further behind than this: not ready.
  Duration ready_lag_max = std::chrono::seconds(30);
  // So many tables, and so many tenants, have a series of their own; all others share one. Tenants: 0 counts none.
  size_t tables_max = 200;
  size_t tenants_max = 50;
};

}  // namespace cnx::telemetry
