#include "cypher/list_rows.hpp"

#include <algorithm>

#include "cypher/quote.hpp"
#include "cypher/text_parts.hpp"

namespace cnx::cypher {
namespace {

using mapping::Guard;
using mapping::Properties;

bool is_written_always(Guard guard) { return guard == Guard::none || guard == Guard::overwrite || guard == Guard::decide; }

bool same_names(const Properties& x, const Properties& y) {
  return std::equal(x.begin(), x.end(), y.begin(), y.end(),
                    [](const mapping::Property& a, const mapping::Property& b) { return a.name == b.name; });
}

}  // namespace

std::optional<ListColumns> list_columns(const std::vector<const Properties*>& rows, Companions companions, std::string_view found_by) {
  const Properties& model = *rows.front();
  if (!std::all_of(rows.begin(), rows.end(), [&](const Properties* row) { return same_names(*row, model); })) return std::nullopt;
  ListColumns list;
  for (size_t i = 0; i < model.size(); ++i) {
    const mapping::PropertyName& name = *model[i].name;
    auto any = [&](auto holds) { return std::any_of(rows.begin(), rows.end(), [&](const Properties* row) { return holds((*row)[i]); }); };
    if (name.name == found_by) {
      if (any(is_unfit)) return std::nullopt;
      continue;
    }
    const bool companion = any([companions](const mapping::Property& property) { return writes_companion(property, companions); });
    list.columns.push_back({.property = i, .companion = companion});
    list.names.push_back(name.name);
    if (companion) list.names.push_back(name.companion);
  }
  return list;
}

void pack_columns(bolt::Packer& packer, const Properties& properties, const ListColumns& list) {
  for (const ListColumns::Column& column : list.columns) {
    const mapping::Property& property = properties[column.property];
    pack(packer, property.value);
    if (column.companion) pack_companion(packer, property);
  }
}

std::string assign_columns(std::string_view variable, const Columns& columns, size_t first) {
  std::string text;
  for (size_t i = 0; i < columns.size(); ++i) {
    text += (i == 0 ? "" : ", ") + std::string(variable) + "." + quote(columns[i]) + " = row[" + std::to_string(first + i) + "]";
  }
  return text;
}

std::string column_value(const Columns& columns, size_t first, std::string_view name) {
  const auto found = std::find(columns.begin(), columns.end(), name);
  return found == columns.end() ? "null" : "row[" + std::to_string(first + static_cast<size_t>(found - columns.begin())) + "]";
}

bool takes_lists(const mapping::NodeTable& table, Guard guard) {
  return is_written_always(guard) && !table.node->labels && !compares_old(table) && flattened(table).empty();
}

bool takes_lists(const mapping::RelationshipTable& table, Guard guard) {
  return is_written_always(guard) && table.key_is_pair && !compares_old(table) && flattened(table.relationship->properties.forms).empty();
}

}  // namespace cnx::cypher
