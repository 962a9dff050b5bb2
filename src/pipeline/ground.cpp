#include "pipeline/ground.hpp"

#include "bolt/writer.hpp"
#include "pipeline/graph_marks.hpp"
#include "pipeline/schema.hpp"
#include "pipeline/source_record.hpp"
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

capture::HeldPosition held_position(const apply::PositionNode& node) {
  return {.position = node.stored.lane.position,
          .system_identifier = node.source.system_identifier,
          .timeline = node.source.timeline,
          .database = node.source.database,
          .database_oid = node.source.database_oid,
          .slot = node.source.slot,
          .epoch = node.stored.epoch,
          .recorded_epoch = node.recorded_epoch};
}

capture::SourceJudgement judge(const Ground& ground) {
  capture::SourceFacts facts{.graph_identity = ground.graph_identity,
                             .record = ground.record,
                             .system = ground.system,
                             .server_version = ground.server.version,
                             .slot = ground.slot};
  if (ground.position) {
    facts.held = held_position(*ground.position);
    facts.streams = ground.position->stored.lane.phase == apply::Phase::stream;
  }
  return capture::judge_source(facts);
}

Result<Ground> read_ground(const PipelineOptions& options, const StreamTraces& traces, TimePoint deadline) {
  Ground ground;
  CNX_TRY(postgres::Session session, open_session(options, deadline));
  CNX_TRY(check_engine_version(session, deadline));
  CNX_TRY(ground.server, postgres::read_server(session, deadline));
  CNX_TRY(ground.slot, postgres::read_slot(session, options.slot(), deadline));
  CNX_TRY(ground.record, read_record(session, options.name, deadline));
  CNX_TRY(ground.asked, read_request(session, options.name, deadline));
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
                                    .asked = streams ? ground.asked : ResyncRequest(),
                                    .traces = traces,
                                    .strict = !streams,
                                    .held_back = std::move(held_back)},
                                   deadline));
  ground.catalog = std::move(ground.plan.catalog);
  CNX_TRY(ground.graph_identity, read_graph_identity(graph));
  return ground;
}

}  // namespace cnx::pipeline
