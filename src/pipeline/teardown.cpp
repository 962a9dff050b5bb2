#include "pipeline/teardown.hpp"

#include "apply/table_states.hpp"
#include "pipeline/ground.hpp"
#include "pipeline/schema.hpp"
#include "pipeline/table_shape.hpp"
#include "record/postgres_sync.hpp"

namespace cnx::pipeline {
namespace {

constexpr Duration kStepMax = std::chrono::seconds(60);

TimePoint soon() { return Clock::now() + kStepMax; }

// The mapped tables as the graph knows them: the database may have one no more, or with other columns. One that the graph
// does not know yet is as the database has it.
Result<Catalog> read_known_catalog(postgres::Session& session, bolt::Connection& graph, const PipelineOptions& options) {
  CNX_TRY(std::vector<apply::TableState> known, apply::read_table_states(graph, options.name, soon()));
  CNX_TRY(std::vector<postgres::Table> live, postgres::read_tables(session, options.mapping.table_names(), soon()));
  Catalog catalog;
  CNX_TRY(catalog.types, postgres::read_types(session, soon()));
  for (const postgres::TableName& name : options.mapping.table_names()) {
    if (const apply::TableState* state = find_table(known, name); state != nullptr && !state->shape.empty()) {
      CNX_TRY(TableShape shape, shape_of(name, state->shape));
      catalog.tables.push_back(table_of(shape));
    } else if (const postgres::Table* table = find_table(live, name)) {
      catalog.tables.push_back(*table);
    }
  }
  CNX_TRY(catalog.model, mapping::Model::make(options.mapping, catalog.tables));
  return catalog;
}

}  // namespace

Result<Remains> find_remains(const PipelineOptions& options, bool with_graph) {
  Remains remains;
  CNX_TRY(postgres::Session session, open_session(options, soon()));
  CNX_TRY(refuse_newer_version(session));
  CNX_TRY(std::optional<postgres::SlotState> slot, postgres::read_slot(session, options.slot(), soon()));
  if (slot) {
    remains.slot = true;
    remains.slot_active_pid = slot->active_pid;
    remains.retained_wal_bytes = slot->retained_wal_bytes.value_or(0);
  }
  CNX_TRY(std::optional<postgres::Publication> publication,
          postgres::read_publication(session, options.publication(), soon()));
  remains.publication = publication.has_value();
  CNX_TRY(bolt::Connection graph, open_graph(options, soon()));
  CNX_TRY(auto position, apply::read_position(graph, apply::lane_key(options.name), soon()));
  remains.position = position.has_value();
  if (with_graph) {
    CNX_TRY(Catalog catalog, read_known_catalog(session, graph, options));
    CNX_TRY(remains.graph, count_ours(graph, *catalog.model));
  }
  return remains;
}

Result<ClearedGraph> tear_down(const PipelineOptions& options, bool with_graph) {
  ClearedGraph cleared;
  CNX_TRY(postgres::Session session, open_session(options, soon()));
  CNX_TRY(std::optional<postgres::SlotState> slot, postgres::read_slot(session, options.slot(), soon()));
  if (slot && slot->active) {
    return fail(Error(ErrorKind::state, "the pipeline is running: its slot is in use")
                    .with("pid", std::to_string(slot->active_pid.value_or(0)))
                    .advise("stop contextnexus run first"));
  }
  CNX_TRY(bolt::Connection graph, open_graph(options, soon()));
  // The slot first: without it nothing can go on by itself on half of the rest.
  if (slot) CNX_TRY(postgres::drop_slot(session, options.slot(), soon()));
  if (with_graph) {
    CNX_TRY(Catalog catalog, read_known_catalog(session, graph, options));
    CNX_TRY(auto names, known_properties(catalog));
    CNX_TRY(cleared, clear_ours(graph, *catalog.model, names));
    CNX_TRY(drop_constraints(graph, *catalog.model));
  }
  CNX_TRY(apply::remove_copy(graph, options.name, soon()));
  CNX_TRY(apply::remove_table_states(graph, options.name, soon()));
  CNX_TRY(apply::remove_position(graph, apply::lane_key(options.name), soon()));
  CNX_TRY(std::optional<postgres::Publication> publication,
          postgres::read_publication(session, options.publication(), soon()));
  if (publication) CNX_TRY(postgres::drop_publication(session, options.publication(), soon()));
  CNX_TRY(postgres::Rows known, session.query("SELECT to_regclass('contextnexus.pipelines') IS NOT NULL", soon()));
  CNX_TRY(bool has_table, known.boolean(0, 0));
  if (has_table) CNX_TRY(session.execute("DELETE FROM contextnexus.pipelines WHERE name = $1", {options.name}, soon()));
  // An aid of the write-back's, which not every role may set or drop: one that stays holds nothing back.
  Status dropped = session.execute(
      "SELECT pg_catalog.pg_replication_origin_drop(roname) FROM pg_catalog.pg_replication_origin WHERE roname = $1",
      {record::origin_name(options.name)}, soon());
  if (!dropped && dropped.error().kind() != ErrorKind::server) return fail(std::move(dropped.error()));
  return cleared;
}

}  // namespace cnx::pipeline
