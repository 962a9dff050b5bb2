#include "change/correlation.hpp"

#include <openssl/sha.h>

#include <array>

namespace cnx::change {
namespace {

// The namespace of all of these names, this project's own. Another one would give every change another id.
constexpr std::array<unsigned char, 16> kNamespace = {0x6e, 0x1f, 0x4b, 0x0c, 0x9d, 0x52, 0x4a, 0x37,
                                                      0xb1, 0x8e, 0x27, 0xc4, 0x5d, 0x90, 0xfa, 0x13};

}  // namespace

std::string correlation_id(std::string_view system_identifier, std::string_view database, const Position& position) {
  std::string name(kNamespace.begin(), kNamespace.end());
  // The database's name comes last: it alone may hold any character.
  name.append(system_identifier).append(" ").append(position.lsn.to_string()).append(" ");
  name.append(std::to_string(position.ordinal)).append(" ").append(database);
  unsigned char digest[SHA_DIGEST_LENGTH];
  SHA1(reinterpret_cast<const unsigned char*>(name.data()), name.size(), digest);
  digest[6] = static_cast<unsigned char>((digest[6] & 0x0f) | 0x50);  // Version 5.
  digest[8] = static_cast<unsigned char>((digest[8] & 0x3f) | 0x80);  // The RFC's variant.
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  for (size_t i = 0; i < 16; ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) text += '-';
    text += kDigits[digest[i] >> 4];
    text += kDigits[digest[i] & 0x0f];
  }
  return text;
}

std::string correlation_id(const CorrelationSource& source, const Position& position) {
  if (source.system_identifier.empty() || position.lsn == Lsn()) return {};
  return correlation_id(source.system_identifier, source.database, position);
}

}  // namespace cnx::change
