// The connection string: read by libpq, and kept out of every message.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "base/secret.hpp"
#include "postgres/options.hpp"

namespace cnx::postgres {

// What PQconnectStartParams takes; keywords[i] belongs to values[i].
struct ConnectionParameters {
  std::vector<std::string> keywords;
  std::vector<std::string> values;
  std::vector<Secret>
      secrets;  // Passwords in it, as they are and as a URL or base64 would write them.
};

// Pure but for libpq's parser. ErrorKind::invalid where libpq cannot read the string, or where a
// '@' or '/' in a password would make it read a part of the password as the host. Messages hold
// nothing of the string.
Result<ConnectionParameters> parse_conninfo(const ConnectionOptions& options, bool replication);

// The forms in which `password` could appear in somebody's message.
std::vector<Secret> secret_forms(std::string_view password);

// `text` with each secret replaced by "***".
std::string scrub(std::string text, const std::vector<Secret>& secrets);

}  // namespace cnx::postgres
