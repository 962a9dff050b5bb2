// What the structures inside values mean, by tag and version. Between the reader of PackStream and
// Value.
#pragma once

#include "base/result.hpp"
#include "bolt/packstream.hpp"

namespace bolt {

// The value that a structure stands for. malformed: a tag this version does not have, or fields
// that do not fit it.
cnx::Result<Value> interpret(Structure structure, Dialect dialect);

}  // namespace bolt
