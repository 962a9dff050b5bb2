#include "cypher/columns.hpp"

#include "cypher/quote.hpp"

namespace cnx::cypher {
namespace {

std::string element(size_t index) {
  return "row[" + std::to_string(index) + "]";
}

}  // namespace

Columns columns_of(const mapping::Properties& properties, std::string_view key_property,
                   Companions companions) {
  Columns columns;
  columns.list.reserve(properties.size());
  for (const mapping::Property& property : properties) {
    columns.list.push_back({.name = property.name,
                            .companion = writes_companion(property, companions),
                            .key = !key_property.empty() && property.name->name == key_property});
  }
  return columns;
}

Columns columns_of(const mapping::Binding& binding, Companions companions) {
  mapping::Properties properties;
  for (const mapping::BoundProperty& each : binding.properties) {
    properties.push_back({each.name, change::Null{}});
  }
  for (const mapping::BoundComputed& each : binding.computed) {
    properties.push_back({each.name, change::Null{}});
  }
  return columns_of(properties, binding.node != nullptr ? binding.node->key_property : "",
                    companions);
}

bool fits(const Columns& columns, const mapping::Properties& properties, Companions companions) {
  if (columns.as_map) return true;
  if (columns.list.size() != properties.size()) return false;
  for (size_t i = 0; i < properties.size(); ++i) {
    const Column& column = columns.list[i];
    if (column.name != properties[i].name) return false;
    if (column.companion != writes_companion(properties[i], companions)) return false;
  }
  return true;
}

size_t element_count(const Columns& columns) {
  if (columns.as_map) return 1;
  size_t count = 0;
  for (const Column& column : columns.list) {
    count += (column.key ? 0 : 1) + (column.companion ? 1 : 0);
  }
  return count;
}

void pack_elements(bolt::Packer& packer, const Columns& columns,
                   const mapping::Properties& properties, Companions companions,
                   std::string_view stub_mark) {
  if (columns.as_map) {
    const size_t mark = stub_mark.empty() ? 0 : 1;
    packer.map_header(entry_count(properties, companions) + mark);
    if (mark == 1) {
      packer.string(stub_mark);
      packer.null();
    }
    pack_entries(packer, properties, companions);
    return;
  }
  for (size_t i = 0; i < columns.list.size(); ++i) {
    if (!columns.list[i].key) pack(packer, properties[i].value);
    if (columns.list[i].companion) pack_companion(packer, properties[i]);
  }
}

std::string assignments(std::string_view variable, const Columns& columns, size_t first) {
  const std::string v(variable);
  if (columns.as_map) return v + " += " + element(first);
  std::string text;
  auto assign = [&](const std::string& name) {
    text += (text.empty() ? "" : ", ") + v + "." + quote(name) + " = " + element(first++);
  };
  for (const Column& column : columns.list) {
    if (!column.key) assign(column.name->name);
    if (column.companion) assign(column.name->companion);
  }
  return text;
}

std::string value_of(std::string_view property, const Columns& columns, size_t first) {
  if (columns.as_map) return element(first) + "." + quote(property);
  for (const Column& column : columns.list) {
    if (column.name->name == property) return column.key ? element(0) : element(first);
    first += (column.key ? 0 : 1) + (column.companion ? 1 : 0);
  }
  return "null";
}

}  // namespace cnx::cypher
