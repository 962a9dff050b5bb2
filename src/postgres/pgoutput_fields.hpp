// The fields of a logical replication message, read from left to right: the part of the pgoutput
// decoder that knows bytes, and not messages.
#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <string_view>

#include "base/bytes.hpp"
#include "change/ids.hpp"

namespace cnx::postgres {

constexpr int64_t kMicrosecondsFrom1970To2000 = 946'684'800'000'000;

// Reads fields one after another; the first that is not there spoils all, so that a message is
// checked once, at its end.
class Fields {
 public:
  explicit Fields(BytesView payload) : reader_(payload) {}

  template <typename T>
  T number() {
    auto value = reader_.read<T>();
    if (!value) spoil();
    return value.value_or(T{});
  }
  change::Lsn lsn() { return change::Lsn(number<uint64_t>()); }
  change::Oid oid() { return change::Oid(number<uint32_t>()); }
  change::Xid xid() { return change::Xid(number<uint32_t>()); }
  // A commit time can be anything that a replication origin set; what would overflow stays at the
  // end of the scale.
  int64_t time() {
    int64_t since_1970 = 0;
    if (__builtin_add_overflow(number<int64_t>(), kMicrosecondsFrom1970To2000, &since_1970)) {
      return std::numeric_limits<int64_t>::max();
    }
    return since_1970;
  }
  std::string_view text() {
    auto value = reader_.read_c_string();
    if (!value) spoil();
    return value.value_or(std::string_view{});
  }
  std::string name_or_pg_catalog() {
    std::string_view schema = text();
    return schema.empty() ? "pg_catalog" : std::string(schema);
  }
  // The length is checked against what is there before anything is taken.
  BytesView bytes() {
    auto length = number<int32_t>();
    if (length < 0) spoil();
    auto value = reader_.read_bytes(length < 0 ? 0 : static_cast<size_t>(length));
    if (!value) spoil();
    return value.value_or(BytesView{});
  }
  // A count of things of at least `bytes_each`: 0 and spoilt where so many cannot be there.
  template <typename T>
  size_t count(size_t bytes_each) {
    T value = number<T>();
    if (value < 0 || static_cast<size_t>(value) > reader_.remaining() / bytes_each) {
      spoil();
      return 0;
    }
    return static_cast<size_t>(value);
  }

  void spoil() { spoilt_ = true; }
  void meet_binary() {
    binary_ = true;
    spoil();
  }
  bool spoilt() const { return spoilt_; }
  bool binary() const { return binary_; }
  bool complete() const { return !spoilt_ && reader_.empty(); }

 private:
  ByteReader reader_;
  bool spoilt_ = false;
  bool binary_ = false;
};

}  // namespace cnx::postgres
