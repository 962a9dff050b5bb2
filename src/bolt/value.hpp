// Values of Neo4j as they travel over Bolt: everything that PackStream and its structures can hold.
// Plain data: no conversion to other types happens here, and maps keep the order in which they
// came.
#pragma once

#include <array>
#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "base/bytes.hpp"

namespace bolt {

class Value;
struct MapEntry;
using List = std::vector<Value>;

// Keys with values, in the order of arrival; a key stands once. Small maps are the rule, so look-up
// walks.
class Map {
 public:
  // Defined below, where an entry is complete.
  Map() noexcept;
  Map(std::initializer_list<MapEntry> entries);
  Map(const Map&);
  Map(Map&&) noexcept;
  Map& operator=(const Map&);
  Map& operator=(Map&&) noexcept;
  ~Map();

  size_t size() const;
  bool empty() const;
  // Null where the key is absent. Valid until the map changes.
  const Value* find(std::string_view key) const;
  // The value of that type under `key`; null where absent or of another type.
  template <typename T>
  const T* get_if(std::string_view key) const;
  // Appends; the caller does not add one key twice.
  void add(std::string key, Value value);
  void reserve(size_t entries);

  std::vector<MapEntry>::const_iterator begin() const;
  std::vector<MapEntry>::const_iterator end() const;
  friend bool operator==(const Map&, const Map&);

 private:
  std::vector<MapEntry> entries_;
};

struct Null {
  friend bool operator==(Null, Null) = default;
};
struct Date {
  int64_t days = 0;  // Since 1970-01-01.
  friend bool operator==(const Date&, const Date&) = default;
};
struct LocalTime {
  int64_t nanoseconds = 0;  // Since midnight.
  friend bool operator==(const LocalTime&, const LocalTime&) = default;
};
struct Time {
  int64_t nanoseconds = 0;     // Since local midnight.
  int64_t offset_seconds = 0;  // East of UTC.
  friend bool operator==(const Time&, const Time&) = default;
};
struct LocalDateTime {
  int64_t seconds = 0;      // Since 1970-01-01T00:00 on the same wall clock.
  int64_t nanoseconds = 0;  // 0 … 999,999,999.
  friend bool operator==(const LocalDateTime&, const LocalDateTime&) = default;
};
struct DateTime {
  int64_t seconds = 0;  // Since 1970-01-01T00:00Z, whatever the form on the wire.
  int64_t nanoseconds = 0;
  int64_t offset_seconds = 0;  // East of UTC.
  friend bool operator==(const DateTime&, const DateTime&) = default;
};
struct DateTimeZoneId {
  int64_t seconds = 0;  // Since 1970-01-01T00:00Z.
  int64_t nanoseconds = 0;
  std::string zone;  // "Europe/Stockholm".
  // From a 4.4 server without the UTC patch: `seconds` then counts on the zone's wall clock, and
  // what instant that is needs a time zone database (and stays ambiguous in the overlap of a clock
  // change).
  bool wall_clock = false;
  friend bool operator==(const DateTimeZoneId&, const DateTimeZoneId&) = default;
};
struct Duration {
  int64_t months = 0;
  int64_t days = 0;
  int64_t seconds = 0;
  int64_t nanoseconds = 0;  // 0 … 999,999,999; a negative fraction borrows from seconds.
  friend bool operator==(const Duration&, const Duration&) = default;
};
struct Point2D {
  int64_t srid = 7203;  // 7203 cartesian, 4326 WGS-84.
  double x = 0;
  double y = 0;
  friend bool operator==(const Point2D&, const Point2D&) = default;
};
struct Point3D {
  int64_t srid = 9157;  // 9157 cartesian, 4979 WGS-84.
  double x = 0;
  double y = 0;
  double z = 0;
  friend bool operator==(const Point3D&, const Point3D&) = default;
};
struct Uuid {
  std::array<std::byte, 16> bytes{};
  friend bool operator==(const Uuid&, const Uuid&) = default;
};
struct Vector {
  enum class Element : uint8_t {
    int8 = 0xC8,
    int16 = 0xC9,
    int32 = 0xCA,
    int64 = 0xCB,
    float32 = 0xC6,
    float64 = 0xC1,
  };
  Element element = Element::float64;
  cnx::Bytes elements;  // Big endian, a whole number of elements.
  friend bool operator==(const Vector&, const Vector&) = default;
};
// A value that this protocol version cannot carry, and what it would take.
struct UnsupportedType {
  std::string name;
  int64_t minimum_major = 0;
  int64_t minimum_minor = 0;
  Map details;
  friend bool operator==(const UnsupportedType&, const UnsupportedType&) = default;
};
// `element_id` is the number as text on servers older than 5.0.
struct Node {
  int64_t id = 0;
  std::vector<std::string> labels;
  Map properties;
  std::string element_id;
  friend bool operator==(const Node&, const Node&) = default;
};
struct Relationship {
  int64_t id = 0;
  int64_t start_id = 0;
  int64_t end_id = 0;
  std::string type;
  Map properties;
  std::string element_id;
  std::string start_element_id;
  std::string end_element_id;
  friend bool operator==(const Relationship&, const Relationship&) = default;
};
// A relationship of a path, whose ends the path tells.
struct UnboundRelationship {
  int64_t id = 0;
  std::string type;
  Map properties;
  std::string element_id;
  friend bool operator==(const UnboundRelationship&, const UnboundRelationship&) = default;
};
// Pairs (relationship, node) follow nodes[0]: a relationship counts from 1 and is negative where it
// was walked backwards, a node counts from 0. All indices are within range.
struct Path {
  std::vector<Node> nodes;
  std::vector<UnboundRelationship> relationships;
  std::vector<int64_t> indices;
  friend bool operator==(const Path&, const Path&) = default;
};

// Keeps the rare, large kinds out of line, so that a list of a million integers is not a list of a
// million nodes. A value type; one that was moved from may only be assigned to or destroyed.
template <typename T>
class Boxed {
 public:
  explicit Boxed(T value) : value_(std::make_unique<T>(std::move(value))) {}
  Boxed(const Boxed& other) : value_(std::make_unique<T>(*other.value_)) {}
  Boxed(Boxed&&) noexcept = default;
  Boxed& operator=(const Boxed& other) {
    if (this != &other) value_ = std::make_unique<T>(*other.value_);
    return *this;
  }
  Boxed& operator=(Boxed&&) noexcept = default;
  ~Boxed() = default;
  const T& operator*() const { return *value_; }
  friend bool operator==(const Boxed& left, const Boxed& right) { return *left == *right; }

 private:
  std::unique_ptr<T> value_;
};

template <typename T>
concept BoxedKind = std::same_as<T, DateTimeZoneId> || std::same_as<T, Vector> ||
    std::same_as<T, UnsupportedType> || std::same_as<T, Node> || std::same_as<T, Relationship> ||
    std::same_as<T, UnboundRelationship> || std::same_as<T, Path>;
template <typename T>
concept PlainKind = std::same_as<T, Null> || std::same_as<T, cnx::Bytes> || std::same_as<T, List> ||
    std::same_as<T, Map> || std::same_as<T, Date> || std::same_as<T, LocalTime> ||
    std::same_as<T, Time> || std::same_as<T, LocalDateTime> || std::same_as<T, DateTime> ||
    std::same_as<T, Duration> || std::same_as<T, Point2D> || std::same_as<T, Point3D> ||
    std::same_as<T, Uuid>;

// One value of any kind; null by default. A value type, one thread.
class Value {
 public:
  using Kinds =
      std::variant<Null, bool, int64_t, double, std::string, cnx::Bytes, List, Map, Date, LocalTime,
                   Time, LocalDateTime, DateTime, Duration, Point2D, Point3D, Uuid,
                   Boxed<DateTimeZoneId>, Boxed<Vector>, Boxed<UnsupportedType>, Boxed<Node>,
                   Boxed<Relationship>, Boxed<UnboundRelationship>, Boxed<Path>>;

  Value() = default;
  // Implicit on purpose: Map{{"id", 7}, {"name", "Ann"}}.
  template <std::same_as<bool> T>
  Value(T value) : kinds_(value) {}
  template <std::integral T>
  requires(!std::same_as<T, bool> && (std::signed_integral<T> || sizeof(T) < sizeof(int64_t)))
      Value(T value)
      : kinds_(static_cast<int64_t>(value)) {}
  Value(double value) : kinds_(value) {}
  Value(std::string value) : kinds_(std::move(value)) {}
  Value(std::string_view value) : kinds_(std::string(value)) {}
  Value(const char* value) : kinds_(std::string(value)) {}
  template <PlainKind T>
  Value(T value) : kinds_(std::move(value)) {}
  template <BoxedKind T>
  Value(T value) : kinds_(Boxed<T>(std::move(value))) {}

  bool is_null() const { return std::holds_alternative<Null>(kinds_); }
  // The value if it is of that kind, else null: get_if<int64_t>(), get_if<std::string>(),
  // get_if<Node>().
  template <typename T>
  const T* get_if() const {
    if constexpr (BoxedKind<T>) {
      const auto* boxed = std::get_if<Boxed<T>>(&kinds_);
      return boxed == nullptr ? nullptr : &**boxed;
    } else {
      return std::get_if<T>(&kinds_);
    }
  }
  // Moves the kind out where it stands in line; it must be of that kind.
  template <PlainKind T>
  T take() && {
    return std::move(std::get<T>(kinds_));
  }
  const Kinds& kinds() const { return kinds_; }
  friend bool operator==(const Value&, const Value&);

 private:
  Kinds kinds_;
};

struct MapEntry {
  std::string key;
  Value value;
  friend bool operator==(const MapEntry&, const MapEntry&) = default;
};

inline Map::Map() noexcept = default;
inline Map::Map(std::initializer_list<MapEntry> entries) : entries_(entries) {}
inline Map::Map(const Map&) = default;
inline Map::Map(Map&&) noexcept = default;
inline Map& Map::operator=(const Map&) = default;
inline Map& Map::operator=(Map&&) noexcept = default;
inline Map::~Map() = default;

template <typename T>
const T* Map::get_if(std::string_view key) const {
  const Value* value = find(key);
  return value == nullptr ? nullptr : value->get_if<T>();
}

}  // namespace bolt
