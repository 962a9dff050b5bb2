// What the rules say of themselves: names and look-ups. No file, no catalog.
#include "mapping/rules.hpp"

#include <algorithm>
#include <array>

namespace cnx::mapping {
namespace {

using postgres::ValueForm;

constexpr std::array kForms = {std::pair(std::string_view("float"), ValueForm::as_float),
                               std::pair(std::string_view("point"), ValueForm::as_point),
                               std::pair(std::string_view("vector"), ValueForm::as_vector),
                               std::pair(std::string_view("list<float>"), ValueForm::as_float_list),
                               std::pair(std::string_view("flatten"), ValueForm::as_fields),
                               std::pair(std::string_view("string"), ValueForm::text)};

constexpr std::array kIndexKinds = {std::pair(std::string_view("range"), IndexKind::range),
                                    std::pair(std::string_view("text"), IndexKind::text),
                                    std::pair(std::string_view("fulltext"), IndexKind::fulltext),
                                    std::pair(std::string_view("point"), IndexKind::point),
                                    std::pair(std::string_view("vector"), IndexKind::vector)};

bool is_letter_or_digit(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

// Without the locale: a name must not depend on the machine.
char raise(char c) {
  return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
}

}  // namespace

std::vector<TableName> Mapping::table_names() const {
  std::vector<TableName> names;
  for (const TableRule& rule : tables) names.push_back(rule.table);
  return names;
}

const TableRule* Mapping::find(const TableName& table) const {
  auto at = std::find_if(tables.begin(), tables.end(),
                         [&](const TableRule& rule) { return rule.table == table; });
  return at == tables.end() ? nullptr : &*at;
}

std::optional<ValueForm> find_form(std::string_view word) {
  for (const auto& [known, form] : kForms) {
    if (known == word) return form;
  }
  return std::nullopt;
}

std::string_view to_word(ValueForm form) {
  for (const auto& [word, known] : kForms) {
    if (known == form) return word;
  }
  return {};
}

std::optional<IndexKind> find_index_kind(std::string_view word) {
  for (const auto& [known, kind] : kIndexKinds) {
    if (known == word) return kind;
  }
  return std::nullopt;
}

std::string_view to_word(IndexKind kind) {
  for (const auto& [word, known] : kIndexKinds) {
    if (known == kind) return word;
  }
  return {};
}

std::string field_prefix(std::string_view property) {
  return std::string(property) + "_";
}

std::vector<std::string> flattened(const AskedForms& forms) {
  std::vector<std::string> properties;
  for (const auto& [property, form] : forms) {
    if (form == ValueForm::as_fields) properties.push_back(property);
  }
  return properties;
}

std::set<std::string> columns_of(const PropertyRules& rules) {
  std::set<std::string> columns = rules.included;
  for (const auto& [property, column] : rules.renamed) columns.insert(column);
  auto add = [&](const Template& text) {
    for (const Template::Part& part : text.parts) {
      if (part.is_column) columns.insert(part.text);
    }
  };
  for (const ComputedProperty& computed : rules.computed) {
    if (!computed.choice_column.empty()) columns.insert(computed.choice_column);
    for (const auto& [value, choice] : computed.choices) add(choice);
    if (computed.otherwise) add(*computed.otherwise);
  }
  if (!rules.fields.empty()) columns.insert(rules.fields);
  return columns;
}

std::optional<std::string> field_owner(const AskedForms& forms, std::string_view property) {
  for (const auto& [owner, form] : forms) {
    if (form == ValueForm::as_fields && property.starts_with(field_prefix(owner))) return owner;
  }
  return std::nullopt;
}

std::set<std::string> ValueChoice::all() const {
  std::set<std::string> all;
  for (const auto& [value, name] : names) all.insert(name);
  if (if_null) all.insert(*if_null);
  if (otherwise) all.insert(*otherwise);
  return all;
}

std::set<std::string> RelationshipRule::all_types() const {
  return types ? types->all() : std::set<std::string>{type};
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
