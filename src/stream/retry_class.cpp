#include "stream/retry_class.hpp"

#include <algorithm>
#include <array>

namespace cnx::stream {
namespace {

// The last one follows some refused logins at once, and ends by itself.
constexpr std::array kLoginRefused = {
    std::string_view("28P01"),
    std::string_view("Neo.ClientError.Security.Unauthorized"),
    std::string_view("Neo.ClientError.Security.TokenExpired"),
    std::string_view("Neo.ClientError.Security.AuthenticationRateLimit"),
};

}  // namespace

RetryClass retry_class(const Error& error) {
  if (error.kind() != ErrorKind::server) {
    for (const ErrorKindRow& row : error_kinds()) {
      if (row.kind == error.kind()) return row.retry;
    }
    return RetryClass::stop;
  }
  const ErrorRow* row = find_error(error.code(), error.root().message());
  return row == nullptr ? RetryClass::stop : row->retry;
}

bool is_retried(RetryClass retry) {
  switch (retry) {
    case RetryClass::at_once:
    case RetryClass::later:
    case RetryClass::reconnect:
    case RetryClass::smaller:
      return true;
    case RetryClass::in_pieces:
    case RetryClass::dead_letter:
    case RetryClass::stop:
      return false;
  }
  return false;
}

Error advised(Error error) {
  for (const Error* each = &error; each != nullptr; each = each->cause()) {
    if (!each->advice().empty()) return error;
  }
  if (error.kind() != ErrorKind::server) return error;
  const ErrorRow* row = find_error(error.code(), error.root().message());
  if (row == nullptr) {
    return std::move(error).advise("this error is not known to this program, which has stopped rather than guess; nothing is lost: "
                                   "see the server's log, and start again");
  }
  return row->advice.empty() ? std::move(error) : std::move(error).advise(std::string(row->advice));
}

bool is_login_refused(const Error& error) {
  return error.kind() == ErrorKind::server && std::find(kLoginRefused.begin(), kLoginRefused.end(), error.code()) != kLoginRefused.end();
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
