// One line of COPY … TO STDOUT (text form) to its columns. The same output functions print the
// stream's columns, so both ways meet in one text form.
//
//   line   = [ column *( TAB column ) ] [ LF ]
//   column = "\N" (NULL) | *( any byte but TAB, LF, "\" | escape )
//   escape = "\" ( "b" | "f" | "n" | "r" | "t" | "v" | 1*3 octal | "x" 1*2 hexadecimal | itself )
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "base/result.hpp"
#include "change/event.hpp"

namespace cnx::postgres {

// Un-escapes in place: the views point into `line`, whose bytes are changed. Pure otherwise; does
// not throw. Another number of columns than `columns`, or an escape cut short, is
// ErrorKind::malformed.
Result<std::vector<change::DatumView>> decode_copy_line(std::span<char> line, size_t columns);

}  // namespace cnx::postgres
