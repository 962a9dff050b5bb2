#include "pipeline/check_references.hpp"

#include <fmt/format.h>

namespace cnx::pipeline {
namespace {

struct References {
  size_t count = 0;
  std::vector<std::string> staying;

  void add(const mapping::TableName& table, const std::vector<std::string>& columns, bool follows) {
    ++count;
    if (!follows) staying.push_back(fmt::format("{} ({})", postgres::to_string(table), fmt::join(columns, ", ")));
  }
};

References references_of(const mapping::Model& model) {
  References found;
  for (const mapping::NodeTable& table : model.nodes()) {
    for (const mapping::ForeignKey& key : table.foreign_keys) found.add(table.rule->table, key.rule->columns, key.follows);
  }
  for (const mapping::RelationshipTable& table : model.relationships()) {
    // Of the types that a value may choose, the first speaks for all.
    if (!table.siblings.empty() && table.siblings.front() != &table) continue;
    found.add(table.rule->table, table.relationship->start.columns, table.start_follows);
    found.add(table.rule->table, table.relationship->end.columns, table.end_follows);
  }
  return found;
}

}  // namespace

void judge_references(Findings& findings, const mapping::Model& model) {
  const References found = references_of(model);
  if (found.count == 0) return;
  const size_t follow = found.count - found.staying.size();
  std::string figure = fmt::format("{} of {} references follow, by foreign keys with ON UPDATE CASCADE", follow, found.count);
  if (!found.staying.empty()) {
    figure += fmt::format("; relationships stay at the key that the row names: {}", fmt::join(found.staying, ", "));
  }
  findings.ok("key changes", std::move(figure));
}

}  // namespace cnx::pipeline
