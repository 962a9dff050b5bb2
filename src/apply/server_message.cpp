#include "apply/server_message.hpp"

#include <algorithm>
#include <array>
#include <cctype>

namespace cnx::apply {
namespace {

constexpr std::string_view kGap = "…";

// What follows them is a value, of whatever form.
constexpr std::array kMet = {std::string_view("Encountered"), std::string_view("got:"), std::string_view("Got:"),
                             std::string_view("but was"),     std::string_view("value:"), std::string_view("Caused by"),
                             std::string_view("given:")};

// From where something may be a value of any form to the end of the message.
size_t end_of_words(std::string_view message) {
  size_t end = message.size();
  for (std::string_view word : kMet) {
    const size_t found = message.find(word);
    if (found != std::string_view::npos) end = std::min(end, found + word.size());
  }
  return end;
}

// The closing one of those that stand for themselves is the last: a value may hold some.
size_t closing(std::string_view message, size_t open) {
  const char c = message[open];
  const char other = c == '{' ? '}' : c == '[' ? ']' : c;
  const size_t found = message.rfind(other);
  return found == std::string_view::npos || found <= open ? message.size() : found;
}

bool is_word(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_'; }

}  // namespace

std::string without_values(std::string_view message) {
  const size_t end = end_of_words(message);
  std::string_view words = message.substr(0, end);
  std::string text;
  for (size_t i = 0; i < words.size(); ++i) {
    const char c = words[i];
    if (c == '`') {
      const size_t close = words.find('`', i + 1);
      const size_t last = close == std::string_view::npos ? words.size() - 1 : close;
      text += words.substr(i, last - i + 1);
      i = last;
    } else if (c == '\'' || c == '"' || c == '{' || c == '[') {
      const size_t close = closing(words, i);
      text += c;
      text += kGap;
      if (close < words.size()) text += words[close];
      i = close;
    } else if (std::isdigit(static_cast<unsigned char>(c)) != 0 && (i == 0 || !is_word(words[i - 1]))) {
      text += kGap;
      while (i + 1 < words.size() && (is_word(words[i + 1]) || words[i + 1] == '.')) ++i;
    } else {
      text += c;
    }
  }
  if (end < message.size()) text += " " + std::string(kGap);
  return text;
}

}  // namespace cnx::apply
