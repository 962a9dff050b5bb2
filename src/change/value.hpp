// What a column's value becomes on its way to the graph (cases.md R2): the types that both sides can hold.
// The type follows from the PostgreSQL column's type alone, never from the value.
#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "base/bytes.hpp"

namespace cnx::change {

struct Null {
  friend bool operator==(Null, Null) = default;
};
struct Date {
  int64_t days = 0;  // Since 1970-01-01, proleptic Gregorian.
  friend bool operator==(const Date&, const Date&) = default;
};
struct LocalTime {
  int64_t nanoseconds = 0;  // Since midnight.
  friend bool operator==(const LocalTime&, const LocalTime&) = default;
};
struct ZonedTime {
  int64_t nanoseconds = 0;     // Since local midnight.
  int32_t offset_seconds = 0;  // East of UTC.
  friend bool operator==(const ZonedTime&, const ZonedTime&) = default;
};
struct LocalDateTime {
  int64_t seconds = 0;      // Since 1970-01-01T00:00 on the same wall clock.
  int32_t nanoseconds = 0;  // 0 … 999,999,999, also before the epoch.
  friend bool operator==(const LocalDateTime&, const LocalDateTime&) = default;
};
// A ZONED DATETIME at offset Z.
struct ZonedDateTime {
  int64_t seconds = 0;  // Since 1970-01-01T00:00Z.
  int32_t nanoseconds = 0;
  friend bool operator==(const ZonedDateTime&, const ZonedDateTime&) = default;
};
// Months, days and seconds stay apart: a month is not thirty days.
struct Interval {
  int64_t months = 0;
  int64_t days = 0;
  int64_t seconds = 0;
  int32_t nanoseconds = 0;  // 0 … 999,999,999; a negative fraction borrows from seconds.
  friend bool operator==(const Interval&, const Interval&) = default;
};
struct Point {
  uint32_t srid = 7203;  // Cartesian, two dimensions.
  double x = 0;
  double y = 0;
  friend bool operator==(const Point&, const Point&) = default;
};
// A value that its native type cannot hold (R3): the property stays absent and `<property>__pg` holds this text.
struct Unfit {
  std::string text;  // PostgreSQL's own, exact.
  friend bool operator==(const Unfit&, const Unfit&) = default;
};

struct Value;
struct List {
  std::vector<Value> items;
};
bool operator==(const List& a, const List& b);

// A value that becomes several properties, `<property>_<field>`, in place of one (`as: flatten`).
struct Field;
struct Fields {
  std::vector<Field> items;
};
bool operator==(const Fields& a, const Fields& b);

struct Value : std::variant<Null, bool, int64_t, double, std::string, Bytes, Date, LocalTime, ZonedTime,
                            LocalDateTime, ZonedDateTime, Interval, Point, List, Unfit, Fields> {
  using variant::variant;
  bool is_null() const { return std::holds_alternative<Null>(*this); }
};
struct Field {
  std::string name;
  Value value;  // Never Unfit, never Fields.
};

inline bool operator==(const Value& a, const Value& b) {
  using Base = Value::variant;
  return static_cast<const Base&>(a) == static_cast<const Base&>(b);
}
inline bool operator==(const List& a, const List& b) { return a.items == b.items; }
inline bool operator==(const Field& a, const Field& b) { return a.name == b.name && a.value == b.value; }
inline bool operator==(const Fields& a, const Fields& b) { return a.items == b.items; }

}  // namespace cnx::change
