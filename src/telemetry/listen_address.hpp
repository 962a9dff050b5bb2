// Where the metrics and the health are served: "127.0.0.1:9747", "[::1]:9747", or "off".
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace cnx::telemetry {

struct ListenAddress {
  std::string host;    // An IP address in numbers; empty: nothing is served.
  uint16_t port = 0;   // 0: any free one, which the log tells.

  bool off() const { return host.empty(); }
  // Whether only this machine can reach it.
  bool is_loopback() const;
  std::string to_string() const;
};

// Pure. invalid: it is neither. A name is no address: what it stands for may change to one that others reach.
Result<ListenAddress> parse_listen_address(std::string_view text);

}  // namespace cnx::telemetry
