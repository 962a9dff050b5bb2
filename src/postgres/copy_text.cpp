#include "postgres/copy_text.hpp"

#include <cstring>
#include <optional>
#include <string_view>

namespace cnx::postgres {
namespace {

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

bool is_octal(char c) {
  return c >= '0' && c <= '7';
}

// Reads the escape behind a backslash; `at` moves past it.
char read_escape(const char*& at, const char* end) {
  char c = *at++;
  switch (c) {
    case 'b':
      return '\b';
    case 'f':
      return '\f';
    case 'n':
      return '\n';
    case 'r':
      return '\r';
    case 't':
      return '\t';
    case 'v':
      return '\v';
    default:
      break;
  }
  if (is_octal(c)) {
    int value = c - '0';
    for (int digits = 1; digits < 3 && at != end && is_octal(*at); ++digits) {
      value = value * 8 + (*at++ - '0');
    }
    return static_cast<char>(value & 0xFF);
  }
  if (c == 'x' && at != end && hex_digit(*at) >= 0) {
    int value = hex_digit(*at++);
    if (at != end && hex_digit(*at) >= 0) value = value * 16 + hex_digit(*at++);
    return static_cast<char>(value);
  }
  return c;
}

// Writes the column's bytes over itself; nullopt where a backslash is its last byte.
std::optional<std::string_view> unescape(std::span<char> column) {
  char* begin = column.data();
  const char* end = begin + column.size();
  auto* out = static_cast<char*>(std::memchr(begin, '\\', column.size()));
  const char* at = out;
  while (at != end) {
    if (*at != '\\') {
      *out++ = *at++;
      continue;
    }
    if (++at == end) return std::nullopt;
    *out++ = read_escape(at, end);
  }
  return std::string_view(begin, static_cast<size_t>(out - begin));
}

}  // namespace

Result<std::vector<change::DatumView>> decode_copy_line(std::span<char> line, size_t columns) {
  using change::DatumView;
  if (!line.empty() && line.back() == '\n') line = line.first(line.size() - 1);
  std::vector<DatumView> row;
  if (columns == 0 && line.empty()) return row;
  // Each column but the first costs a TAB, so the line bounds what is allocated.
  if (columns == 0 || columns > line.size() + 1) {
    return fail(ErrorKind::malformed, "a line of COPY has another number of columns");
  }
  row.reserve(columns);
  bool escaped = !line.empty() && std::memchr(line.data(), '\\', line.size()) != nullptr;
  for (size_t begin = 0; begin <= line.size();) {
    size_t left = line.size() - begin;
    const void* tab = left == 0 ? nullptr : std::memchr(line.data() + begin, '\t', left);
    size_t length =
        tab == nullptr ? left
                       : static_cast<size_t>(static_cast<const char*>(tab) - (line.data() + begin));
    std::span<char> column = line.subspan(begin, length);
    begin += length + 1;
    if (row.size() == columns) {
      return fail(ErrorKind::malformed, "a line of COPY has another number of columns");
    }
    std::string_view text(column.data(), column.size());
    if (!escaped || text.find('\\') == std::string_view::npos) {
      row.push_back({DatumView::Kind::text, text});
    } else if (text == "\\N") {
      row.push_back({DatumView::Kind::null, {}});
    } else if (auto plain = unescape(column)) {
      row.push_back({DatumView::Kind::text, *plain});
    } else {
      return fail(ErrorKind::malformed, "a column of COPY ends inside an escape");
    }
  }
  if (row.size() != columns) {
    return fail(ErrorKind::malformed, "a line of COPY has another number of columns");
  }
  return row;
}

}  // namespace cnx::postgres
