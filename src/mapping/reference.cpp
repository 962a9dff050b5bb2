#include "mapping/reference.hpp"

#include <algorithm>

namespace cnx::mapping {
namespace {

// Whether the foreign key takes the columns to the key's, each to its own.
bool leads(const postgres::ForeignKey& foreign, const std::vector<std::string>& columns, const std::vector<std::string>& key) {
  for (size_t i = 0; i < columns.size(); ++i) {
    bool found = false;
    for (size_t j = 0; j < foreign.columns.size(); ++j) {
      found = found || (foreign.columns[j] == columns[i] && foreign.referenced_columns[j] == key[i]);
    }
    if (!found) return false;
  }
  return true;
}

bool may_be_null(const postgres::Table& table, const std::string& column) {
  const postgres::TableColumn* found = table.column(column);
  return found == nullptr || !found->not_null;
}

}  // namespace

bool follows(const postgres::Table& table, const std::vector<std::string>& columns, const postgres::TableName& other,
             const std::vector<std::string>& key) {
  return std::any_of(table.foreign_keys.begin(), table.foreign_keys.end(), [&](const postgres::ForeignKey& foreign) {
    if (!foreign.update_cascades || !foreign.validated || foreign.referenced_table != other) return false;
    if (columns.size() != key.size() || !leads(foreign, columns, key)) return false;
    return std::none_of(foreign.columns.begin(), foreign.columns.end(), [&](const std::string& column) {
      const bool mapped = std::find(columns.begin(), columns.end(), column) != columns.end();
      return !mapped && may_be_null(table, column);
    });
  });
}

}  // namespace cnx::mapping
