#include "cypher/quote.hpp"

namespace cnx::cypher {

std::string quote(std::string_view name) {
  std::string quoted = "`";
  for (char c : name) {
    if (c == '\\') {
      quoted += "\\u005C";
    } else if (c == '`') {
      quoted += "``";
    } else {
      quoted += c;
    }
  }
  return quoted += '`';
}

Status check_name(std::string_view name) {
  if (name.empty()) return fail(ErrorKind::invalid, "a label, type or property needs a name");
  if (name.find('\0') != std::string_view::npos) {
    return fail(ErrorKind::invalid, "a label, type or property name cannot hold a NUL");
  }
  return {};
}

}  // namespace cnx::cypher
