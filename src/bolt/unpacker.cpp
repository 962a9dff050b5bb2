// The reading half of packstream.hpp. Structures are read as a tag and fields first; structures.cpp
// says what they mean.
#include <bit>
#include <string>

#include "bolt/packstream.hpp"
#include "bolt/structures.hpp"

namespace bolt {
namespace {

using cnx::ErrorKind;
using cnx::Result;

// What is reserved on a claim alone; longer lists grow as their items come.
constexpr size_t kReserveItems = 1024;

cnx::Error malformed(std::string what) {
  return cnx::Error(ErrorKind::malformed, "PackStream: " + std::move(what));
}
cnx::Error truncated() {
  return malformed("truncated value");
}

// One thread, one value, then it is done. Recursion is bounded by kDepthMax.
class Unpacker {
 public:
  Unpacker(cnx::BytesView bytes, Dialect dialect) : reader_(bytes), dialect_(dialect) {}

  Result<Value> value(int depth) {
    if (depth > kDepthMax) return cnx::fail(malformed("nested too deeply"));
    auto marker = reader_.read<uint8_t>();
    if (!marker) return cnx::fail(truncated());
    uint8_t low = *marker & 0x0F;
    if (*marker < 0x80 || *marker >= 0xF0) return Value(static_cast<int8_t>(*marker));
    switch (*marker & 0xF0) {
      case 0x80:
        return string(low);
      case 0x90:
        return list(low, depth);
      case 0xA0:
        return map(low, depth);
      case 0xB0:
        return structure_value(low, depth);
      default:
        return by_marker(*marker, depth);
    }
  }

  Result<Structure> structure(int depth) {
    auto marker = reader_.read<uint8_t>();
    if (!marker) return cnx::fail(truncated());
    if ((*marker & 0xF0) != 0xB0) return cnx::fail(malformed("no structure where one must be"));
    return structure_fields(*marker & 0x0F, depth);
  }

  cnx::Status end() const {
    if (!reader_.empty()) return cnx::fail(malformed("bytes after the value"));
    return {};
  }

 private:
  Result<Value> by_marker(uint8_t marker, int depth) {
    switch (marker) {
      case 0xC0:
        return Value();
      case 0xC1:
        return real();
      case 0xC2:
        return Value(false);
      case 0xC3:
        return Value(true);
      case 0xC8:
        return integer<int8_t>();
      case 0xC9:
        return integer<int16_t>();
      case 0xCA:
        return integer<int32_t>();
      case 0xCB:
        return integer<int64_t>();
      case 0xCC:
      case 0xCD:
      case 0xCE:
        return bytes(length(marker - 0xCC));
      case 0xD0:
      case 0xD1:
      case 0xD2:
        return string(length(marker - 0xD0));
      case 0xD4:
      case 0xD5:
      case 0xD6:
        return list(length(marker - 0xD4), depth);
      case 0xD8:
      case 0xD9:
      case 0xDA:
        return map(length(marker - 0xD8), depth);
      case 0xE0:
        return uuid();
      default:
        return cnx::fail(malformed("unknown marker " + std::to_string(marker)));
    }
  }

  // 1, 2 or 4 bytes. Nullopt where they are missing: the callers' own checks turn that into an
  // error.
  std::optional<size_t> length(int width) {
    if (width == 0) return reader_.read<uint8_t>();
    if (width == 1) return reader_.read<uint16_t>();
    return reader_.read<uint32_t>();
  }

  template <typename T>
  Result<Value> integer() {
    auto value = reader_.read<T>();
    if (!value) return cnx::fail(truncated());
    return Value(*value);
  }

  Result<Value> real() {
    auto value = reader_.read_double();
    if (!value) return cnx::fail(truncated());
    return Value(*value);
  }

  Result<Value> uuid() {
    if (!features(dialect_.version).uuids) return cnx::fail(malformed("a UUID before Bolt 6.1"));
    Uuid value;
    auto view = reader_.read_bytes(value.bytes.size());
    if (!view) return cnx::fail(truncated());
    std::copy(view->begin(), view->end(), value.bytes.begin());
    return Value(value);
  }

  Result<Value> bytes(std::optional<size_t> count) {
    auto view = count ? reader_.read_bytes(*count) : std::nullopt;
    if (!view) return cnx::fail(truncated());
    return Value(cnx::Bytes(view->begin(), view->end()));
  }

  Result<std::string> text(std::optional<size_t> count) {
    auto view = count ? reader_.read_bytes(*count) : std::nullopt;
    if (!view) return cnx::fail(truncated());
    return std::string(cnx::as_text(*view));
  }

  Result<Value> string(std::optional<size_t> count) {
    CNX_TRY(std::string value, text(count));
    return Value(std::move(value));
  }

  Result<Value> list(std::optional<size_t> count, int depth) {
    CNX_TRY(List values, items(count, depth));
    return Value(std::move(values));
  }

  Result<List> items(std::optional<size_t> count, int depth) {
    // Every item takes at least one byte.
    if (!count || *count > reader_.remaining()) return cnx::fail(truncated());
    List values;
    values.reserve(std::min(*count, kReserveItems));
    for (size_t i = 0; i < *count; ++i) {
      CNX_TRY(Value item, value(depth + 1));
      values.push_back(std::move(item));
    }
    return values;
  }

  Result<Value> map(std::optional<size_t> count, int depth) {
    // Every pair takes at least two bytes.
    if (!count || *count > reader_.remaining() / 2) return cnx::fail(truncated());
    Map entries;
    entries.reserve(std::min(*count, kReserveItems));
    for (size_t i = 0; i < *count; ++i) {
      CNX_TRY(std::string key, map_key());
      CNX_TRY(Value item, value(depth + 1));
      entries.add(std::move(key), std::move(item));
    }
    return Value(std::move(entries));
  }

  Result<std::string> map_key() {
    auto marker = reader_.read<uint8_t>();
    if (!marker) return cnx::fail(truncated());
    if ((*marker & 0xF0) == 0x80) return text(*marker & 0x0F);
    if (*marker < 0xD0 || *marker > 0xD2)
      return cnx::fail(malformed("a map's key is not a string"));
    return text(length(*marker - 0xD0));
  }

  Result<Structure> structure_fields(size_t count, int depth) {
    auto tag = reader_.read<uint8_t>();
    if (!tag) return cnx::fail(truncated());
    CNX_TRY(List fields, items(count, depth));
    return Structure{*tag, std::move(fields)};
  }

  Result<Value> structure_value(size_t count, int depth) {
    CNX_TRY(Structure raw, structure_fields(count, depth));
    return interpret(std::move(raw), dialect_);
  }

  cnx::ByteReader reader_;
  Dialect dialect_;
};

}  // namespace

Result<Value> unpack(cnx::BytesView bytes, Dialect dialect) {
  Unpacker unpacker(bytes, dialect);
  CNX_TRY(Value value, unpacker.value(0));
  CNX_TRY(unpacker.end());
  return value;
}

Result<Structure> unpack_structure(cnx::BytesView bytes, Dialect dialect) {
  Unpacker unpacker(bytes, dialect);
  CNX_TRY(Structure structure, unpacker.structure(0));
  CNX_TRY(unpacker.end());
  return structure;
}

}  // namespace bolt
