#include "mapping/sha256.hpp"

#include <openssl/sha.h>

namespace cnx::mapping {

std::string sha256_hex(std::string_view bytes) {
  unsigned char digest[SHA256_DIGEST_LENGTH];
  SHA256(reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(), digest);
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string hexadecimal;
  for (unsigned char byte : digest) {
    hexadecimal += kDigits[byte >> 4];
    hexadecimal += kDigits[byte & 0x0f];
  }
  return hexadecimal;
}

}  // namespace cnx::mapping
