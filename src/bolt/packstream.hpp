// PackStream: values to bytes and back. The lowest layer of the client; knows neither messages nor
// chunks.
//
//   null C0 · false C2 · true C3 · real C1 + IEEE double
//   integer  one byte for -16 … 127, else C8 C9 CA CB + 1 2 4 8 bytes
//   bytes    CC CD CE + length of 1 2 4 bytes
//   string   80 + length below 16, else D0 D1 D2 + length of 1 2 4 bytes, UTF-8
//   list     90 + count below 16, else D4 D5 D6
//   map      A0 + pairs below 16, else D8 D9 DA; keys are strings
//   structure B0 + field count (at most 15), then a tag byte
//   uuid     E0 + 16 bytes (6.1)
//
// All numbers are big endian.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "bolt/value.hpp"
#include "bolt/version.hpp"

namespace bolt {

// Appends packed values, each in its smallest form, to a buffer it does not own. One thread. Text
// is taken as it is: whoever takes it from outside asks is_utf8() first. Lengths are below 2^32
// (PostgreSQL's values end at 1 GB).
class Packer {
 public:
  explicit Packer(cnx::Bytes& out) : out_(out) {}

  void null() { byte(0xC0); }
  void boolean(bool value) { byte(value ? 0xC3 : 0xC2); }
  void integer(int64_t value);
  void real(double value);
  void bytes(cnx::BytesView value);
  void string(std::string_view value);
  // Headers only: `count` values (or pairs of string and value, or fields) must follow.
  void list_header(size_t count) { sized_header(count, 0x90, 0xD4); }
  void map_header(size_t pairs) { sized_header(pairs, 0xA0, 0xD8); }
  void structure_header(size_t fields, uint8_t tag);

  void date(const Date& value);
  void local_time(const LocalTime& value);
  void time(const Time& value);
  void local_date_time(const LocalDateTime& value);
  void date_time(const DateTime& value, Dialect dialect = {});
  void date_time_zone_id(const DateTimeZoneId& value);
  void duration(const Duration& value);
  void point(const Point2D& value);
  void point(const Point3D& value);
  void vector(const Vector& value);
  void uuid(const Uuid& value);
  void map(const Map& map, Dialect dialect = {});
  // Any value, also those that only a server sends (Neo4j refuses a node as a parameter).
  void value(const Value& value, Dialect dialect = {});

 private:
  void byte(uint8_t value) { out_.push_back(static_cast<std::byte>(value)); }
  // `tiny` + count below 16; else `small` and the two markers after it for 1, 2 and 4 bytes of
  // length.
  void sized_header(size_t count, uint8_t tiny, uint8_t small);
  void length(size_t count, uint8_t marker8);

  cnx::Bytes& out_;
};

// The one value that `bytes` hold. malformed: truncated, trailing bytes, an unknown marker or
// structure, fields of the wrong type, nesting deeper than kDepthMax. A length is believed only as
// far as bytes are there.
cnx::Result<Value> unpack(cnx::BytesView bytes, Dialect dialect);

// A structure of any tag, as messages are.
struct Structure {
  uint8_t tag = 0;
  List fields;
};
cnx::Result<Structure> unpack_structure(cnx::BytesView bytes, Dialect dialect);

// Query plans nest deepest, by one level an operator; far below what the stack takes.
constexpr int kDepthMax = 200;

}  // namespace bolt
