#pragma once

#include <string>
#include <string_view>

namespace cnx::mapping {

// SHA-256 of the bytes, in lower-case hexadecimal (FIPS 180-4).
std::string sha256_hex(std::string_view bytes);

}  // namespace cnx::mapping
