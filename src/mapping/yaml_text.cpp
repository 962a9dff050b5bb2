#include "mapping/yaml_text.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>

namespace cnx::mapping {
namespace {

constexpr uint32_t kNotUtf8 = 0xFFFFFFFF;

// The code point at `i`, which moves behind it. A byte that is no UTF-8 is passed over alone.
uint32_t next(std::string_view text, size_t& i) {
  const auto lead = static_cast<unsigned char>(text[i++]);
  if (lead < 0x80) return lead;
  const size_t more = lead >= 0xF0 ? 3 : lead >= 0xE0 ? 2 : lead >= 0xC0 ? 1 : 0;
  if (more == 0 || i + more > text.size()) return kNotUtf8;
  uint32_t code = lead & (0x3FU >> more);
  for (size_t k = 0; k < more; ++k) {
    const auto byte = static_cast<unsigned char>(text[i + k]);
    if ((byte & 0xC0U) != 0x80) return kNotUtf8;
    code = code << 6U | (byte & 0x3FU);
  }
  i += more;
  return code;
}

bool ends_line(uint32_t code) {
  return code == '\n' || code == '\r' || code == 0x85 || code == 0x2028 || code == 0x2029;
}

// What YAML's c-printable leaves out or a reader cannot see.
bool is_unfit(uint32_t code) {
  return code < 0x20 || (code >= 0x7F && code < 0xA0) || (code >= 0x2028 && code <= 0x202E) ||
         (code >= 0x200B && code <= 0x200F) || (code >= 0x2066 && code <= 0x2069) ||
         (code >= 0xD800 && code <= 0xDFFF) || code == 0xFEFF || code == 0xFFFE || code == 0xFFFF ||
         code > 0x10FFFF;
}

bool is_blank(uint32_t code) {
  return code == 0xA0 || code == 0x1680 || (code >= 0x2000 && code <= 0x200A) || code == 0x202F ||
         code == 0x205F || code == 0x3000;
}

// Bare words that some version of YAML takes for something else.
bool is_taken_word(std::string_view text) {
  constexpr std::array kWords = {
      std::string_view("y"),    std::string_view("n"),     std::string_view("yes"),
      std::string_view("no"),   std::string_view("on"),    std::string_view("off"),
      std::string_view("true"), std::string_view("false"), std::string_view("null"),
      std::string_view("nan"),  std::string_view("inf"),   std::string_view("none")};
  std::string small(text);
  std::transform(small.begin(), small.end(), small.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return std::find(kWords.begin(), kWords.end(), small) != kWords.end();
}

bool is_bare(std::string_view text) {
  if (text.empty() || is_taken_word(text)) return false;
  for (size_t i = 0; i < text.size();) {
    const bool first = i == 0;
    const uint32_t code = next(text, i);
    const bool letter = (code >= 'a' && code <= 'z') || (code >= 'A' && code <= 'Z') ||
                        code == '_' || (code > 0xA0 && !is_unfit(code) && !is_blank(code));
    const bool digit = code >= '0' && code <= '9';
    if (!letter && (first || !digit)) return false;
  }
  return true;
}

std::string escaped(uint32_t code) {
  std::array<char, 16> text{};
  std::snprintf(text.data(), text.size(), code > 0xFFFF ? "\\U%08X" : "\\u%04X",
                static_cast<unsigned>(code));
  return text.data();
}

}  // namespace

std::string yaml_scalar(std::string_view text) {
  if (is_bare(text)) return std::string(text);
  std::string quoted = "\"";
  for (size_t i = 0; i < text.size();) {
    const size_t begin = i;
    const uint32_t code = next(text, i);
    if (code == '"' || code == '\\') quoted += '\\';
    if (code != kNotUtf8 && is_unfit(code)) {
      quoted += escaped(code);
    } else {
      quoted += text.substr(begin, i - begin);
    }
  }
  return quoted + '"';
}

std::string yaml_words(const std::vector<std::string>& words) {
  if (words.size() == 1) return yaml_scalar(words.front());
  std::string list;
  for (const std::string& word : words) list += (list.empty() ? "" : ", ") + yaml_scalar(word);
  return "[" + list + "]";
}

std::string comment_text(std::string_view text, size_t width) {
  std::string line;
  size_t count = 0;
  for (size_t i = 0; i < text.size();) {
    const size_t begin = i;
    const uint32_t code = next(text, i);
    if (ends_line(code)) {
      if (line.find_first_not_of(' ') != std::string::npos) break;
      continue;
    }
    if (count == width) {
      line += "…";
      break;
    }
    const bool unfit = code == kNotUtf8 || is_unfit(code);
    if (line.empty() && (unfit || code == ' ')) continue;
    line += unfit ? std::string_view(" ") : text.substr(begin, i - begin);
    ++count;
  }
  while (line.ends_with(' ')) line.pop_back();
  return line;
}

std::string comment_lines(std::string_view raw, size_t indent) {
  constexpr size_t kWidth = 118;
  const std::string text = comment_text(raw, std::string::npos);
  const std::string start = std::string(indent, ' ') + "#";
  std::string all, line = start;
  size_t width = line.size();
  for (size_t i = 0; i < text.size();) {
    const size_t end = std::min(text.find(' ', i), text.size());
    const std::string word = text.substr(i, end - i);
    i = std::min(end + 1, text.size());
    const size_t length = letters(word);
    if (width + 1 + length > kWidth && line.size() > start.size()) {
      all += line + "\n";
      line = start;
      width = line.size();
    }
    line.append(" ").append(word);
    width += 1 + length;
  }
  return all + line + "\n";
}

size_t letters(std::string_view text) {
  return static_cast<size_t>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xC0U) != 0x80;
  }));
}

}  // namespace cnx::mapping
