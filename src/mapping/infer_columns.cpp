#include "mapping/infer_columns.hpp"

#include <algorithm>
#include <set>

#include "mapping/infer_names.hpp"
#include "mapping/rules.hpp"

namespace cnx::mapping {
namespace {

constexpr unsigned kTsvector = 3614;

bool contains(const std::vector<std::string>& words, const std::string& word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

std::string exclusion_of(const postgres::TableColumn& column, bool beside_password) {
  if (column.generated) return "generated, and the log does not carry it";
  if (column.type.value() == kTsvector) return "a tsvector, which serves PostgreSQL's own search";
  if (looks_secret(column.name, column.type.value(), beside_password)) return "looks like a secret";
  return {};
}

// Another name than its own for a column whose own is taken: first as PostgreSQL spells it.
std::string free_name(const std::string& column, const std::set<std::string>& taken) {
  const std::string base = lawful(column);
  if (!taken.contains(base)) return base;
  for (int number = 2;; ++number) {
    std::string name = base + "_" + std::to_string(number);
    if (!taken.contains(name)) return name;
  }
}

}  // namespace

std::vector<PlannedColumn> plan_columns(const postgres::Table& table,
                                        const std::vector<std::string>& key) {
  bool beside_password = false;
  for (const postgres::TableColumn& column : table.columns) {
    beside_password = beside_password || looks_secret(column.name, column.type.value(), false);
  }
  std::vector<PlannedColumn> plan;
  std::set<std::string> taken;
  for (const postgres::TableColumn& column : table.columns) {
    PlannedColumn& planned = plan.emplace_back();
    planned.column = column.name;
    if (!contains(key, column.name)) planned.excluded_by = exclusion_of(column, beside_password);
    // What the file cannot name it cannot exclude: such a column keeps its own name, and the first
    // right to it.
    const std::string own = property_name(Naming::camel_case, column.name);
    const bool first = own == column.name || !is_sayable(column.name);
    if (planned.excluded_by.empty() && first && !belongs_to_engine(own) &&
        taken.insert(own).second) {
      planned.property = own;
    }
  }
  // Then those whose name changes: createdAt keeps its own where created_at would take it.
  for (PlannedColumn& planned : plan) {
    if (!planned.excluded_by.empty() || !planned.property.empty()) continue;
    const std::string own = property_name(Naming::camel_case, planned.column);
    if (!belongs_to_engine(own) && taken.insert(own).second) {
      planned.property = own;
    } else {
      planned.property = free_name(planned.column, taken);
      planned.own_name = false;
      taken.insert(planned.property);
    }
  }
  return plan;
}

}  // namespace cnx::mapping
