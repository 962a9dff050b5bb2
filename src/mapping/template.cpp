// See template.hpp.
#include "mapping/template.hpp"

#include <utility>

namespace cnx::mapping {

tl::expected<Template, std::string> parse_template(std::string_view text) {
  Template result;
  std::string literal;
  auto end_literal = [&] {
    if (!literal.empty()) result.parts.push_back({false, std::exchange(literal, {})});
  };
  for (size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    bool doubled = i + 1 < text.size() && text[i + 1] == c;
    if ((c == '{' || c == '}') && doubled) {
      literal += c;
      ++i;
    } else if (c == '}') {
      return tl::unexpected<std::string>(
          "has a `}` without its `{`; write `}}` for the brace itself");
    } else if (c == '{') {
      size_t end = text.find_first_of("{}", i + 1);
      if (end == std::string_view::npos || text[end] == '{') {
        return tl::unexpected<std::string>(
            "has a `{` without its `}`; write `{{` for the brace itself");
      }
      if (end == i + 1) return tl::unexpected<std::string>("has no column between `{` and `}`");
      end_literal();
      result.parts.push_back({true, std::string(text.substr(i + 1, end - i - 1))});
      i = end;
    } else {
      literal += c;
    }
  }
  end_literal();
  return result;
}

}  // namespace cnx::mapping
