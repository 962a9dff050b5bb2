// One statement of two: what a transaction of few rows does once instead of twice, since each statement costs the server its own way.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.hpp"
#include "cypher/statement.hpp"

namespace cnx::cypher {

struct Led {
  std::string text;
  Bytes parameters;
};

// `lead` goes first, and all of it before the first row; then `statement`, whose names of parameters it must not have. `lead` begins
// with "CYPHER 5 ", returns nothing and makes exactly one row; `parameters` is its packed map. A division by zero is then the lead's:
// nullopt where it may be the statement's, and where the statement is the user's own.
std::optional<Led> led(std::string_view lead, BytesView parameters, const Statement& statement);

}  // namespace cnx::cypher
