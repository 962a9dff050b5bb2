// The log, on standard error. One event is said once, where it is decided; text and JSON come from the same call.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "telemetry/log_line.hpp"

namespace cnx::telemetry {

struct LogOptions {
  std::string level = "info";   // error, warning, info, debug or trace.
  std::string format = "text";  // text or json.
  std::string pipeline;         // A field of every line of JSON; empty: none.
};

// Before any other thread runs. May be called again; the last call stands. Before the first, nothing is said.
void set_up_log(const LogOptions& options);

// Any thread. Whether an event of that level is said at all: for what is costly to put into words.
bool logs(Level level);
void log(Event event);

inline void log_error(std::string_view name, std::string message, std::vector<Field> fields = {}) {
  log({Level::error, name, std::move(message), std::move(fields)});
}
inline void log_warning(std::string_view name, std::string message, std::vector<Field> fields = {}) {
  log({Level::warning, name, std::move(message), std::move(fields)});
}
inline void log_info(std::string_view name, std::string message, std::vector<Field> fields = {}) {
  log({Level::info, name, std::move(message), std::move(fields)});
}

}  // namespace cnx::telemetry
