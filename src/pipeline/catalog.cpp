#include "pipeline/catalog.hpp"

#include <algorithm>

#include "capture/snapshot/snapshot_stage.hpp"
#include "mapping/binding.hpp"
#include "pipeline/row_filters.hpp"

namespace cnx::pipeline {
namespace {

Error table_error(const postgres::Table& table, std::string message) {
  return Error(ErrorKind::invalid, std::move(message)).with("table", postgres::to_string(table.name));
}

std::string table_text(const postgres::Table& table) { return postgres::quote_table(table.name); }

Status check_readable(const postgres::Table& table) {
  if (table.kind != postgres::TableKind::table && table.kind != postgres::TableKind::partitioned) {
    return fail(table_error(table, "only tables can be followed: a view or a foreign table has no changes of its own"));
  }
  if (!table.persistent) {
    return fail(table_error(table, "an unlogged or temporary table has no changes in the log")
                    .advise("ALTER TABLE " + table_text(table) + " SET LOGGED"));
  }
  if (!table.may_select) {
    return fail(table_error(table, "the engine's role may not read a mapped table")
                    .advise("GRANT SELECT ON " + table_text(table) + " TO the role"));
  }
  if (table.row_security_applies && !postgres::may_read_all_rows_with_row_security(table)) {
    return fail(table_error(table, "row-level security would hide rows from the engine's role")
                    .advise("CREATE POLICY contextnexus_engine ON " + table_text(table) +
                            " FOR SELECT TO the role USING (true), and no restrictive policy for it"));
  }
  return {};
}

// The stream's old row must hold the key that the graph knows (cases 19 to 22).
Status check_identity(const postgres::Table& table, const std::vector<std::string>& key) {
  std::vector<std::string> identity = table.identity_columns();
  std::set<std::string> columns(identity.begin(), identity.end());
  for (const std::string& column : key) {
    if (columns.contains(column)) continue;
    return fail(table_error(table, "an UPDATE or DELETE of the table would not tell which row it was")
                    .with("column", column)
                    .advise("give the table a primary key of the mapped key's columns that is not DEFERRABLE, or ALTER TABLE " +
                            table_text(table) + " REPLICA IDENTITY FULL"));
  }
  return {};
}

// Two rows of one key would be one node.
Status check_unique(const postgres::Table& table, const std::vector<std::string>& key) {
  const std::set<std::string> mapped(key.begin(), key.end());
  const bool unique = std::any_of(table.keys.begin(), table.keys.end(), [&](const postgres::TableKey& each) {
    if (!each.valid || !each.immediate || each.partial) return false;
    return std::all_of(each.columns.begin(), each.columns.end(), [&](const std::string& c) { return mapped.contains(c); });
  });
  if (unique) return {};
  return fail(table_error(table, "nothing keeps the mapped key unique: two rows would be one")
                  .advise("give the table a primary key, or a unique constraint, of the mapped key's columns"));
}

}  // namespace

const std::vector<std::string>& key_of(const mapping::TableRule& rule) {
  if (const auto* node = std::get_if<mapping::NodeRule>(&rule.form)) return node->key;
  return std::get<mapping::RelationshipRule>(rule.form).key;
}

Result<Catalog> read_catalog(postgres::Session& session, const mapping::Mapping& mapping, TimePoint deadline) {
  const std::vector<postgres::TableName> names = mapping.table_names();
  Catalog catalog;
  CNX_TRY(std::vector<postgres::Table> found, postgres::read_tables(session, names, deadline));
  CNX_TRY(catalog.types, postgres::read_types(session, deadline));
  for (const postgres::TableName& name : names) {
    if (const postgres::Table* table = find_table(found, name)) catalog.tables.push_back(*table);
  }
  CNX_TRY(catalog.model, mapping::Model::make(mapping, catalog.tables));
  CNX_TRY(auto refused, read_row_filters(session, mapping, catalog.tables, deadline));
  if (!refused.empty()) return fail(std::move(refused.begin()->second));
  return catalog;
}

Status check_table(const postgres::Table& table, const std::vector<std::string>& key) {
  CNX_TRY(check_readable(table));
  CNX_TRY(check_identity(table, key));
  return check_unique(table, key);
}

Status check_tables(const Catalog& catalog) {
  for (const postgres::Table* table : catalog.followed()) {
    CNX_TRY(check_table(*table, key_of(*catalog.model->mapping().find(table->name))));
    CNX_TRY(check_filter_columns({*table}));
  }
  return {};
}

std::vector<const postgres::Table*> Catalog::followed() const {
  std::vector<const postgres::Table*> followed;
  for (const postgres::Table& table : tables) {
    if (!held.contains(table.name)) followed.push_back(&table);
  }
  return followed;
}

Status check_publication(const Catalog& catalog, const std::optional<postgres::Publication>& publication,
                         const std::string& name) {
  const char* cure = "contextnexus init makes it as it has to be";
  if (!publication) {
    return fail(Error(ErrorKind::invalid, "the publication does not exist").with("publication", name).advise(cure));
  }
  if (!publication->insert || !publication->update || !publication->remove || !publication->truncate) {
    return fail(Error(ErrorKind::invalid, "the publication leaves out some operations").with("publication", name).advise(cure));
  }
  for (const postgres::Table* table : catalog.followed()) {
    const auto at = std::find_if(publication->tables.begin(), publication->tables.end(),
                                 [&](const postgres::PublishedTable& each) { return each.name == table->name; });
    if (at != publication->tables.end() && sends_rows_of(*at, *table)) continue;
    if (at != publication->tables.end()) {
      return fail(Error(ErrorKind::invalid, "the publication sends other rows of a table than the mapping takes")
                      .with("publication", name)
                      .with("table", postgres::to_string(table->name))
                      .advise(cure));
    }
    return fail(Error(ErrorKind::invalid, "the publication lacks a mapped table")
                    .with("publication", name)
                    .with("table", postgres::to_string(table->name))
                    .advise(cure));
  }
  return {};
}

bool publishes_all_of(const postgres::Publication& there, const std::vector<postgres::Table>& tables) {
  if (!there.insert || !there.update || !there.remove || !there.truncate) return false;
  if (there.all_tables || !there.via_partition_root || there.tables.size() != tables.size())
    return false;
  return std::all_of(tables.begin(), tables.end(), [&](const postgres::Table& table) {
    auto at = std::find_if(there.tables.begin(), there.tables.end(),
                           [&](const postgres::PublishedTable& p) { return p.name == table.name; });
    if (at == there.tables.end() || !sends_rows_of(*at, table)) return false;
    return std::all_of(table.columns.begin(), table.columns.end(),
                       [&](const postgres::TableColumn& column) {
                         return column.generated || at->columns.empty() ||
                                std::find(at->columns.begin(), at->columns.end(), column.name) !=
                                    at->columns.end();
                       });
  });
}

Result<std::vector<std::vector<std::string>>> known_properties(Catalog& catalog) {
  for (const postgres::Table& table : catalog.tables) {
    mapping::NodeTable* node = catalog.model->find_node(table.name);
    if (node != nullptr) CNX_TRY(mapping::bind(*node, capture::relation_of(table), catalog.types));
  }
  std::vector<std::vector<std::string>> names(catalog.model->nodes().size());
  for (const mapping::NodeTable& node : catalog.model->nodes()) {
    for (const mapping::PropertyName& name : node.names.all()) {
      if (name.name == node.key_property || name.name == node.tenant_property) continue;
      names[node.index].push_back(name.name);
      if (name.may_be_unfit) names[node.index].push_back(name.companion);
    }
  }
  return names;
}

}  // namespace cnx::pipeline
