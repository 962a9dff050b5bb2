// The one place that says what is done about an error, by the table of error_table.hpp. Clients report the server's code and
// decide nothing.
#pragma once

#include <string_view>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "stream/error_table.hpp"

namespace cnx::stream {

// Errors of Neo4j (codes "Neo.…") and of PostgreSQL (SQLSTATE).
RetryClass retry_class(const Error& error);

// Whether the same may be tried again, as it is, by whoever can do nothing else: what asks for smaller pieces or for a dead
// letter is for those alone who have rows in hand.
bool is_retried(RetryClass retry);

// The error with the table's advice, where it has none of its own.
Error advised(Error error);

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
