#include "pipeline/findings.hpp"

#include <algorithm>
#include <cstdio>

namespace cnx::pipeline {

std::string_view to_string(Grade grade) {
  switch (grade) {
    case Grade::ok:
      return "ok";
    case Grade::warning:
      return "warning";
    case Grade::fault:
      return "fault";
  }
  return "fault";
}

size_t CheckReport::count(Grade grade) const {
  return static_cast<size_t>(std::count_if(findings.begin(), findings.end(),
                                           [&](const Finding& f) { return f.grade == grade; }));
}

void Findings::fault(FindingKind kind, std::string what, const Error& error, std::string cure) {
  std::string advice = advice_of(error);
  fault(kind, std::move(what), error.describe(), advice.empty() ? std::move(cure) : std::move(advice));
}

std::string advice_of(const Error& error) {
  for (const Error* e = &error; e != nullptr; e = e->cause()) {
    if (!e->advice().empty()) return e->advice();
  }
  return {};
}

std::string bytes_text(double bytes) {
  constexpr const char* kUnits[] = {"bytes", "kB", "MB", "GB", "TB"};
  constexpr size_t kLast = std::size(kUnits) - 1;
  size_t unit = 0;
  for (; bytes >= 1024 && unit < kLast; ++unit) bytes /= 1024;
  char text[32];
  std::snprintf(text, sizeof text, bytes < 10 && unit > 0 ? "%.1f %s" : "%.0f %s", bytes,
                kUnits[unit]);
  return text;
}

std::string time_text(double seconds) {
  constexpr double kMinute = 60, kHour = 3600, kDay = 86400;
  auto text = [](double count, const char* unit) {
    char out[48];
    std::snprintf(out, sizeof out, "%.0f %s", count, unit);
    return std::string(out);
  };
  if (seconds < 2 * kMinute) return text(seconds, "seconds");
  if (seconds < 2 * kHour) return text(seconds / kMinute, "minutes");
  if (seconds < 2 * kDay) return text(seconds / kHour, "hours");
  return text(seconds / kDay, "days");
}

}  // namespace cnx::pipeline
