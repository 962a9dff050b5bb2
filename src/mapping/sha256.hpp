// SHA-256, for fingerprints and for keys that are too long for an index.
#pragma once

#include <string>
#include <string_view>

namespace cnx::mapping {

// SHA-256 of the bytes, in lower-case hexadecimal (FIPS 180-4).
std::string sha256_hex(std::string_view bytes);

}  // namespace cnx::mapping
