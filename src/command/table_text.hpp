// Findings as a table that fits a terminal: grade, what, figure; each cure under its line, wrapped.
#pragma once

#include <string>
#include <string_view>

#include "pipeline/check.hpp"

namespace cnx::command {

// Pure. No line is longer than `width` characters, but for a single word that is. 40 at least.
std::string table_text(const pipeline::CheckReport& report, size_t width);

// Characters, not bytes, of UTF-8.
size_t length_of(std::string_view text);
// Of the terminal on standard output; 100 where it is none.
size_t terminal_width();

}  // namespace cnx::command
