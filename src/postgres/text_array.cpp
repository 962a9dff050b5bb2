#include "postgres/text_array.hpp"

namespace cnx::postgres {
namespace {

// How many bytes the item at the front of `text` takes; 0 where there is none.
size_t quoted_length(std::string_view text) {
  for (size_t at = 1; at < text.size(); ++at) {
    if (text[at] == '\\') {
      ++at;
    } else if (text[at] == '"') {
      return at + 1;
    }
  }
  return 0;
}

size_t plain_length(std::string_view text, char delimiter) {
  size_t at = 0;
  while (at < text.size() && text[at] != delimiter && text[at] != '{' && text[at] != '}' &&
         text[at] != '"' && text[at] != '\\') {
    ++at;
  }
  return at;
}

size_t item_length(std::string_view text, char delimiter) {
  if (text.empty()) return 0;
  return text.front() == '"' ? quoted_length(text) : plain_length(text, delimiter);
}

bool is_bound(std::string_view text) {
  if (text.starts_with('-')) text.remove_prefix(1);
  return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
}

// Takes "[2:3][0:1]=" off the front: false where it begins so and is not that.
bool take_bounds(std::string_view& text) {
  while (text.starts_with('[')) {
    size_t colon = text.find(':');
    size_t close = text.find(']');
    if (close == std::string_view::npos || colon > close) return false;
    if (!is_bound(text.substr(1, colon - 1))) return false;
    if (!is_bound(text.substr(colon + 1, close - colon - 1))) return false;
    text.remove_prefix(close + 1);
  }
  if (!text.starts_with('=')) return false;
  text.remove_prefix(1);
  return true;
}

}  // namespace

std::optional<ArrayShape> shape_of_array(std::string_view text, char delimiter) {
  constexpr int kDimensionsMax = 6;  // PostgreSQL's MAXDIM.
  ArrayShape shape;
  if (text.starts_with('[')) {
    shape.flat = false;
    if (!take_bounds(text)) return std::nullopt;
  }
  if (text == "{}") return shape;
  int depth = 0;
  bool item_next = true;  // Else a delimiter or a closing brace.
  do {
    if (text.empty()) return std::nullopt;
    char c = text.front();
    if (item_next && c != '{') {
      size_t length = depth == 0 ? 0 : item_length(text, delimiter);
      if (length == 0) return std::nullopt;
      shape.nulls = shape.nulls || text.substr(0, length) == "NULL";
      ++shape.items;
      text.remove_prefix(length);
      item_next = false;
      continue;
    }
    if (item_next) {
      if (++depth > kDimensionsMax) return std::nullopt;
    } else if (c == '}') {
      --depth;
    } else if (c == delimiter) {
      item_next = true;
    } else {
      return std::nullopt;
    }
    shape.flat = shape.flat && depth <= 1;
    text.remove_prefix(1);
  } while (depth > 0);
  if (!text.empty()) return std::nullopt;
  return shape;
}

std::string_view ArrayItems::next() {
  std::string_view item = rest_.substr(0, item_length(rest_, delimiter_));
  rest_.remove_prefix(item.size() + 1);
  if (!item.starts_with('"')) return item;
  item = item.substr(1, item.size() - 2);
  if (item.find('\\') == std::string_view::npos) return item;
  plain_.clear();
  for (size_t at = 0; at < item.size(); ++at) {
    if (item[at] == '\\') ++at;
    plain_ += item[at];
  }
  return plain_;
}

}  // namespace cnx::postgres
