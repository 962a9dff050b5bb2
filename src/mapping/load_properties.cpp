// The `properties` of a table: names, columns and their forms, templates.
#include <algorithm>

#include "mapping/draft.hpp"
#include "mapping/keys.hpp"
#include "mapping/template.hpp"

namespace cnx::mapping {
namespace {

std::optional<Template> read_template(Draft& draft, const MapEntry& field,
                                      std::set<std::string>& named) {
  auto text = draft.reader.text(field.value, field.mark, "a template");
  if (!text) return std::nullopt;
  auto parsed = parse_template(text->text);
  if (!parsed) {
    draft.reader.fault(text->mark, "the template " + parsed.error());
    return std::nullopt;
  }
  for (const Template::Part& part : parsed->parts) {
    if (part.is_column) named.insert(part.text);
  }
  return *std::move(parsed);
}

void read_choice(Draft& draft, Fields& fields, ComputedProperty& computed,
                 std::set<std::string>& named) {
  if (auto column = fields.text("choose")) {
    named.insert(column->text);
    computed.choice_column = column->text;
  }
  if (const MapEntry* when = fields.find("when")) {
    auto choices = draft.reader.map(when->value, when->mark, "`when`");
    if (choices && choices->empty()) draft.reader.fault(when->mark, "`when` is empty");
    for (const MapEntry& choice : choices.value_or(std::vector<MapEntry>{})) {
      auto text = read_template(draft, choice, named);
      if (text) computed.choices.emplace_back(choice.key.text, *std::move(text));
    }
  } else if (const MapEntry* choose = fields.find("choose")) {
    draft.reader.fault(choose->key.mark, "`choose` without `when`",
                       "`when` gives a template for each value of the column");
  }
  if (const MapEntry* otherwise = fields.find("otherwise")) {
    computed.otherwise = read_template(draft, *otherwise, named);
  }
}

std::string what_of(const MapEntry& field) {
  return "the property `" + field.key.text + "`";
}

bool has(const std::vector<MapEntry>& entries, std::string_view key) {
  return std::any_of(entries.begin(), entries.end(),
                     [&](const MapEntry& entry) { return entry.key.text == key; });
}

// A property whose value is a map: one template, or one chosen by a column's value.
void read_computed(Draft& draft, const MapEntry& field, std::vector<MapEntry> map,
                   PropertyRules& properties, std::set<std::string>& named) {
  const std::string what = what_of(field);
  ComputedProperty computed;
  computed.property = field.key.text;
  if (has(map, "choose")) {
    Fields fields(draft.reader, std::move(map), what, keys::kChoice, keys::kTemplate);
    read_choice(draft, fields, computed, named);
  } else {
    Fields fields(draft.reader, std::move(map), what, keys::kTemplate, keys::kChoice);
    const MapEntry* text = fields.find("template");
    if (text != nullptr) {
      computed.otherwise = read_template(draft, *text, named);
    } else {
      draft.reader.fault(field.mark, what + " has neither `template` nor `choose`");
    }
  }
  properties.computed.push_back(std::move(computed));
}

// `{column: c, as: form}`, and adds the form.
std::optional<Scalar> read_formed_column(Draft& draft, const MapEntry& field,
                                         std::vector<MapEntry> map, AskedForms& forms) {
  const std::string what = what_of(field);
  Fields fields(draft.reader, std::move(map), what, keys::kColumn, keys::kElsewhere);
  if (auto as = fields.text("as")) {
    auto form = find_form(as->text);
    if (form) {
      forms.emplace(field.key.text, *form);
    } else {
      draft.reader.fault(as->mark, "`as` does not know the form `" + as->text + "`",
                         did_you_mean(as->text, keys::kForms));
    }
  }
  if (fields.find("column") == nullptr) {
    draft.reader.fault(field.mark, what + " has no `column`",
                       "write `" + field.key.text + ": {column: …, as: …}`");
  }
  return fields.text("column");
}

void add_property(Draft& draft, const Scalar& property, const Scalar& column,
                  const Constants& constants, std::map<std::string, std::string>& properties,
                  std::set<std::string>& named) {
  check_name(draft.reader, property, NameKind::property);
  named.insert(column.text);
  const bool taken = constants.contains(property.text);
  if (taken || !properties.emplace(property.text, column.text).second) {
    draft.reader.fault(property.mark, "the property `" + property.text + "` is made twice");
  }
}

void add_constant(Draft& draft, const MapEntry& entry, std::vector<MapEntry> map, bool taken,
                  Constants& constants) {
  check_name(draft.reader, entry.key, NameKind::property);
  auto value = read_constant(draft, entry, std::move(map));
  if (value && (taken || !constants.emplace(entry.key.text, *std::move(value)).second)) {
    draft.reader.fault(entry.key.mark, "the property `" + entry.key.text + "` is made twice");
  }
}

void add_listed(Draft& draft, const MapEntry& entry, ListedProperties& properties,
                std::set<std::string>& named) {
  std::optional<Scalar> column;
  if (entry.value.IsMap()) {
    auto map = draft.reader.map(entry.value, entry.mark, what_of(entry));
    if (map && has(*map, "constant")) {
      const bool taken = properties.columns.contains(entry.key.text);
      add_constant(draft, entry, *std::move(map), taken, properties.constants);
      return;
    }
    if (map) column = read_formed_column(draft, entry, *std::move(map), properties.forms);
  } else {
    column = draft.reader.text(entry.value, entry.mark, "the column of `" + entry.key.text + "`");
  }
  if (column) add_property(draft, entry.key, *column, properties.constants, properties.columns, named);
}

void check_fields(Draft& draft, const ListedProperties& properties, const YAML::Mark& mark) {
  for (const auto& [property, column] : properties.columns) {
    if (auto owner = field_owner(properties.forms, property)) fault_field(draft, property, *owner, mark);
  }
  for (const auto& [property, value] : properties.constants) {
    if (auto owner = field_owner(properties.forms, property)) fault_field(draft, property, *owner, mark);
  }
}

// One property of a node, whatever it is made of.
void add_of_node(Draft& draft, const MapEntry& entry, PropertyRules& properties, std::set<std::string>& named) {
  std::optional<Scalar> column;
  if (entry.value.IsMap()) {
    auto value = draft.reader.map(entry.value, entry.mark, what_of(entry));
    if (value && (has(*value, "column") || has(*value, "as"))) {
      column = read_formed_column(draft, entry, *std::move(value), properties.forms);
    } else if (value && has(*value, "constant")) {
      add_constant(draft, entry, *std::move(value), false, properties.constants);
    } else {
      check_name(draft.reader, entry.key, NameKind::property);
      if (value) read_computed(draft, entry, *std::move(value), properties, named);
    }
  } else {
    column = draft.reader.text(entry.value, entry.mark, "the column of `" + entry.key.text + "`");
  }
  if (!column) return;
  if (properties.excluded.contains(column->text)) {
    draft.reader.fault(
        column->mark,
        "the column `" + column->text + "` is excluded, and a property is made of it",
        "a column that `properties` renames loses its own name without `exclude`");
  }
  add_property(draft, entry.key, *column, properties.constants, properties.renamed, named);
}

}  // namespace

void fault_field(Draft& draft, const std::string& property, const std::string& owner,
                 const YAML::Mark& mark) {
  draft.reader.fault(mark,
                     "the property `" + property + "` would be taken for a field of `" + owner +
                         "`, which is flattened",
                     "give one of them another name");
}

void check_forms(Draft& draft, const AskedForms& forms, std::string_view property,
                 const char* what, const YAML::Mark& mark) {
  auto asked = forms.find(std::string(property));
  if (asked == forms.end()) return;
  draft.reader.fault(mark, "`" + asked->first + "` is the table's " + what +
                               " and keeps the form of its column",
                     "make another property of that column for `as: " +
                         std::string(to_word(asked->second)) + "`");
}

ListedProperties read_property_columns(Draft& draft, const MapEntry& field,
                                       std::set<std::string>& named) {
  ListedProperties properties;
  auto read_renamings = [&](const YAML::Node& node) {
    auto map = draft.reader.map(node, field.mark, "`properties`");
    for (const MapEntry& entry : map.value_or(std::vector<MapEntry>{})) {
      add_listed(draft, entry, properties, named);
    }
  };
  if (field.value.IsMap()) {
    read_renamings(field.value);
    check_fields(draft, properties, field.key.mark);
    return properties;
  }
  if (!field.value.IsSequence()) {
    draft.reader.fault(field.mark,
                       "`properties` must be a list of columns or a map of property to column");
    return properties;
  }
  for (const auto& item : field.value) {
    if (item.IsMap()) {
      read_renamings(item);
      continue;
    }
    auto column = draft.reader.text(item, field.mark, "a column of `properties`");
    if (!column) continue;
    Scalar property{property_name(draft.mapping.naming, column->text), column->mark};
    add_property(draft, property, *column, properties.constants, properties.columns, named);
  }
  check_fields(draft, properties, field.key.mark);
  return properties;
}

void read_node_properties(Draft& draft, const MapEntry& field, PropertyRules& properties,
                          std::set<std::string>& named) {
  if (!field.value.IsMap()) {
    draft.reader.fault(
        field.mark, "the `properties` of a node must be a map of property to column",
        field.value.IsSequence() ? "`include:` lists the only columns to be taken" : "");
    return;
  }
  auto map = draft.reader.map(field.value, field.mark, "`properties`");
  for (const MapEntry& entry : map.value_or(std::vector<MapEntry>{})) add_of_node(draft, entry, properties, named);
}

void read_part_properties(Draft& draft, const MapEntry& field, PropertyRules& properties,
                          std::set<std::string>& named) {
  if (!field.value.IsSequence()) return read_node_properties(draft, field, properties, named);
  for (const auto& item : field.value) {
    if (item.IsMap()) {
      auto map = draft.reader.map(item, field.mark, "`properties`");
      for (const MapEntry& entry : map.value_or(std::vector<MapEntry>{})) add_of_node(draft, entry, properties, named);
    } else if (auto column = draft.reader.text(item, field.mark, "a column of `properties`")) {
      const Scalar property{property_name(draft.mapping.naming, column->text), column->mark};
      add_property(draft, property, *column, properties.constants, properties.renamed, named);
    }
  }
}

}  // namespace cnx::mapping
