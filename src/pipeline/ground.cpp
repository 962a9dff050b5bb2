#include "pipeline/ground.hpp"

#include <algorithm>
#include <map>
#include <set>

#include "bolt/writer.hpp"
#include "capture/snapshot/snapshot_stage.hpp"
#include "mapping/binding.hpp"
#include "pipeline/graph_marks.hpp"
#include "pipeline/row_filters.hpp"
#include "pipeline/schema.hpp"

namespace cnx::pipeline {
namespace {

Error table_error(const postgres::Table& table, std::string message) {
  return Error(ErrorKind::invalid, std::move(message)).with("table", postgres::to_string(table.name));
}

std::string table_text(const postgres::Table& table) { return postgres::quote_table(table.name); }

Status check_table(const postgres::Table& table) {
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

const std::vector<std::string>& key_of(const mapping::TableRule& rule) {
  if (const auto* node = std::get_if<mapping::NodeRule>(&rule.form)) return node->key;
  return std::get<mapping::RelationshipRule>(rule.form).key;
}

}  // namespace

Result<bolt::Connection> open_graph(const PipelineOptions& options, TimePoint deadline) {
  Result<bolt::Connection> connection = bolt::open_writer(options.neo4j, deadline);
  if (!connection) return fail(std::move(connection.error()).wrap("connecting to Neo4j"));
  return connection;
}

Result<postgres::Session> open_session(const PipelineOptions& options, TimePoint deadline) {
  Result<postgres::Session> session = postgres::Session::open(options.postgres, deadline);
  if (!session) return fail(std::move(session.error()).wrap("connecting to PostgreSQL"));
  return session;
}

Result<std::string> read_binding(postgres::Session& session, const std::string& pipeline, TimePoint deadline) {
  CNX_TRY(postgres::Rows known, session.query("SELECT to_regclass('contextnexus.pipelines') IS NOT NULL", deadline));
  CNX_TRY(bool exists, known.boolean(0, 0));
  if (!exists) return std::string();
  CNX_TRY(postgres::Rows rows, session.query("SELECT neo4j_database_id FROM contextnexus.pipelines WHERE name = $1",
                                             {pipeline}, deadline));
  return rows.empty() ? std::string() : std::string(rows.text(0, 0));
}

Result<Catalog> read_catalog(postgres::Session& session, const mapping::Mapping& mapping, TimePoint deadline) {
  std::vector<postgres::TableName> names;
  for (const mapping::TableRule& rule : mapping.tables) names.push_back(rule.table);
  Catalog catalog;
  CNX_TRY(std::vector<postgres::Table> found, postgres::read_tables(session, names, deadline));
  CNX_TRY(catalog.types, postgres::read_types(session, deadline));
  for (const postgres::TableName& name : names) {
    auto table = std::find_if(found.begin(), found.end(), [&](const postgres::Table& t) { return t.name == name; });
    if (table != found.end()) catalog.tables.push_back(std::move(*table));
  }
  CNX_TRY(catalog.model, mapping::Model::make(mapping, catalog.tables));
  CNX_TRY(read_row_filters(session, mapping, catalog.tables, deadline));
  return catalog;
}

Status check_tables(const Catalog& catalog) {
  for (const postgres::Table& table : catalog.tables) {
    CNX_TRY(check_table(table));
    CNX_TRY(check_identity(table, key_of(*catalog.model->mapping().find(table.name))));
  }
  return check_filter_columns(catalog.tables);
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
  std::map<postgres::TableName, const postgres::PublishedTable*> published;
  for (const postgres::PublishedTable& table : publication->tables) published.emplace(table.name, &table);
  for (const postgres::Table& table : catalog.tables) {
    auto at = published.find(table.name);
    if (at != published.end() && sends_rows_of(*at->second, table)) continue;
    if (at != published.end()) {
      return fail(Error(ErrorKind::invalid, "the publication sends other rows of a table than the mapping takes")
                      .with("publication", name)
                      .with("table", postgres::to_string(table.name))
                      .advise(cure));
    }
    return fail(Error(ErrorKind::invalid, "the publication lacks a mapped table")
                    .with("publication", name)
                    .with("table", postgres::to_string(table.name))
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
  std::vector<std::vector<std::string>> names(catalog.model->nodes().size());
  for (const postgres::Table& table : catalog.tables) {
    mapping::NodeTable* node = catalog.model->find_node(table.name);
    if (node == nullptr) continue;
    CNX_TRY(mapping::bind(*node, capture::relation_of(table), catalog.types));
    for (const mapping::PropertyName& name : node->names.all()) {
      if (name.name == node->key_property || name.name == node->tenant_property) continue;
      names[node->index].push_back(name.name);
      if (name.may_be_unfit) names[node->index].push_back(name.companion);
    }
  }
  return names;
}

Result<Ground> read_ground(const PipelineOptions& options, TimePoint deadline) {
  Ground ground;
  CNX_TRY(postgres::Session session, open_session(options, deadline));
  CNX_TRY(check_engine_version(session, deadline));
  CNX_TRY(ground.server, postgres::read_server(session, deadline));
  CNX_TRY(ground.catalog, read_catalog(session, options.mapping, deadline));
  CNX_TRY(ground.publication, postgres::read_publication(session, options.publication(), deadline));
  CNX_TRY(ground.slot, postgres::read_slot(session, options.slot(), deadline));
  CNX_TRY(ground.bound_graph_identity, read_binding(session, options.name, deadline));
  Result<postgres::ReplicationStream> stream = postgres::ReplicationStream::open(options.postgres, deadline);
  if (!stream) {
    return fail(std::move(stream.error())
                    .wrap("opening a replication connection")
                    .advise("the role needs REPLICATION (ALTER ROLE … REPLICATION, or the provider's replication role), and "
                            "pg_hba.conf must admit it; a pooler in between does not pass replication on"));
  }
  CNX_TRY(ground.system, stream->identify_system(deadline));
  CNX_TRY(bolt::Connection graph, open_graph(options, deadline));
  CNX_TRY(ground.position, apply::read_position(graph, apply::lane_key(options.name), deadline));
  CNX_TRY(ground.graph_identity, read_graph_identity(graph));
  return ground;
}

}  // namespace cnx::pipeline
