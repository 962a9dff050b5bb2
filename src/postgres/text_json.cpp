#include "postgres/text_json.hpp"

#include <algorithm>

namespace cnx::postgres {
namespace {

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

// Takes one piece of grammar after another off the front of the text.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : rest_(text) {}

  std::string_view rest() const { return rest_; }

  void space() {
    const size_t end = rest_.find_first_not_of(" \t\n\r");
    rest_.remove_prefix(end == std::string_view::npos ? rest_.size() : end);
  }

  bool take(char c) {
    if (!rest_.starts_with(c)) return false;
    rest_.remove_prefix(1);
    return true;
  }

  bool string() {
    if (!rest_.starts_with('"')) return false;
    for (size_t at = 1; at < rest_.size(); ++at) {
      if (static_cast<unsigned char>(rest_[at]) < 0x20) return false;
      if (rest_[at] == '\\') {
        ++at;
      } else if (rest_[at] == '"') {
        rest_.remove_prefix(at + 1);
        return true;
      }
    }
    return false;
  }

  // A member's name and its colon.
  bool name() {
    space();
    if (!string()) return false;
    space();
    return take(':');
  }

  // A value of any kind, however deep: no recursion, so that the text cannot exhaust the stack.
  bool value() {
    std::string open;  // Brackets that wait for their end.
    while (true) {
      space();
      if (rest_.empty()) return false;
      const char first = rest_.front();
      const bool nests = first == '{' || first == '[';
      if (nests) {
        rest_.remove_prefix(1);
        open += first == '{' ? '}' : ']';
        space();
        if (!rest_.starts_with(open.back())) {
          if (first == '{' && !name()) return false;
          continue;
        }
      } else if (!scalar()) {
        return false;
      }
      bool another = false;
      while (!open.empty() && !another) {
        space();
        if (take(open.back())) {
          open.pop_back();
        } else if (take(',')) {
          if (open.back() == '}' && !name()) return false;
          another = true;
        } else {
          return false;
        }
      }
      if (!another) return true;
    }
  }

 private:
  bool scalar() {
    for (std::string_view word : {"true", "false", "null"}) {
      if (!rest_.starts_with(word)) continue;
      rest_.remove_prefix(word.size());
      return true;
    }
    return string() || number();
  }

  bool digits() {
    const size_t before = rest_.size();
    while (!rest_.empty() && is_digit(rest_.front())) rest_.remove_prefix(1);
    return rest_.size() < before;
  }

  bool number() {
    take('-');
    if (!take('0') && !digits()) return false;
    if (take('.') && !digits()) return false;
    if (!take('e') && !take('E')) return true;
    if (!take('+')) take('-');
    return digits();
  }

  std::string_view rest_;
};

std::optional<char32_t> hex4(std::string_view text) {
  if (text.size() < 4) return std::nullopt;
  char32_t code = 0;
  for (char c : text.substr(0, 4)) {
    code <<= 4;
    if (is_digit(c)) {
      code |= static_cast<char32_t>(c - '0');
    } else if (c >= 'a' && c <= 'f') {
      code |= static_cast<char32_t>(c - 'a' + 10);
    } else if (c >= 'A' && c <= 'F') {
      code |= static_cast<char32_t>(c - 'A' + 10);
    } else {
      return std::nullopt;
    }
  }
  return code;
}

void append_utf8(std::string& text, char32_t code) {
  auto add = [&](char32_t bits) { text += static_cast<char>(bits); };
  if (code < 0x80) {
    add(code);
  } else if (code < 0x800) {
    add(0xC0 | code >> 6);
    add(0x80 | (code & 0x3F));
  } else if (code < 0x10000) {
    add(0xE0 | code >> 12);
    add(0x80 | (code >> 6 & 0x3F));
    add(0x80 | (code & 0x3F));
  } else {
    add(0xF0 | code >> 18);
    add(0x80 | (code >> 12 & 0x3F));
    add(0x80 | (code >> 6 & 0x3F));
    add(0x80 | (code & 0x3F));
  }
}

// Behind "\u": one code point, of a surrogate pair where it takes two. Says how many bytes it took; 0: no such character.
size_t append_escaped(std::string& text, std::string_view rest) {
  constexpr char32_t kHigh = 0xD800, kLow = 0xDC00, kBeyond = 0xE000;
  auto code = hex4(rest);
  if (!code || (*code >= kLow && *code < kBeyond)) return 0;
  if (*code < kHigh || *code >= kBeyond) {
    append_utf8(text, *code);
    return 4;
  }
  if (rest.substr(4, 2) != "\\u") return 0;
  auto low = hex4(rest.substr(6));
  if (!low || *low < kLow || *low >= kBeyond) return 0;
  append_utf8(text, 0x10000 + ((*code - kHigh) << 10) + (*low - kLow));
  return 10;
}

}  // namespace

std::optional<std::string> decode_json_string(std::string_view quoted) {
  constexpr std::string_view kEscapes = "\"\\/bfnrt";
  constexpr std::string_view kMeanings = "\"\\/\b\f\n\r\t";
  std::string text;
  const std::string_view inner = quoted.substr(1, quoted.size() - 2);
  for (size_t at = 0; at < inner.size(); ++at) {
    if (inner[at] != '\\') {
      text += inner[at];
      continue;
    }
    if (++at == inner.size()) return std::nullopt;
    if (inner[at] == 'u') {
      const size_t taken = append_escaped(text, inner.substr(at + 1));
      if (taken == 0) return std::nullopt;
      at += taken;
      continue;
    }
    const size_t meaning = kEscapes.find(inner[at]);
    if (meaning == std::string_view::npos) return std::nullopt;
    text += kMeanings[meaning];
  }
  return text;
}

std::optional<std::vector<JsonMember>> members_of_json_object(std::string_view text) {
  Scanner scanner(text);
  std::vector<JsonMember> members;
  scanner.space();
  if (!scanner.take('{')) return std::nullopt;
  scanner.space();
  bool more = !scanner.take('}');
  while (more) {
    scanner.space();
    const std::string_view before = scanner.rest();
    if (!scanner.string()) return std::nullopt;
    auto name = decode_json_string(before.substr(0, before.size() - scanner.rest().size()));
    scanner.space();
    if (!name || !scanner.take(':')) return std::nullopt;
    scanner.space();
    const std::string_view value = scanner.rest();
    if (!scanner.value()) return std::nullopt;
    members.push_back({*std::move(name), value.substr(0, value.size() - scanner.rest().size())});
    scanner.space();
    more = scanner.take(',');
    if (!more && !scanner.take('}')) return std::nullopt;
  }
  scanner.space();
  if (!scanner.rest().empty()) return std::nullopt;
  return members;
}

}  // namespace cnx::postgres
