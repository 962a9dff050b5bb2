// docs/types.md: what each PostgreSQL type becomes, made by the codecs that the snapshot and the stream use.
#pragma once

#include <string>

namespace cnx::command {

// Markdown. Pure; the same program gives the same page.
std::string types_page();

}  // namespace cnx::command
