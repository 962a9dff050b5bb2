#include "mapping/indexes.hpp"

#include "mapping/fault.hpp"

namespace cnx::mapping {
namespace {

struct Known {
  std::set<std::string> properties;
  const AskedForms* forms = nullptr;
};

Known known_properties(const NodeRule& node, const TableRule&, const Mapping& mapping, const std::vector<std::string>& columns) {
  Known known{.properties = {}, .forms = &node.properties.forms};
  for (const std::string& column : columns) {
    for (std::string& name : properties_of(node.properties, mapping.naming, column)) known.properties.insert(std::move(name));
  }
  for (const ComputedProperty& computed : node.properties.computed) known.properties.insert(computed.property);
  for (const auto& [property, value] : node.properties.constants) known.properties.insert(property);
  return known;
}

// None where any name may be one: those of an object's fields.
std::optional<Known> known_properties(const TableRule& rule, const std::string& further_label, const Mapping& mapping,
                                      const std::vector<std::string>& columns) {
  const auto& node = std::get<NodeRule>(rule.form);
  for (const NodeRule& part : node.parts) {
    if (part.label == further_label && part.properties.fields.empty()) return known_properties(part, rule, mapping, columns);
  }
  for (const ForeignKeyRule& key : node.relationships) {
    if (!key.shared || key.shared->label != further_label) continue;
    Known known{.properties = {key.shared->properties.begin(), key.shared->properties.end()}, .forms = &key.properties.forms};
    known.properties.insert(mapping.tenant_property);
    return known;
  }
  return std::nullopt;
}

Known known_properties(const RelationshipRule& relationship, const TableRule&, const Mapping&, const std::vector<std::string>&) {
  Known known{.properties = {}, .forms = &relationship.properties.forms};
  for (const auto& [property, column] : relationship.properties.columns) known.properties.insert(property);
  for (const auto& [property, value] : relationship.properties.constants) known.properties.insert(property);
  return known;
}

}  // namespace

std::vector<IndexWithoutProperty> indexes_without_property(const TableRule& rule, const Mapping& mapping,
                                                           const std::vector<std::string>& columns) {
  std::vector<IndexWithoutProperty> found;
  for (const IndexRule& index : rule.indexes) {
    const std::optional<Known> known =
        index.label.empty() ? std::visit([&](const auto& form) { return known_properties(form, rule, mapping, columns); }, rule.form)
                            : known_properties(rule, index.label, mapping, columns);
    if (!known) continue;
    const std::vector<std::string_view> words(known->properties.begin(), known->properties.end());
    for (const std::string& property : index.properties) {
      if (known->properties.contains(property) || field_owner(*known->forms, property)) continue;
      found.push_back({&index, property, did_you_mean(property, words)});
    }
  }
  return found;
}

Status check_indexes(const TableRule& rule, const Mapping& mapping, const std::vector<std::string>& columns) {
  const auto found = indexes_without_property(rule, mapping, columns);
  if (found.empty()) return {};
  const std::string& meant = found.front().suggestion;
  return fail(Error(ErrorKind::invalid, "an index is of a property that the table's rows do not have")
                  .with("table", to_string(rule.table))
                  .with("property", found.front().property)
                  .advise(meant.empty() ? "correct `indexes:`, or map a column to that property" : meant));
}

}  // namespace cnx::mapping
