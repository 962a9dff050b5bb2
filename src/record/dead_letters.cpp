#include "record/dead_letters.hpp"

namespace cnx::record {
namespace {

using postgres::Parameters;

std::optional<std::string> or_null(const std::string& text) {
  return text.empty() ? std::nullopt : std::optional<std::string>(text);
}

// The key's open letter, else one of the same position: it is this one again. One that is open all the while is refused again though
// its key was dead: behind the row's removal, or before the letter, where a dead row comes to its key.
constexpr std::string_view kReopen =
    "UPDATE contextnexus.dead_letters d SET state = 'open', statement = $6, code = $7, reason = $8, "
    "row_values = coalesce($9::json, d.row_values), attempts = d.attempts + 1, lasting = d.state = 'open', "
    "(lsn, ordinal) = (SELECT p.lsn, p.ordinal FROM (VALUES (d.lsn, d.ordinal), ($10::pg_lsn, $11::bigint)) p (lsn, ordinal) "
    "ORDER BY 1, 2 LIMIT 1), ended_lsn = NULL, "
    "ended_ordinal = NULL, stopped_line = false, closed_at = NULL, closed_by = NULL, updated_at = pg_catalog.clock_timestamp() "
    "WHERE d.id = (SELECT o.id FROM contextnexus.dead_letters o WHERE o.pipeline = $1 AND ((o.state IN ('open', 'retrying') AND "
    "o.table_schema = $2 AND o.table_name = $3 AND o.key_digest = $4) OR o.correlation_id = $5::uuid) "
    "ORDER BY o.state IN ('open', 'retrying') DESC, o.id DESC LIMIT 1) RETURNING d.id";
constexpr std::string_view kInsert =
    "INSERT INTO contextnexus.dead_letters (pipeline, table_schema, table_name, key_digest, correlation_id, statement, code, reason, "
    "row_values, key_columns, key_values, lsn, ordinal, operation) "
    "VALUES ($1, $2, $3, $4, $5::uuid, $6, $7, $8, $9::json, $10::text[], $11::text[], $12::pg_lsn, $13::bigint, $14) RETURNING id";
Result<int64_t> write(postgres::Session& session, const std::string& pipeline, const NewDeadLetter& letter, TimePoint deadline) {
  const std::string digest = digest_of(letter.key);
  const std::string lsn = letter.position.lsn.to_string();
  const std::string ordinal = std::to_string(letter.position.ordinal);
  const postgres::TableName& table = letter.key.table;
  Parameters parameters = {pipeline,          table.schema,  table.name,     digest,
                           or_null(letter.correlation_id),   or_null(letter.statement),
                           or_null(letter.code), letter.reason, or_null(letter.values)};
  Parameters again = parameters;
  again.emplace_back(lsn);
  again.emplace_back(ordinal);
  CNX_TRY(postgres::Rows known, session.query(kReopen, again, deadline));
  if (!known.empty()) return known.integer(0, 0);
  for (const std::string& each :
       {postgres::array_text(letter.key.columns), postgres::array_text(letter.key.values), lsn, ordinal, letter.operation}) {
    parameters.emplace_back(each);
  }
  CNX_TRY(postgres::Rows made, session.query(kInsert, parameters, deadline));
  return made.integer(0, 0);
}

}  // namespace

Result<std::vector<int64_t>> write_dead_letters(postgres::Session& session, const std::string& pipeline,
                                                const std::vector<NewDeadLetter>& letters, TimePoint deadline) {
  std::vector<int64_t> ids;
  // Whatever the role's setting: the graph passes the rows as soon as this has returned.
  CNX_TRY(session.execute("BEGIN; SET LOCAL synchronous_commit = on", deadline));
  for (const NewDeadLetter& letter : letters) {
    Result<int64_t> id = write(session, pipeline, letter, deadline);
    if (!id) {
      if (id.error().kind() == ErrorKind::server) CNX_TRY(session.execute("ROLLBACK", deadline));
      return fail(std::move(id.error()).wrap("writing a dead letter"));
    }
    ids.push_back(*id);
  }
  CNX_TRY(session.execute("COMMIT", deadline));
  return ids;
}

Status mark_stopped_line(postgres::Session& session, const std::vector<int64_t>& ids, TimePoint deadline) {
  if (ids.empty()) return {};
  return session.execute("UPDATE contextnexus.dead_letters SET stopped_line = true WHERE id = ANY ($1::bigint[]) AND state = 'open'",
                         {ids_text(ids)}, deadline);
}

Result<DeadLetterFigures> read_dead_letter_figures(postgres::Session& session, const std::string& pipeline, TimePoint deadline) {
  CNX_TRY(postgres::Rows rows,
          session.query("SELECT pg_catalog.count(*) FILTER (WHERE state = 'open'), pg_catalog.count(*) FILTER (WHERE state = 'retrying'), "
                        "coalesce(pg_catalog.sum(held_changes), 0)::bigint, pg_catalog.count(*) FILTER (WHERE state = 'open' AND stopped_line), "
                        "coalesce(pg_catalog.max(statement) FILTER (WHERE state = 'open' AND stopped_line), ''), "
                        "coalesce(pg_catalog.max(code) FILTER (WHERE state = 'open' AND stopped_line), '') "
                        "FROM contextnexus.dead_letters WHERE pipeline = $1 AND state IN ('open', 'retrying')",
                        {pipeline}, deadline));
  DeadLetterFigures figures;
  CNX_TRY(figures.open, rows.integer(0, 0));
  CNX_TRY(figures.retrying, rows.integer(0, 1));
  CNX_TRY(figures.held_changes, rows.integer(0, 2));
  CNX_TRY(figures.stopped_line, rows.integer(0, 3));
  figures.stopped_statement = std::string(rows.text(0, 4));
  figures.stopped_code = std::string(rows.text(0, 5));
  return figures;
}

Result<std::vector<postgres::TableName>> read_held_back(postgres::Session& session, const std::string& pipeline, size_t changes_max,
                                                       TimePoint deadline) {
  CNX_TRY(postgres::Rows known, session.query("SELECT pg_catalog.to_regclass('contextnexus.dead_letters') IS NOT NULL", deadline));
  CNX_TRY(bool exists, known.boolean(0, 0));
  if (!exists) return std::vector<postgres::TableName>();
  CNX_TRY(postgres::Rows rows, session.query("SELECT DISTINCT table_schema, table_name FROM contextnexus.dead_letters "
                                             "WHERE pipeline = $1 AND state = 'open' AND held_changes > $2::bigint",
                                             {pipeline, std::to_string(changes_max)}, deadline));
  std::vector<postgres::TableName> tables;
  for (size_t row = 0; row < rows.size(); ++row) {
    tables.push_back({std::string(rows.text(row, 0)), std::string(rows.text(row, 1))});
  }
  return tables;
}

}  // namespace cnx::record
