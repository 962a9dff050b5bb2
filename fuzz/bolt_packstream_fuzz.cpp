// Input: one byte that chooses the version, then one packed value. What is read is written, and
// read again as the same.
#include <cstddef>
#include <cstdint>

#include "base/check.hpp"
#include "bolt/packstream.hpp"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  constexpr bolt::Dialect kDialects[] = {
      bolt::Version{4, 4}, bolt::Dialect(bolt::Version{4, 4}, true), bolt::Version{5, 8},
      bolt::Version{6, 0}, bolt::Version{6, 1}};
  bolt::Dialect dialect = kDialects[data[0] % std::size(kDialects)];
  cnx::BytesView bytes(reinterpret_cast<const std::byte*>(data + 1), size - 1);
  auto structure = bolt::unpack_structure(bytes, dialect);
  auto value = bolt::unpack(bytes, dialect);
  CNX_CHECK(!structure || structure->fields.size() <= 15, "a structure has at most 15 fields");
  if (!value) {
    CNX_CHECK(value.error().kind() == cnx::ErrorKind::malformed,
              "bytes that are no value are malformed");
    return 0;
  }
  cnx::Bytes packed;
  bolt::Packer(packed).value(*value, dialect);
  auto again = bolt::unpack(packed, dialect);
  CNX_CHECK(again.has_value(), "what is written can be read");
  cnx::Bytes packed_again;
  bolt::Packer(packed_again).value(*again, dialect);
  CNX_CHECK(packed == packed_again, "a value keeps its bytes");
  return 0;
}
