#include "change/ids.hpp"

#include <charconv>
#include <cstdio>

namespace cnx::change {

Result<Lsn> Lsn::parse(std::string_view text) {
  auto read_half = [](std::string_view half, uint32_t& value) {
    if (half.empty() || half.size() > 8) return false;
    auto [end, error] = std::from_chars(half.data(), half.data() + half.size(), value, 16);
    return error == std::errc{} && end == half.data() + half.size();
  };
  size_t slash = text.find('/');
  uint32_t high = 0;
  uint32_t low = 0;
  if (slash == std::string_view::npos || !read_half(text.substr(0, slash), high) ||
      !read_half(text.substr(slash + 1), low)) {
    return fail(ErrorKind::malformed, "not an LSN of the form X/Y");
  }
  return Lsn((static_cast<uint64_t>(high) << 32) | low);
}

std::string Lsn::to_string() const {
  char text[24];
  std::snprintf(text, sizeof text, "%X/%X", static_cast<unsigned>(value() >> 32),
                static_cast<unsigned>(value() & 0xFFFFFFFFu));
  return text;
}

std::string Position::to_string() const {
  return ordinal == 0 ? lsn.to_string() : lsn.to_string() + "+" + std::to_string(ordinal);
}

}  // namespace cnx::change
