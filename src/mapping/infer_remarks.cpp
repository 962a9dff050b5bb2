#include "mapping/infer_remarks.hpp"

#include "mapping/yaml_text.hpp"

namespace cnx::mapping {

std::vector<std::string> remarks_of(const postgres::DescribedTable& described) {
  constexpr size_t kWidth = 100;  // A remark is a reminder; the database has the rest.
  std::vector<std::string> remarks;
  std::string about = comment_text(described.comment, kWidth);
  if (!about.empty()) remarks.push_back(std::move(about));
  for (const postgres::TableColumn& column : described.table.columns) {
    auto at = described.column_comments.find(column.name);
    if (at == described.column_comments.end()) continue;
    about = comment_text(at->second, kWidth);
    if (!about.empty()) remarks.push_back(column.name + ": " + about);
  }
  return remarks;
}

std::vector<std::string> facts_of(const postgres::DescribedTable& described, size_t partitions) {
  const postgres::Table& table = described.table;
  std::vector<std::string> facts;
  if (partitions > 0) {
    facts.push_back("Partitioned: " + std::to_string(partitions) +
                    (partitions == 1 ? " partition" : " partitions") +
                    ", whose rows are this table's.");
  } else if (table.kind == postgres::TableKind::partitioned) {
    facts.emplace_back("Partitioned, and without a partition yet.");
  }
  for (const postgres::TableName& parent : described.parents) {
    facts.push_back("Inherits from " + postgres::to_string(parent) +
                    "; its rows are its own here, and no part of that table's.");
  }
  if (!table.may_select) {
    facts.emplace_back(
        "The role that looked may not SELECT it; the one that runs the pipeline has to.");
  }
  return facts;
}

}  // namespace cnx::mapping
