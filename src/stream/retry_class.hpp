// The one place that says what is done about an error. Clients report the server's code and decide
// nothing.
#pragma once

#include <string_view>

#include "base/clock.hpp"
#include "base/error.hpp"

namespace cnx::stream {

enum class RetryClass {
  reconnect,  // The connection is of no use any more: open a new one, with back-off, and go on from
              // the position.
  later,      // The server refused for now: the same again, with back-off.
  stop,       // A person must look. Also everything unknown: the retried list is narrow on purpose.
};

std::string_view to_string(RetryClass retry);

// Errors of Neo4j (codes "Neo.…") and of PostgreSQL (SQLSTATE).
RetryClass retry_class(const Error& error);

// Whether the server had too little memory for a transaction. The same again would fail again, so
// its class is `stop`; smaller parts may do.
bool exceeds_server_memory(const Error& error);

// Whether the server did not let us in with our secret: of a process that it has let in before, the secret was changed there,
// and may not be yet where it is read.
bool is_login_refused(const Error& error);

// Grows from `first` by doubling to `longest`, with up to a fifth of jitter so that two instances
// do not march in step. One thread; randomness from a seed, so that a simulated history repeats.
class Backoff {
 public:
  explicit Backoff(uint64_t seed, Duration first = std::chrono::milliseconds(50),
                   Duration longest = std::chrono::seconds(5));
  Duration next();
  void reset() { wait_ = first_; }

 private:
  Duration first_;
  Duration longest_;
  Duration wait_;
  uint64_t random_;
};

}  // namespace cnx::stream
