#include "cypher/quote.hpp"

#include "base/check.hpp"
#include "mapping/names.hpp"

namespace cnx::cypher {

std::string quote(std::string_view name) {
  CNX_CHECK(mapping::check_name(name), "the model lets no name pass that Neo4j cannot hold");
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

}  // namespace cnx::cypher
