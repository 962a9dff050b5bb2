// docs/errors.md: what the engine does about each error of the servers, made from the table that it decides by.
#pragma once

#include <string>

namespace cnx::command {

// Markdown. Pure; the same program gives the same page.
std::string errors_page();

}  // namespace cnx::command
