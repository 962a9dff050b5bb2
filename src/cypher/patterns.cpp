#include "cypher/patterns.hpp"

#include "cypher/quote.hpp"

namespace cnx::cypher {
namespace {

// The names as a list of strings. A string literal would need rules of its own for what is inside
// it; the keys of a map are names.
std::string name_list(const std::set<std::string>& names) {
  std::string map;
  for (const std::string& name : names) map += (map.empty() ? "" : ", ") + quote(name) + ": 0";
  return "keys({" + map + "})";
}

}  // namespace

std::string text(std::string body) {
  return "CYPHER 5 " + std::move(body);
}

std::string node_pattern(std::string_view variable, const mapping::NodeTable& table,
                         std::string_view value) {
  return "(" + std::string(variable) + ":" + quote(table.node->label) + " {" +
         quote(table.key_property) + ": " + std::string(value) + "})";
}

std::string arrow(std::string_view variable, const mapping::ForeignKey& key) {
  const std::string inside = "[" + std::string(variable) + ":" + quote(key.rule->type) + "]";
  return key.rule->incoming ? "<-" + inside + "-" : "-" + inside + "->";
}

std::string on_create_stub(std::string_view variable, const mapping::NodeTable& table,
                           std::string_view tenant) {
  const std::string v(variable);
  std::string set = " ON CREATE SET " + v + "." + quote(kStub) + " = true";
  if (!table.tenant_property.empty())
    set += ", " + v + "." + quote(table.tenant_property) + " = " + std::string(tenant);
  return set;
}

std::set<std::string> stub_properties(const mapping::NodeTable& table) {
  std::set<std::string> names{table.key_property, std::string(kStub)};
  if (!table.tenant_property.empty()) names.insert(table.tenant_property);
  return names;
}

std::string drop_lonely_stubs(std::string_view variable, const std::set<std::string>& ours) {
  const std::string v(variable);
  return " WITH DISTINCT " + v + " WHERE COUNT {(" + v + ")--()} = 0 AND all(name IN keys(" + v +
         ") WHERE name IN " + name_list(ours) + ") DELETE " + v;
}

}  // namespace cnx::cypher
