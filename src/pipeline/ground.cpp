#include "pipeline/ground.hpp"

#include "bolt/writer.hpp"
#include "pipeline/graph_marks.hpp"
#include "pipeline/schema.hpp"
#include "pipeline/table_shape.hpp"
#include "record/dead_letters.hpp"

namespace cnx::pipeline {

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

Result<Ground> read_ground(const PipelineOptions& options, TimePoint deadline) {
  Ground ground;
  CNX_TRY(postgres::Session session, open_session(options, deadline));
  CNX_TRY(check_engine_version(session, deadline));
  CNX_TRY(ground.server, postgres::read_server(session, deadline));
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
  CNX_TRY(std::vector<apply::TableState> known, apply::read_table_states(graph, options.name, deadline));
  const std::vector<postgres::TableName> names = options.mapping.table_names();
  CNX_TRY(ground.catalog_mark, read_catalog_mark(session, names, options.publication(), deadline));
  const bool streams = ground.position && ground.position->stored.lane.phase == apply::Phase::stream;
  CNX_TRY(std::vector<postgres::TableName> held_back,
          record::read_held_back(session, options.name, options.dead_letters.held_changes_max, deadline));
  CNX_TRY(ground.plan, plan_tables(session,
                                   {.mapping = options.mapping,
                                    .publication = options.publication(),
                                    .known = std::move(known),
                                    .position = ground.position ? ground.position->stored.lane.position.to_string() : "",
                                    .strict = !streams,
                                    .held_back = std::move(held_back)},
                                   deadline));
  ground.catalog = std::move(ground.plan.catalog);
  CNX_TRY(ground.publication, postgres::read_publication(session, options.publication(), deadline));
  CNX_TRY(ground.graph_identity, read_graph_identity(graph));
  return ground;
}

}  // namespace cnx::pipeline
