// The `properties` of a table: names, columns, templates.
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

// A property whose value is a map: one template, or one chosen by a column's value.
void read_computed(Draft& draft, const MapEntry& field, PropertyRules& properties,
                   std::set<std::string>& named) {
  const std::string what = "the property `" + field.key.text + "`";
  auto map = draft.reader.map(field.value, field.mark, what);
  if (!map) return;
  bool chosen = false;
  for (const MapEntry& entry : *map) chosen = chosen || entry.key.text == "choose";
  ComputedProperty computed;
  computed.property = field.key.text;
  if (chosen) {
    Fields fields(draft.reader, *std::move(map), what, keys::kChoice, keys::kTemplate);
    read_choice(draft, fields, computed, named);
  } else {
    Fields fields(draft.reader, *std::move(map), what, keys::kTemplate, keys::kChoice);
    const MapEntry* text = fields.find("template");
    if (text != nullptr) {
      computed.otherwise = read_template(draft, *text, named);
    } else {
      draft.reader.fault(field.mark, what + " has neither `template` nor `choose`");
    }
  }
  properties.computed.push_back(std::move(computed));
}

void add_property(Draft& draft, const Scalar& property, const Scalar& column,
                  std::map<std::string, std::string>& properties, std::set<std::string>& named) {
  check_name(draft.reader, property, NameKind::property);
  named.insert(column.text);
  if (!properties.emplace(property.text, column.text).second) {
    draft.reader.fault(property.mark, "the property `" + property.text + "` is made twice");
  }
}

}  // namespace

std::map<std::string, std::string> read_property_columns(Draft& draft, const MapEntry& field,
                                                         std::set<std::string>& named) {
  std::map<std::string, std::string> properties;
  auto read_renamings = [&](const YAML::Node& node) {
    auto map = draft.reader.map(node, field.mark, "`properties`");
    for (const MapEntry& entry : map.value_or(std::vector<MapEntry>{})) {
      auto column =
          draft.reader.text(entry.value, entry.mark, "the column of `" + entry.key.text + "`");
      if (column) add_property(draft, entry.key, *column, properties, named);
    }
  };
  if (field.value.IsMap()) {
    read_renamings(field.value);
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
    add_property(draft, property, *column, properties, named);
  }
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
  for (const MapEntry& entry : map.value_or(std::vector<MapEntry>{})) {
    if (entry.value.IsMap()) {
      check_name(draft.reader, entry.key, NameKind::property);
      read_computed(draft, entry, properties, named);
      continue;
    }
    auto column =
        draft.reader.text(entry.value, entry.mark, "the column of `" + entry.key.text + "`");
    if (!column) continue;
    if (properties.excluded.contains(column->text)) {
      draft.reader.fault(
          column->mark,
          "the column `" + column->text + "` is excluded, and a property is made of it",
          "a column that `properties` renames loses its own name without `exclude`");
    }
    add_property(draft, entry.key, *column, properties.renamed, named);
  }
}

}  // namespace cnx::mapping
