// What the rules say of themselves: names and look-ups. No file, no catalog.
#include "mapping/rules.hpp"

#include <algorithm>

namespace cnx::mapping {
namespace {

bool is_letter_or_digit(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

// Without the locale: a name must not depend on the machine.
char raise(char c) {
  return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
}

}  // namespace

const TableRule* Mapping::find(const TableName& table) const {
  auto at = std::find_if(tables.begin(), tables.end(),
                         [&](const TableRule& rule) { return rule.table == table; });
  return at == tables.end() ? nullptr : &*at;
}

std::string property_name(Naming naming, std::string_view column) {
  if (naming == Naming::as_is) return std::string(column);
  std::string name;
  name.reserve(column.size());
  for (size_t i = 0; i < column.size();) {
    size_t next = column.find_first_not_of('_', i);
    bool within = i > 0 && next != std::string_view::npos && is_letter_or_digit(column[next]);
    // Before a letter that cannot be raised, the underscore keeps the words apart.
    if (column[i] == '_' && within) {
      name += raise(column[next]);
      i = next + 1;
    } else {
      // A leading run is copied whole, so that its later underscores do not count as inner ones.
      size_t end = column[i] == '_' ? std::min(next, column.size()) : i + 1;
      name += column.substr(i, end - i);
      i = end;
    }
  }
  return name;
}

std::vector<std::string> properties_of(const PropertyRules& rules, Naming naming,
                                       const std::string& column) {
  std::vector<std::string> names;
  if (!rules.excluded.contains(column) && (rules.all || rules.included.contains(column))) {
    names.push_back(property_name(naming, column));
  }
  for (const auto& [property, source] : rules.renamed) {
    if (source == column && (names.empty() || names.front() != property)) names.push_back(property);
  }
  return names;
}

}  // namespace cnx::mapping
