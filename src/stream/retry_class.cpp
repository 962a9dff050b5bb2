#include "stream/retry_class.hpp"

#include <algorithm>
#include <array>

namespace cnx::stream {
namespace {

constexpr std::string_view kNeo4jPrefix = "Neo.";

// Too little memory for the transaction. They call themselves transient and are not: the same again
// would fail again.
constexpr std::array kNotTransient = {
    std::string_view("Neo.TransientError.General.MemoryPoolOutOfMemoryError"),
    std::string_view("Neo.TransientError.General.TransactionMemoryLimit"),
};

// Neo4j client errors that a new connection or a little time cures (bolt.md §9).
constexpr std::array kClientRetried = {
    std::string_view("Neo.ClientError.Cluster.NotALeader"),
    std::string_view("Neo.ClientError.General.ForbiddenOnReadOnlyDatabase"),
    std::string_view("Neo.ClientError.Security.AuthorizationExpired"),
    // Somebody ended our transaction, or a stopping server did: nothing of it is in the graph.
    std::string_view("Neo.ClientError.Transaction.Terminated"),
    std::string_view("Neo.TransientError.Transaction.Terminated"),
    std::string_view("Neo.TransientError.Transaction.LockClientStopped"),
    std::string_view("Neo.ClientError.Transaction.TransactionTimedOut"),
};

// The last one follows some refused logins at once, and ends by itself.
constexpr std::array kLoginRefused = {
    std::string_view("28P01"),
    std::string_view("Neo.ClientError.Security.Unauthorized"),
    std::string_view("Neo.ClientError.Security.TokenExpired"),
    std::string_view("Neo.ClientError.Security.AuthenticationRateLimit"),
};

template <size_t N>
bool contains(const std::array<std::string_view, N>& list, std::string_view code) {
  return std::find(list.begin(), list.end(), code) != list.end();
}

RetryClass neo4j_class(std::string_view code) {
  if (contains(kNotTransient, code)) return RetryClass::stop;
  if (contains(kClientRetried, code)) return RetryClass::reconnect;
  if (code.starts_with("Neo.TransientError.")) return RetryClass::later;
  return RetryClass::stop;
}

RetryClass postgres_class(std::string_view sqlstate) {
  // 08 connection; 57P0x shutdown, crash and not-yet-started; 55006 a slot still held by a
  // walsender that has not noticed our last end; 53300 no connection left for now; 40 serialisation
  // and deadlock.
  if (sqlstate == "57P04") return RetryClass::stop;  // The database was dropped.
  if (sqlstate.starts_with("08") || sqlstate.starts_with("57P")) return RetryClass::reconnect;
  if (sqlstate == "55006" || sqlstate == "53300" || sqlstate.starts_with("40"))
    return RetryClass::reconnect;
  return RetryClass::stop;
}

}  // namespace

std::string_view to_string(RetryClass retry) {
  switch (retry) {
    case RetryClass::reconnect:
      return "reconnect";
    case RetryClass::later:
      return "later";
    case RetryClass::stop:
      return "stop";
  }
  return "stop";
}

RetryClass retry_class(const Error& error) {
  switch (error.kind()) {
    case ErrorKind::unavailable:
    case ErrorKind::timeout:
      return RetryClass::reconnect;
    case ErrorKind::server:
      break;
    case ErrorKind::malformed:
    case ErrorKind::invalid:
    case ErrorKind::unsupported:
    case ErrorKind::state:
    case ErrorKind::internal:
      return RetryClass::stop;
  }
  std::string_view code = error.code();
  return code.starts_with(kNeo4jPrefix) ? neo4j_class(code) : postgres_class(code);
}

bool exceeds_server_memory(const Error& error) {
  return contains(kNotTransient, error.code());
}

bool is_login_refused(const Error& error) {
  return error.kind() == ErrorKind::server && contains(kLoginRefused, error.code());
}

Backoff::Backoff(uint64_t seed, Duration first, Duration longest)
    : first_(first), longest_(longest), wait_(first), random_(seed | 1) {}

Duration Backoff::next() {
  // xorshift64: jitter needs no more.
  random_ ^= random_ << 13;
  random_ ^= random_ >> 7;
  random_ ^= random_ << 17;
  Duration jitter = wait_ / 5 * static_cast<long>(random_ % 1000) / 1000;
  Duration result = wait_ + jitter;
  wait_ = std::min(wait_ * 2, longest_);
  return result;
}

}  // namespace cnx::stream
