// The option table as a page for people and as a JSON Schema for editors. docs/configuration.md and
// docs/configuration.schema.json are their output; a test fails where they are stale.
#pragma once

#include <string>

namespace cnx::config {

std::string configuration_page();
std::string configuration_schema();

}  // namespace cnx::config
