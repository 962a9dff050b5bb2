// Which program this is, and of which versions what it keeps.
#pragma once

#include <string>

namespace cnx::command {

// "contextnexus 0.1.0 (v0.1.0-12-gabc1234)"; without the brackets where it was not built from a repository.
std::string version_line();
// Of it, the part that is no name: "0.1.0 (v0.1.0-12-gabc1234)".
std::string version_text();

}  // namespace cnx::command
