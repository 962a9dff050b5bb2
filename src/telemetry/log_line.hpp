// One event as a line of the log, for people or as JSON: the same event gives both. Pure.
#pragma once

#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "base/error.hpp"

namespace cnx::telemetry {

enum class Level { error, warning, info, debug, trace };

// A fact of an event. Never a secret, and never a row's value.
struct Field {
  std::string_view name;
  std::variant<std::string, int64_t, double, bool> value;

  template <typename T>
  Field(std::string_view n, T&& v) : name(n), value(fitting(std::forward<T>(v))) {}

 private:
  static double fitting(std::floating_point auto v) { return v; }
  static auto fitting(std::integral auto v) {
    if constexpr (std::is_same_v<decltype(v), bool>) {
      return v;
    } else {
      return static_cast<int64_t>(v);
    }
  }
  static std::string fitting(std::string_view v) { return std::string(v); }
};

struct Event {
  Level level = Level::info;
  // Stable over versions, so that a machine may look for it: "following", "retry".
  std::string_view name;
  // A sentence that says it all to a person, also without the fields.
  std::string message;
  std::vector<Field> fields;
};

// What an error is, as fields: `error`, and `code` where the other side gave one.
std::vector<Field> fields_of(const Error& error);

std::string_view to_string(Level level);

// Both without the line's end, whatever bytes the event holds. `time` is RFC 3339.
//   2026-01-31T12:00:00.000Z info following contextnexus from 0/1953D70
std::string line_text(std::string_view time, const Event& event);
//   {"ts":…,"level":"info","event":"following","message":…, then the fields}
std::string line_json(std::string_view time, const Event& event);

}  // namespace cnx::telemetry
