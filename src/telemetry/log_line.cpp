#include "telemetry/log_line.hpp"

#include <nlohmann/json.hpp>

namespace cnx::telemetry {

std::vector<Field> fields_of(const Error& error) {
  std::vector<Field> fields = {{"error", error.describe()}};
  if (!error.root().code().empty()) fields.emplace_back("code", error.root().code());
  return fields;
}

std::string_view to_string(Level level) {
  switch (level) {
    case Level::error: return "error";
    case Level::warning: return "warning";
    case Level::info: return "info";
    case Level::debug: return "debug";
    case Level::trace: return "trace";
  }
  return "error";
}

std::string line_text(std::string_view time, const Event& event) {
  std::string line = std::string(time) + " " + std::string(to_string(event.level)) + " ";
  // One event, one line: what others said may hold line ends.
  for (const char c : event.message) line += static_cast<unsigned char>(c) < ' ' ? ' ' : c;
  return line;
}

std::string line_json(std::string_view time, const Event& event) {
  nlohmann::ordered_json line = {{"ts", std::string(time)},
                                 {"level", std::string(to_string(event.level))},
                                 {"event", std::string(event.name)},
                                 {"message", event.message}};
  for (const Field& field : event.fields) {
    std::visit([&](const auto& value) { line[std::string(field.name)] = value; }, field.value);
  }
  return line.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

}  // namespace cnx::telemetry
