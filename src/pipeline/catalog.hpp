// The mapping held against the catalog, and what of it stands in the way of a pipeline.
#pragma once

#include <algorithm>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "mapping/model.hpp"
#include "postgres/catalog.hpp"
#include "postgres/publication.hpp"
#include "postgres/session.hpp"

namespace cnx::pipeline {

// Of a list of things that have a table's name; null: it is not among them.
template <typename T>
const T* find_table(const std::vector<T>& all, const postgres::TableName& name) {
  auto found = std::find_if(all.begin(), all.end(), [&](const T& each) { return each.name == name; });
  return found == all.end() ? nullptr : &*found;
}

// The mapping held against the catalog. The options' mapping must outlive it.
struct Catalog {
  std::vector<postgres::Table> tables;  // The mapped ones, in the mapping's order.
  postgres::TypeCatalog types;
  std::unique_ptr<mapping::Model> model;
  // Of `tables`: those whose changes pass by. They stand there as the graph knows them, the catalog may have them no more.
  std::set<postgres::TableName> held;
  std::set<postgres::TableName> absent;  // Of those: the database has them no more.

  std::vector<const postgres::Table*> followed() const;
};
Result<Catalog> read_catalog(postgres::Session& session, const mapping::Mapping& mapping, TimePoint deadline);

// What stands in the way of reading each table whole and of following its changes, named with its cure: ErrorKind::invalid.
Status check_tables(const Catalog& catalog);
// The same of one table, with the mapped key's columns.
Status check_table(const postgres::Table& table, const std::vector<std::string>& key);
const std::vector<std::string>& key_of(const mapping::TableRule& rule);
// Every mapped table is in the publication, with all operations.
Status check_publication(const Catalog& catalog, const std::optional<postgres::Publication>& publication,
                         const std::string& name);

// Exactly these tables, with the rows that the mapping takes, whole, with all operations: init has nothing to make of it. Pure.
bool publishes_all_of(const postgres::Publication& there, const std::vector<postgres::Table>& tables);

// Binds each table as the catalog describes it, so that every property name is known, and gives them by node table.
Result<std::vector<std::vector<std::string>>> known_properties(Catalog& catalog);

}  // namespace cnx::pipeline
