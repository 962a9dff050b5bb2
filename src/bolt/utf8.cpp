#include "bolt/utf8.hpp"

#include <cstdint>
#include <cstring>

namespace bolt {
namespace {

// The length of the well-formed sequence at `at`, which is not ASCII; 0 where there is none.
size_t sequence_length(const unsigned char* at, size_t left) {
  unsigned char lead = at[0];
  size_t length = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
  if (lead < 0xC2 || lead > 0xF4 || left < length) return 0;
  // The second byte's range excludes overlong forms, surrogates and what lies above U+10FFFF.
  unsigned char low = lead == 0xE0 ? 0xA0 : lead == 0xF0 ? 0x90 : 0x80;
  unsigned char high = lead == 0xED ? 0x9F : lead == 0xF4 ? 0x8F : 0xBF;
  if (at[1] < low || at[1] > high) return 0;
  for (size_t i = 2; i < length; ++i) {
    if ((at[i] & 0xC0) != 0x80) return 0;
  }
  return length;
}

}  // namespace

bool is_utf8(std::string_view text) {
  const auto* at = reinterpret_cast<const unsigned char*>(text.data());
  size_t left = text.size();
  while (left > 0) {
    // Eight ASCII bytes at a time: most text is.
    uint64_t eight = 0;
    if (left >= sizeof(eight)) {
      std::memcpy(&eight, at, sizeof(eight));
      if ((eight & 0x8080808080808080ull) == 0) {
        at += sizeof(eight);
        left -= sizeof(eight);
        continue;
      }
    }
    size_t length = *at < 0x80 ? 1 : sequence_length(at, left);
    if (length == 0) return false;
    at += length;
    left -= length;
  }
  return true;
}

}  // namespace bolt
