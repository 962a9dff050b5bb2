// The log on standard error: for people, or one JSON object a line.
#pragma once

#include "config/settings.hpp"

namespace cnx::command {

// Before any other thread runs. May be called again; the last call stands.
void set_up_log(const config::LogOptions& options);

// One line of the JSON form, without its end. Pure. `message` may hold any bytes.
std::string log_line_json(std::string_view time, std::string_view level, std::string_view message);

}  // namespace cnx::command
