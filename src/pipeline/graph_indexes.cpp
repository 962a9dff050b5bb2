#include "pipeline/graph_indexes.hpp"

#include <algorithm>

#include "cypher/quote.hpp"

namespace cnx::pipeline {
namespace {

constexpr Duration kStatementMax = std::chrono::seconds(60);
constexpr std::string_view kOurs = "contextnexus_";

TimePoint soon() { return Clock::now() + kStatementMax; }

std::string text_at(const bolt::List& row, size_t column) {
  const auto* text = column < row.size() ? row[column].get_if<std::string>() : nullptr;
  return text != nullptr ? *text : std::string();
}

std::vector<std::string> texts_at(const bolt::List& row, size_t column) {
  std::vector<std::string> texts;
  const auto* list = column < row.size() ? row[column].get_if<bolt::List>() : nullptr;
  if (list == nullptr) return texts;
  for (const bolt::Value& item : *list) {
    if (const auto* text = item.get_if<std::string>()) texts.push_back(*text);
  }
  return texts;
}

// All of the database but those of constraints and the look-up indexes.
Result<std::vector<cypher::Index>> read_indexes(bolt::Connection& connection) {
  CNX_TRY(bolt::QueryResult rows,
          connection.query("CYPHER 5 SHOW INDEXES YIELD name, type, entityType, labelsOrTypes, properties, owningConstraint "
                           "WHERE owningConstraint IS NULL AND type <> 'LOOKUP' RETURN name, type, entityType, labelsOrTypes, properties",
                           {}, soon()));
  std::vector<cypher::Index> indexes;
  for (const bolt::List& row : rows.records) {
    std::vector<std::string> labels = texts_at(row, 3);
    if (labels.size() != 1) continue;  // A full-text index of several labels is nobody's but its maker's.
    indexes.push_back({.name = text_at(row, 0), .type = text_at(row, 1), .entity = text_at(row, 2), .label = labels.front(),
                       .properties = texts_at(row, 4), .text = {}});
  }
  return indexes;
}

bool is_of_the_same(const cypher::Index& one, const cypher::Index& other) {
  return one.type == other.type && one.entity == other.entity && one.label == other.label && one.properties == other.properties;
}

struct Difference {
  std::vector<cypher::Index> missing;
  std::vector<std::string> outdated;  // Ours, in the way of one that is missing.
};

Result<Difference> difference(bolt::Connection& connection, const mapping::Model& model) {
  Difference found;
  const std::vector<cypher::Index> wanted = cypher::indexes(model);
  if (wanted.empty()) return found;
  CNX_TRY(std::vector<cypher::Index> there, read_indexes(connection));
  for (const cypher::Index& index : wanted) {
    auto at = std::find_if(there.begin(), there.end(), [&](const cypher::Index& each) { return is_of_the_same(each, index); });
    if (at == there.end()) {
      found.missing.push_back(index);
    } else if (at->name != index.name && at->name.starts_with(kOurs)) {
      found.outdated.push_back(at->name);
      found.missing.push_back(index);
    }
  }
  return found;
}

std::string drop_text(const std::string& name) { return "CYPHER 5 DROP INDEX " + cypher::quote(name) + " IF EXISTS"; }

}  // namespace

Result<std::vector<cypher::Index>> missing_indexes(bolt::Connection& connection, const mapping::Model& model) {
  CNX_TRY(Difference found, difference(connection, model));
  return std::move(found.missing);
}

Status make_indexes(bolt::Connection& connection, const mapping::Model& model) {
  CNX_TRY(Difference found, difference(connection, model));
  for (const std::string& name : found.outdated) CNX_TRY(connection.query(drop_text(name), {}, soon()));
  for (const cypher::Index& index : found.missing) {
    Result<bolt::QueryResult> made = connection.query(index.text, {}, soon());
    if (!made) return fail(std::move(made.error()).wrap("making the index " + index.name));
  }
  return {};
}

Status drop_indexes(bolt::Connection& connection, const mapping::Model& model) {
  for (const cypher::Index& index : cypher::indexes(model)) CNX_TRY(connection.query(drop_text(index.name), {}, soon()));
  return {};
}

}  // namespace cnx::pipeline
