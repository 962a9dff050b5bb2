#include "mapping/names.hpp"

#include <map>

namespace cnx::mapping {
namespace {

constexpr std::string_view kEnginePrefix = "_cnx_";
constexpr std::string_view kCompanionSuffix = "__pg";

Error about(const TableRule& rule, const std::string& property, const char* what) {
  return Error(ErrorKind::invalid, what)
      .with("table", to_string(rule.table))
      .with("property", property)
      .advise("rename or exclude the column in the mapping");
}

}  // namespace

Status check_name(std::string_view name) {
  if (name.empty()) return fail(ErrorKind::invalid, "a label, type or property needs a name");
  if (name.find('\0') != std::string_view::npos) {
    return fail(ErrorKind::invalid, "a label, type or property name cannot hold a NUL");
  }
  return {};
}

Status check_properties(const TableRule& rule, const PropertyRules& properties, Naming naming,
                        const std::vector<std::string>& columns) {
  std::map<std::string, std::string> makers;  // Property → column; a template has none.
  for (const ComputedProperty& computed : properties.computed) makers[computed.property] = {};
  for (const auto& [property, value] : properties.constants) makers[property] = {};
  for (const std::string& column : columns) {
    for (const std::string& property : properties_of(properties, naming, column)) {
      if (property.starts_with(kEnginePrefix) || property.ends_with(kCompanionSuffix)) {
        return fail(about(rule, property, "a column becomes a property whose name is the engine's")
                        .with("column", column));
      }
      if (auto owner = field_owner(properties.forms, property)) {
        return fail(about(rule, property, "a property would be taken for a field of a flattened one")
                        .with("column", column)
                        .with("flattened", *owner));
      }
      auto [first, is_new] = makers.emplace(property, column);
      if (is_new) continue;
      if (first->second.empty()) {
        return fail(about(rule, property, "a column and a template or constant become one property")
                        .with("column", column));
      }
      return fail(about(rule, property, "two columns become one property")
                      .with("column", column)
                      .with("other_column", first->second));
    }
  }
  return {};
}

}  // namespace cnx::mapping
