// Reading and writing big-endian bytes, the order of both wire protocols. A reader never goes past its end:
// each read says whether there was enough, and after a failed read nothing was taken.
#pragma once

#include <bit>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace cnx {

using Bytes = std::vector<std::byte>;
using BytesView = std::span<const std::byte>;

inline BytesView as_bytes(std::string_view text) {
  return {reinterpret_cast<const std::byte*>(text.data()), text.size()};
}
// Valid while the bytes are.
inline std::string_view as_text(BytesView bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

template <std::unsigned_integral T>
constexpr T big_endian(T value) {
  if constexpr (sizeof(T) == 1 || std::endian::native == std::endian::big) return value;
  if constexpr (sizeof(T) == 2) return __builtin_bswap16(value);
  if constexpr (sizeof(T) == 4) return __builtin_bswap32(value);
  if constexpr (sizeof(T) == 8) return __builtin_bswap64(value);
}

// One thread. The view must outlive the reader and every view taken from it.
class ByteReader {
 public:
  explicit ByteReader(BytesView bytes) : bytes_(bytes) {}

  size_t remaining() const { return bytes_.size() - at_; }
  size_t position() const { return at_; }
  bool empty() const { return at_ == bytes_.size(); }

  template <std::integral T>
  std::optional<T> read() {
    using Unsigned = std::make_unsigned_t<T>;
    if (remaining() < sizeof(T)) return std::nullopt;
    Unsigned value;
    std::memcpy(&value, bytes_.data() + at_, sizeof(T));
    at_ += sizeof(T);
    return static_cast<T>(big_endian(value));
  }

  std::optional<double> read_double() {
    auto bits = read<uint64_t>();
    if (!bits) return std::nullopt;
    return std::bit_cast<double>(*bits);
  }

  std::optional<BytesView> read_bytes(size_t count) {
    if (remaining() < count) return std::nullopt;
    BytesView view = bytes_.subspan(at_, count);
    at_ += count;
    return view;
  }

  // A NUL-terminated string, without the NUL.
  std::optional<std::string_view> read_c_string() {
    const void* end = remaining() == 0 ? nullptr : std::memchr(bytes_.data() + at_, 0, remaining());
    if (end == nullptr) return std::nullopt;
    size_t length = static_cast<size_t>(static_cast<const std::byte*>(end) - (bytes_.data() + at_));
    std::string_view text = as_text(bytes_.subspan(at_, length));
    at_ += length + 1;
    return text;
  }

 private:
  BytesView bytes_;
  size_t at_ = 0;
};

// Appends to a buffer it does not own. One thread.
class ByteWriter {
 public:
  explicit ByteWriter(Bytes& out) : out_(out) {}

  template <std::integral T>
  void write(T value) {
    auto big = big_endian(static_cast<std::make_unsigned_t<T>>(value));
    size_t at = out_.size();
    out_.resize(at + sizeof(T));
    std::memcpy(out_.data() + at, &big, sizeof(T));
  }
  void write_double(double value) { write(std::bit_cast<uint64_t>(value)); }
  void write_bytes(BytesView bytes) { out_.insert(out_.end(), bytes.begin(), bytes.end()); }
  void write_text(std::string_view text) { write_bytes(as_bytes(text)); }

 private:
  Bytes& out_;
};

}  // namespace cnx
