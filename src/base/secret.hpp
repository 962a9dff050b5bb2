// A password or token. It has no stream operator and no format: it can be used, not shown.
#pragma once

#include <string>
#include <utility>

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

}  // namespace cnx
