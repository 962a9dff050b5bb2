#include "record/conflicts.hpp"

#include "record/dead_letters.hpp"

namespace cnx::record {
namespace {

// $1: the pipeline; $2 … $5: what is given; $6: also those that ended.
constexpr const char* kFits =
    "pipeline = $1 AND ($2::bigint[] IS NULL OR id = ANY ($2::bigint[])) "
    "AND ($3::text IS NULL OR table_name = $3 OR table_schema || '.' || table_name = $3) "
    "AND ($4::text IS NULL OR pg_catalog.array_to_string(key_values, ',') = $4) "
    "AND ($5::timestamptz IS NULL OR created_at >= $5::timestamptz) "
    "AND ($6::boolean OR state IN ('conflict', 'resolving'))";

std::optional<std::string> given(const std::string& text) {
  return text.empty() ? std::nullopt : std::optional<std::string>(text);
}

postgres::Parameters parameters_of(const std::string& pipeline, const ConflictFilter& filter) {
  std::optional<std::string> ids;
  if (!filter.ids.empty()) ids = postgres::array_text(filter.ids);
  return {pipeline, ids, given(filter.table), given(filter.key), given(filter.since), filter.closed ? "true" : "false"};
}

// Tells the running engine in the same transaction.
Result<size_t> resolve(postgres::Session& session, const std::string& pipeline, const ConflictFilter& filter, const std::string& set,
                       TimePoint deadline) {
  const std::string text = "WITH settled AS (UPDATE contextnexus.conflicts SET " + set + ", updated_at = pg_catalog.clock_timestamp() WHERE " +
                           kFits + " AND state IN ('conflict', 'resolving') RETURNING 1) SELECT pg_catalog.count(*), pg_catalog.pg_notify('" +
                           kDeadLettersChannel + "', $1) FROM settled";
  CNX_TRY(postgres::Rows rows, session.query(text, parameters_of(pipeline, filter), deadline));
  CNX_TRY(int64_t count, rows.integer(0, 0));
  return static_cast<size_t>(count);
}

}  // namespace

Status write_conflicts(postgres::Session& session, const std::string& pipeline, const std::vector<NewConflict>& conflicts,
                       TimePoint deadline) {
  if (conflicts.empty()) return {};
  // Whatever the role's setting: the graph passes the rows as soon as this has returned.
  CNX_TRY(session.execute("BEGIN; SET LOCAL synchronous_commit = on", deadline));
  for (const NewConflict& conflict : conflicts) {
    Status made = session.execute(
        "INSERT INTO contextnexus.conflicts (pipeline, table_schema, table_name, key_digest, key_columns, key_values, lsn, ordinal, "
        "postgres_version, graph_version, properties) VALUES ($1, $2, $3, $4, $5::text[], $6::text[], $7::pg_lsn, $8::bigint, $9, $10, "
        "$11::text[]) ON CONFLICT (pipeline, table_schema, table_name, key_digest) WHERE state IN ('conflict', 'resolving') DO NOTHING",
        {pipeline, conflict.key.table.schema, conflict.key.table.name, digest_of(conflict.key), postgres::array_text(conflict.key.columns),
         postgres::array_text(conflict.key.values), conflict.position.lsn.to_string(), std::to_string(conflict.position.ordinal),
         given(conflict.postgres_version), given(conflict.graph_version), postgres::array_text(conflict.properties)},
        deadline);
    if (made) continue;
    if (made.error().kind() == ErrorKind::server) CNX_TRY(session.execute("ROLLBACK", deadline));
    return fail(std::move(made.error()).wrap("writing a conflict"));
  }
  return session.execute("COMMIT", deadline);
}

Result<ConflictFigures> read_conflict_figures(postgres::Session& session, const std::string& pipeline, TimePoint deadline) {
  CNX_TRY(postgres::Rows rows,
          session.query("SELECT pg_catalog.count(*) FILTER (WHERE state = 'conflict'), pg_catalog.count(*) FILTER (WHERE state = 'resolving'), "
                        "coalesce(pg_catalog.sum(held_changes), 0)::bigint FROM contextnexus.conflicts "
                        "WHERE pipeline = $1 AND state IN ('conflict', 'resolving')",
                        {pipeline}, deadline));
  ConflictFigures figures;
  CNX_TRY(figures.open, rows.integer(0, 0));
  CNX_TRY(figures.resolving, rows.integer(0, 1));
  CNX_TRY(figures.held_changes, rows.integer(0, 2));
  return figures;
}

Result<std::vector<Conflict>> find_conflicts(postgres::Session& session, const std::string& pipeline, const ConflictFilter& filter,
                                             size_t limit, TimePoint deadline) {
  auto time = [](const std::string& column) {
    return "coalesce(pg_catalog.to_char(" + column + " AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"'), '')";
  };
  const std::string text =
      "SELECT id, state, table_schema || '.' || table_name, key_columns, key_values, "
      "lsn::text || CASE WHEN ordinal = 0 THEN '' ELSE '+' || ordinal END, coalesce(postgres_version, ''), coalesce(graph_version, ''), "
      "properties, held_changes, coalesce(resolution, ''), " +
      time("created_at") + ", " + time("updated_at") + ", " + time("closed_at") +
      ", coalesce(closed_by, '') FROM contextnexus.conflicts WHERE " + kFits + " ORDER BY id LIMIT " + std::to_string(limit);
  CNX_TRY(postgres::Rows rows, session.query(text, parameters_of(pipeline, filter), deadline));
  std::vector<Conflict> conflicts;
  for (size_t row = 0; row < rows.size(); ++row) {
    Conflict conflict;
    auto words = [&](size_t column) { return std::string(rows.text(row, column)); };
    CNX_TRY(conflict.id, rows.integer(row, 0));
    conflict.state = words(1);
    conflict.table = words(2);
    CNX_TRY(conflict.key_columns, rows.texts(row, 3));
    CNX_TRY(conflict.key_values, rows.texts(row, 4));
    conflict.position = words(5);
    conflict.postgres_version = words(6);
    conflict.graph_version = words(7);
    CNX_TRY(conflict.properties, rows.texts(row, 8));
    CNX_TRY(conflict.held_changes, rows.integer(row, 9));
    conflict.resolution = words(10);
    conflict.created_at = words(11);
    conflict.updated_at = words(12);
    conflict.closed_at = words(13);
    conflict.closed_by = words(14);
    conflicts.push_back(std::move(conflict));
  }
  return conflicts;
}

Result<size_t> take_postgres(postgres::Session& session, const std::string& pipeline, const ConflictFilter& filter, TimePoint deadline) {
  return resolve(session, pipeline, filter,
                 "state = 'resolving', resolution = 'postgres', closed_by = session_user::text, "
                 "retry_lsn = pg_catalog.pg_current_wal_insert_lsn()",
                 deadline);
}

Result<size_t> take_graph(postgres::Session& session, const std::string& pipeline, const ConflictFilter& filter, TimePoint deadline) {
  return resolve(session, pipeline, filter,
                 "state = 'resolved', resolution = 'graph', closed_at = pg_catalog.clock_timestamp(), closed_by = session_user::text",
                 deadline);
}

}  // namespace cnx::record
