// The bytes that a server sends in protocol 1, made from values: what a test's PostgreSQL says. The
// grammar is in postgres/pgoutput.hpp. For tests only.
#pragma once

#include <algorithm>
#include <cstdlib>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.hpp"
#include "postgres/replication.hpp"

namespace cnx::capture {
namespace testing {

// One column of a row; none is NULL.
using Datum = std::optional<std::string>;

namespace detail {

inline void write_string(ByteWriter& writer, std::string_view text) {
  writer.write_text(text);
  writer.write<uint8_t>(0);
}

inline void write_tuple(ByteWriter& writer, char kind, const std::vector<Datum>& row) {
  writer.write<uint8_t>(static_cast<uint8_t>(kind));
  writer.write<uint16_t>(static_cast<uint16_t>(row.size()));
  for (const Datum& datum : row) {
    writer.write<uint8_t>(static_cast<uint8_t>(datum ? 't' : 'n'));
    if (!datum) continue;
    writer.write<uint32_t>(static_cast<uint32_t>(datum->size()));
    writer.write_text(*datum);
  }
}

inline Bytes row_message(char type, uint32_t relation) {
  Bytes bytes;
  ByteWriter writer(bytes);
  writer.write<uint8_t>(static_cast<uint8_t>(type));
  writer.write<uint32_t>(relation);
  return bytes;
}

}  // namespace detail

inline Bytes begin(change::Lsn final_lsn, uint32_t xid = 7) {
  Bytes bytes;
  ByteWriter writer(bytes);
  writer.write<uint8_t>('B');
  writer.write<uint64_t>(final_lsn.value());
  writer.write<int64_t>(0);
  writer.write<uint32_t>(xid);
  return bytes;
}

inline Bytes commit(change::Lsn final_lsn, change::Lsn end_lsn) {
  Bytes bytes;
  ByteWriter writer(bytes);
  writer.write<uint8_t>('C');
  writer.write<uint8_t>(0);
  writer.write<uint64_t>(final_lsn.value());
  writer.write<uint64_t>(end_lsn.value());
  writer.write<int64_t>(0);
  return bytes;
}

inline Bytes origin(std::string_view name) {
  Bytes bytes;
  ByteWriter writer(bytes);
  writer.write<uint8_t>('O');
  writer.write<uint64_t>(0);
  detail::write_string(writer, name);
  return bytes;
}

// A table `public.<name>` of bigint columns, the first of which is the key.
inline Bytes relation(uint32_t oid, std::string_view name,
                      const std::vector<std::string>& columns) {
  constexpr uint32_t kInt8 = 20;
  Bytes bytes = detail::row_message('R', oid);
  ByteWriter writer(bytes);
  detail::write_string(writer, "public");
  detail::write_string(writer, name);
  writer.write<uint8_t>('d');
  writer.write<uint16_t>(static_cast<uint16_t>(columns.size()));
  for (size_t i = 0; i < columns.size(); ++i) {
    writer.write<uint8_t>(i == 0 ? 1 : 0);
    detail::write_string(writer, columns[i]);
    writer.write<uint32_t>(kInt8);
    writer.write<int32_t>(-1);
  }
  return bytes;
}

inline Bytes insert(uint32_t relation, const std::vector<Datum>& row) {
  Bytes bytes = detail::row_message('I', relation);
  ByteWriter writer(bytes);
  detail::write_tuple(writer, 'N', row);
  return bytes;
}

// `old_key`: where the key changed, the old row with nothing but its key.
inline Bytes update(uint32_t relation, const std::vector<Datum>& row,
                    const std::vector<Datum>& old_key = {}) {
  Bytes bytes = detail::row_message('U', relation);
  ByteWriter writer(bytes);
  if (!old_key.empty()) detail::write_tuple(writer, 'K', old_key);
  detail::write_tuple(writer, 'N', row);
  return bytes;
}

inline Bytes remove(uint32_t relation, const std::vector<Datum>& old_key) {
  Bytes bytes = detail::row_message('D', relation);
  ByteWriter writer(bytes);
  detail::write_tuple(writer, 'K', old_key);
  return bytes;
}

inline Bytes truncate(const std::vector<uint32_t>& relations) {
  Bytes bytes;
  ByteWriter writer(bytes);
  writer.write<uint8_t>('T');
  writer.write<uint32_t>(static_cast<uint32_t>(relations.size()));
  writer.write<uint8_t>(0);
  for (uint32_t oid : relations) writer.write<uint32_t>(oid);
  return bytes;
}

// The payload in memory of its own, as libpq gives it.
inline postgres::WalData wal_data(BytesView payload) {
  auto* memory = static_cast<char*>(std::malloc(payload.size() + 1));
  std::ranges::copy(as_text(payload), memory);
  postgres::WalData data{
      .buffer = change::Buffer(memory, [](const void* p) { std::free(const_cast<void*>(p)); }),
      .payload = as_bytes(std::string_view(memory, payload.size())),
      .start = {}};
  return data;
}

}  // namespace testing
}  // namespace cnx::capture
