// The forms that a mapping asks for (`as: …`), read from PostgreSQL's own text whatever the column's type. What does not fit
// a form is change::Unfit with that text (R3), never an error: a text column may hold anything.
#pragma once

#include <optional>
#include <string_view>

#include "change/value.hpp"

namespace cnx::postgres {

// As PostgreSQL prints float8 and numeric: "1.5", "-1e-07", "NaN", "-Infinity". nullopt: none, or none that a double holds.
std::optional<double> parse_floating(std::string_view text);

// `as: float`. FLOAT. Unfit: what is no number, or beyond what a double reaches at either end of its exponent.
change::Value read_float(std::string_view text);

// `as: point`, of "(x,y)". Cartesian POINT. Unfit: a coordinate that is not finite.
change::Value read_point(std::string_view text);

enum class FloatList {
  any,     // `as: list<float>`.
  finite,  // `as: vector`: what an index of vectors takes. Unfit beside: an empty list, NaN and infinities.
};
// Of an array's text "{1,2}" or a vector's "[1,2]" (pgvector; a JSON array). LIST of FLOAT. Unfit: NULL inside, several
// dimensions, lower bounds other than 1, what is no number.
change::Value read_floats(std::string_view text, FloatList kind);

// `as: flatten`, of a JSON object. Fields: strings as STRING, booleans as BOOLEAN, numbers as INTEGER where they are whole and
// have 64 bits, else as FLOAT, null as Null, objects and arrays as the STRING of their text. Of a name that is there twice the
// last counts. Unfit: what is no object, and an object with a field that has no such value or no name of its own in the graph.
change::Value read_fields(std::string_view text);

}  // namespace cnx::postgres
