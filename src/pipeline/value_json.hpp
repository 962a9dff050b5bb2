// What the graph has, as JSON: for a function of the user's that decides about a conflict.
#pragma once

#include <nlohmann/json.hpp>

#include "bolt/value.hpp"

namespace cnx::pipeline {

// Numbers, text and booleans as themselves, lists as arrays; times as ISO 8601, an instant in UTC; a point as {srid, x, y}; bytes as
// PostgreSQL prints them; a float that JSON has no number for as its name ("NaN"). Pure.
nlohmann::ordered_json to_json(const bolt::Value& value);
nlohmann::ordered_json to_json(const bolt::Map& map);

}  // namespace cnx::pipeline
