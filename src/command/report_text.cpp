#include "command/report_text.hpp"

#include <nlohmann/json.hpp>

namespace cnx::command {
namespace {

// The outermost that knows one.
std::string advice_of(const Error& error) {
  for (const Error* e = &error; e != nullptr; e = e->cause()) {
    if (!e->advice().empty()) return e->advice();
  }
  return {};
}

}  // namespace

std::string error_text(const Error& error) {
  std::string text = "contextnexus: " + error.describe();
  const std::string advice = advice_of(error);
  if (!advice.empty()) text += "\n  " + advice;
  return text;
}

std::string error_json(const Error& error, int exit_code) {
  nlohmann::ordered_json json = {{"error",
                                  {{"kind", std::string(to_string(error.kind()))},
                                   {"code", error.root().code()},
                                   {"message", error.describe()},
                                   {"advice", advice_of(error)}}},
                                 {"exit_code", exit_code}};
  // What a server says may hold bytes that are no UTF-8: shown as replacement characters.
  return json.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

}  // namespace cnx::command
