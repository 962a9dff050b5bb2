#include "pipeline/value_json.hpp"

#include <fmt/format.h>

#include <cmath>

namespace cnx::pipeline {
namespace {

using Json = nlohmann::ordered_json;

constexpr int64_t kSecondsADay = 86'400;
constexpr int64_t kNanosecondsASecond = 1'000'000'000;

int64_t floor_div(int64_t x, int64_t by) { return x / by - (x % by < 0 ? 1 : 0); }

// The proleptic Gregorian date of a day since 1970-01-01 (Howard Hinnant's civil_from_days): any year, which chrono's is not.
std::string date_text(int64_t days) {
  days += 719'468;
  const int64_t era = floor_div(days, 146'097);
  const int64_t of_era = days - era * 146'097;
  const int64_t year_of_era = (of_era - of_era / 1'460 + of_era / 36'524 - of_era / 146'096) / 365;
  const int64_t of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  const int64_t shifted = (5 * of_year + 2) / 153;
  const int64_t month = shifted < 10 ? shifted + 3 : shifted - 9;
  const int64_t year = year_of_era + era * 400 + (month <= 2 ? 1 : 0);
  return fmt::format("{:04}-{:02}-{:02}", year, month, of_year - (153 * shifted + 2) / 5 + 1);
}

std::string clock_text(int64_t seconds, int64_t nanoseconds) {
  std::string text = fmt::format("{:02}:{:02}:{:02}", seconds / 3'600, seconds / 60 % 60, seconds % 60);
  if (nanoseconds == 0) return text;
  std::string fraction = fmt::format("{:09}", nanoseconds);
  fraction.erase(fraction.find_last_not_of('0') + 1);
  return text + "." + fraction;
}

std::string instant_text(int64_t seconds, int64_t nanoseconds) {
  const int64_t days = floor_div(seconds, kSecondsADay);
  return date_text(days) + "T" + clock_text(seconds - days * kSecondsADay, nanoseconds);
}

std::string time_text(int64_t nanoseconds) { return clock_text(nanoseconds / kNanosecondsASecond, nanoseconds % kNanosecondsASecond); }

std::string offset_text(int64_t seconds) {
  const int64_t minutes = std::abs(seconds) / 60;
  return seconds == 0 ? "Z" : fmt::format("{}{:02}:{:02}", seconds < 0 ? '-' : '+', minutes / 60, minutes % 60);
}

struct ToJson {
  Json operator()(bolt::Null) const { return nullptr; }
  Json operator()(bool value) const { return value; }
  Json operator()(int64_t value) const { return value; }
  Json operator()(double value) const {
    if (std::isfinite(value)) return value;
    return std::isnan(value) ? "NaN" : value > 0 ? "Infinity" : "-Infinity";
  }
  Json operator()(const std::string& value) const { return value; }
  Json operator()(const Bytes& value) const {
    std::string text = "\\x";
    for (std::byte byte : value) text += fmt::format("{:02x}", static_cast<unsigned>(byte));
    return text;
  }
  Json operator()(const bolt::List& value) const {
    Json list = Json::array();
    for (const bolt::Value& each : value) list.push_back(to_json(each));
    return list;
  }
  Json operator()(const bolt::Map& value) const { return to_json(value); }
  Json operator()(const bolt::Date& value) const { return date_text(value.days); }
  Json operator()(const bolt::LocalTime& value) const { return time_text(value.nanoseconds); }
  Json operator()(const bolt::Time& value) const { return time_text(value.nanoseconds) + offset_text(value.offset_seconds); }
  Json operator()(const bolt::LocalDateTime& value) const { return instant_text(value.seconds, value.nanoseconds); }
  Json operator()(const bolt::DateTime& value) const { return instant_text(value.seconds, value.nanoseconds) + "Z"; }
  Json operator()(const bolt::Duration& value) const {
    // A negative number of seconds with a fraction borrows.
    const double seconds = static_cast<double>(value.seconds) + static_cast<double>(value.nanoseconds) / 1e9;
    return fmt::format("P{}M{}DT{}S", value.months, value.days, seconds);
  }
  Json operator()(const bolt::Point2D& value) const { return {{"srid", value.srid}, {"x", value.x}, {"y", value.y}}; }
  Json operator()(const bolt::Point3D& value) const { return {{"srid", value.srid}, {"x", value.x}, {"y", value.y}, {"z", value.z}}; }
  Json operator()(const bolt::Boxed<bolt::DateTimeZoneId>& value) const {
    return instant_text((*value).seconds, (*value).nanoseconds) + "Z";
  }
  // No property is of another kind, or none that a row of PostgreSQL's could be compared with.
  template <typename Other>
  Json operator()(const Other&) const {
    return nullptr;
  }
};

}  // namespace

Json to_json(const bolt::Value& value) { return std::visit(ToJson(), value.kinds()); }

Json to_json(const bolt::Map& map) {
  Json json = Json::object();
  for (const bolt::MapEntry& entry : map) json[entry.key] = to_json(entry.value);
  return json;
}

}  // namespace cnx::pipeline
