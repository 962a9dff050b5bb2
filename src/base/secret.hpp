// A password or token. It has no stream operator and no format: it can be used, not shown.
#pragma once

#include <functional>
#include <string>
#include <utility>

#include "base/result.hpp"

namespace cnx {

class Secret {
 public:
  Secret() = default;
  explicit Secret(std::string value) : value_(std::move(value)) {}
  // For the one call that hands it to the other side; never for a message.
  const std::string& reveal() const { return value_; }
  bool empty() const { return value_.empty(); }

 private:
  std::string value_;
};

// Asked each time the secret is needed, so that a file that was rotated is read anew. May be called from any thread that
// connects; may read a file. ErrorKind::invalid: there is none now.
using SecretReader = std::function<Result<Secret>()>;

}  // namespace cnx
