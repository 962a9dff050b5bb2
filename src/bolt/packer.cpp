#include <bit>
#include <concepts>
#include <limits>

#include "base/check.hpp"
#include "bolt/packstream.hpp"

namespace bolt {
namespace {

// What is written for each kind of a value, so that adding a kind without packing it does not
// compile.
struct PackValue {
  Packer& packer;
  Dialect dialect;

  void operator()(Null) const { packer.null(); }
  void operator()(bool value) const { packer.boolean(value); }
  void operator()(int64_t value) const { packer.integer(value); }
  void operator()(double value) const { packer.real(value); }
  void operator()(const std::string& value) const { packer.string(value); }
  void operator()(const cnx::Bytes& value) const { packer.bytes(value); }
  void operator()(const List& list) const {
    packer.list_header(list.size());
    for (const Value& value : list) packer.value(value, dialect);
  }
  void operator()(const Map& map) const { packer.map(map, dialect); }
  void operator()(const Date& value) const { packer.date(value); }
  void operator()(const LocalTime& value) const { packer.local_time(value); }
  void operator()(const Time& value) const { packer.time(value); }
  void operator()(const LocalDateTime& value) const { packer.local_date_time(value); }
  void operator()(const DateTime& value) const { packer.date_time(value, dialect); }
  void operator()(const DateTimeZoneId& value) const { packer.date_time_zone_id(value); }
  void operator()(const Duration& value) const { packer.duration(value); }
  void operator()(const Point2D& value) const { packer.point(value); }
  void operator()(const Point3D& value) const { packer.point(value); }
  void operator()(const Uuid& value) const { packer.uuid(value); }
  void operator()(const Vector& value) const { packer.vector(value); }
  void operator()(const UnsupportedType& value) const {
    packer.structure_header(4, '?');
    packer.string(value.name);
    packer.integer(value.minimum_major);
    packer.integer(value.minimum_minor);
    packer.map(value.details, dialect);
  }
  void operator()(const Node& node) const {
    bool element_ids = features(dialect.version).element_ids;
    packer.structure_header(element_ids ? 4 : 3, 'N');
    packer.integer(node.id);
    packer.list_header(node.labels.size());
    for (const std::string& label : node.labels) packer.string(label);
    packer.map(node.properties, dialect);
    if (element_ids) packer.string(node.element_id);
  }
  void operator()(const Relationship& relationship) const {
    bool element_ids = features(dialect.version).element_ids;
    packer.structure_header(element_ids ? 8 : 5, 'R');
    packer.integer(relationship.id);
    packer.integer(relationship.start_id);
    packer.integer(relationship.end_id);
    packer.string(relationship.type);
    packer.map(relationship.properties, dialect);
    if (!element_ids) return;
    packer.string(relationship.element_id);
    packer.string(relationship.start_element_id);
    packer.string(relationship.end_element_id);
  }
  void operator()(const UnboundRelationship& relationship) const {
    bool element_ids = features(dialect.version).element_ids;
    packer.structure_header(element_ids ? 4 : 3, 'r');
    packer.integer(relationship.id);
    packer.string(relationship.type);
    packer.map(relationship.properties, dialect);
    if (element_ids) packer.string(relationship.element_id);
  }
  void operator()(const Path& path) const {
    packer.structure_header(3, 'P');
    packer.list_header(path.nodes.size());
    for (const Node& node : path.nodes) (*this)(node);
    packer.list_header(path.relationships.size());
    for (const UnboundRelationship& relationship : path.relationships) (*this)(relationship);
    packer.list_header(path.indices.size());
    for (int64_t index : path.indices) packer.integer(index);
  }
  template <typename T>
  void operator()(const Boxed<T>& boxed) const {
    (*this)(*boxed);
  }
};

}  // namespace

void Packer::integer(int64_t value) {
  cnx::ByteWriter writer(out_);
  if (value >= -16 && value <= 127) {
    byte(static_cast<uint8_t>(value));
  } else if (value >= std::numeric_limits<int8_t>::min() && value < 0) {
    byte(0xC8);
    writer.write(static_cast<int8_t>(value));
  } else if (value >= std::numeric_limits<int16_t>::min() &&
             value <= std::numeric_limits<int16_t>::max()) {
    byte(0xC9);
    writer.write(static_cast<int16_t>(value));
  } else if (value >= std::numeric_limits<int32_t>::min() &&
             value <= std::numeric_limits<int32_t>::max()) {
    byte(0xCA);
    writer.write(static_cast<int32_t>(value));
  } else {
    byte(0xCB);
    writer.write(value);
  }
}

void Packer::real(double value) {
  byte(0xC1);
  cnx::ByteWriter(out_).write_double(value);
}

void Packer::bytes(cnx::BytesView value) {
  length(value.size(), 0xCC);
  cnx::ByteWriter(out_).write_bytes(value);
}

void Packer::string(std::string_view value) {
  sized_header(value.size(), 0x80, 0xD0);
  cnx::ByteWriter(out_).write_text(value);
}

void Packer::structure_header(size_t fields, uint8_t tag) {
  CNX_CHECK(fields <= 15, "a structure has at most 15 fields");
  byte(static_cast<uint8_t>(0xB0 + fields));
  byte(tag);
}

void Packer::sized_header(size_t count, uint8_t tiny, uint8_t small) {
  if (count < 16) {
    byte(static_cast<uint8_t>(tiny + count));
  } else {
    length(count, small);
  }
}

void Packer::length(size_t count, uint8_t marker8) {
  cnx::ByteWriter writer(out_);
  if (count <= std::numeric_limits<uint8_t>::max()) {
    byte(marker8);
    writer.write(static_cast<uint8_t>(count));
  } else if (count <= std::numeric_limits<uint16_t>::max()) {
    byte(static_cast<uint8_t>(marker8 + 1));
    writer.write(static_cast<uint16_t>(count));
  } else {
    CNX_CHECK(count <= std::numeric_limits<uint32_t>::max(), "a packed length is below 2^32");
    byte(static_cast<uint8_t>(marker8 + 2));
    writer.write(static_cast<uint32_t>(count));
  }
}

void Packer::date(const Date& value) {
  structure_header(1, 'D');
  integer(value.days);
}

void Packer::local_time(const LocalTime& value) {
  structure_header(1, 't');
  integer(value.nanoseconds);
}

void Packer::time(const Time& value) {
  structure_header(2, 'T');
  integer(value.nanoseconds);
  integer(value.offset_seconds);
}

void Packer::local_date_time(const LocalDateTime& value) {
  structure_header(2, 'd');
  integer(value.seconds);
  integer(value.nanoseconds);
}

void Packer::date_time(const DateTime& value, Dialect dialect) {
  // The legacy form counts on the wall clock: UTC plus offset. Unsigned, so that the far ends wrap
  // instead of being undefined.
  auto local = static_cast<int64_t>(static_cast<uint64_t>(value.seconds) +
                                    static_cast<uint64_t>(value.offset_seconds));
  structure_header(3, dialect.utc ? 'I' : 'F');
  integer(dialect.utc ? value.seconds : local);
  integer(value.nanoseconds);
  integer(value.offset_seconds);
}

void Packer::date_time_zone_id(const DateTimeZoneId& value) {
  structure_header(3, value.wall_clock ? 'f' : 'i');
  integer(value.seconds);
  integer(value.nanoseconds);
  string(value.zone);
}

void Packer::duration(const Duration& value) {
  structure_header(4, 'E');
  integer(value.months);
  integer(value.days);
  integer(value.seconds);
  integer(value.nanoseconds);
}

void Packer::point(const Point2D& value) {
  structure_header(3, 'X');
  integer(value.srid);
  real(value.x);
  real(value.y);
}

void Packer::point(const Point3D& value) {
  structure_header(4, 'Y');
  integer(value.srid);
  real(value.x);
  real(value.y);
  real(value.z);
}

void Packer::vector(const Vector& value) {
  structure_header(2, 'V');
  const auto element = static_cast<std::byte>(value.element);
  bytes(cnx::BytesView(&element, 1));
  bytes(value.elements);
}

void Packer::uuid(const Uuid& value) {
  byte(0xE0);
  cnx::ByteWriter(out_).write_bytes(value.bytes);
}

void Packer::map(const Map& map, Dialect dialect) {
  map_header(map.size());
  for (const MapEntry& entry : map) {
    string(entry.key);
    value(entry.value, dialect);
  }
}

void Packer::value(const Value& value, Dialect dialect) {
  std::visit(PackValue{*this, dialect}, value.kinds());
}

}  // namespace bolt
