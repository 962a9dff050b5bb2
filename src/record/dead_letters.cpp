#include "record/dead_letters.hpp"

#include "mapping/sha256.hpp"

namespace cnx::record {
namespace {

using postgres::Parameters;

std::string digest_of(const mapping::RowKey& key) {
  std::string text;
  for (const std::string& value : key.values) text += std::to_string(value.size()) + ":" + value;
  return mapping::sha256_hex(text);
}

std::optional<std::string> or_null(const std::string& text) {
  return text.empty() ? std::nullopt : std::optional<std::string>(text);
}

std::string ids_text(const std::vector<int64_t>& ids) {
  std::string text = "{";
  for (int64_t id : ids) text += (text.size() > 1 ? "," : "") + std::to_string(id);
  return text + "}";
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

Result<change::Position> position_of(const postgres::Rows& rows, size_t row, size_t column) {
  change::Position position;
  CNX_TRY(position.lsn, rows.lsn(row, column));
  CNX_TRY(int64_t ordinal, rows.integer(row, column + 1));
  position.ordinal = static_cast<uint64_t>(ordinal);
  return position;
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

Result<std::vector<OpenLetter>> read_open_letters(postgres::Session& session, const std::string& pipeline, TimePoint deadline) {
  CNX_TRY(postgres::Rows rows,
          session.query("SELECT id, table_schema, table_name, key_columns, key_values, lsn, ordinal, state = 'retrying', held_changes, "
                        "held_until_lsn, held_until_ordinal, lasting, coalesce(retry_lsn, '0/0'), attempts FROM contextnexus.dead_letters "
                        "WHERE pipeline = $1 AND state IN ('open', 'retrying') ORDER BY id",
                        {pipeline}, deadline));
  std::vector<OpenLetter> letters;
  for (size_t row = 0; row < rows.size(); ++row) {
    OpenLetter letter;
    CNX_TRY(letter.id, rows.integer(row, 0));
    letter.key.table = {std::string(rows.text(row, 1)), std::string(rows.text(row, 2))};
    CNX_TRY(letter.key.columns, rows.texts(row, 3));
    CNX_TRY(letter.key.values, rows.texts(row, 4));
    CNX_TRY(letter.position, position_of(rows, row, 5));
    CNX_TRY(letter.retrying, rows.boolean(row, 7));
    CNX_TRY(int64_t held, rows.integer(row, 8));
    letter.held_changes = static_cast<uint64_t>(held);
    CNX_TRY(letter.held_until, position_of(rows, row, 9));
    CNX_TRY(letter.lasting, rows.boolean(row, 11));
    CNX_TRY(letter.retry_at, rows.lsn(row, 12));
    CNX_TRY(int64_t attempts, rows.integer(row, 13));
    letter.attempts = static_cast<uint64_t>(attempts);
    letters.push_back(std::move(letter));
  }
  return letters;
}

Status add_news(postgres::Session& session, const std::vector<LetterNews>& news, TimePoint deadline) {
  for (const LetterNews& each : news) {
    Parameters parameters = {std::to_string(each.id), std::to_string(each.held_changes), each.held_until.lsn.to_string(),
                             std::to_string(each.held_until.ordinal), std::nullopt, std::nullopt};
    if (each.ended) {
      parameters[4] = each.ended->lsn.to_string();
      parameters[5] = std::to_string(each.ended->ordinal);
    }
    CNX_TRY(session.execute("UPDATE contextnexus.dead_letters SET held_changes = held_changes + $2::bigint, "
                            "held_until_lsn = $3::pg_lsn, held_until_ordinal = $4::bigint, "
                            "ended_lsn = coalesce($5::pg_lsn, ended_lsn), ended_ordinal = coalesce($6::bigint, ended_ordinal), "
                            "updated_at = pg_catalog.clock_timestamp() WHERE id = $1::bigint",
                            parameters, deadline));
  }
  return {};
}

Status supersede_ended(postgres::Session& session, const std::string& pipeline, change::Position reached, TimePoint deadline) {
  return session.execute(
      "UPDATE contextnexus.dead_letters SET state = 'superseded', closed_at = pg_catalog.clock_timestamp() "
      "WHERE pipeline = $1 AND state IN ('open', 'retrying') AND (ended_lsn, ended_ordinal) <= ($2::pg_lsn, $3::bigint)",
      {pipeline, reached.lsn.to_string(), std::to_string(reached.ordinal)}, deadline);
}

Status supersede_tables(postgres::Session& session, const std::string& pipeline, const std::vector<postgres::TableName>& tables,
                        TimePoint deadline) {
  for (const postgres::TableName& table : tables) {
    CNX_TRY(session.execute("UPDATE contextnexus.dead_letters SET state = 'superseded', closed_at = pg_catalog.clock_timestamp() "
                            "WHERE pipeline = $1 AND table_schema = $2 AND table_name = $3 AND state IN ('open', 'retrying')",
                            {pipeline, table.schema, table.name}, deadline));
  }
  return {};
}

Status mark_applied(postgres::Session& session, const std::vector<int64_t>& ids, TimePoint deadline) {
  if (ids.empty()) return {};
  return session.execute(
      "UPDATE contextnexus.dead_letters SET state = 'applied', closed_at = pg_catalog.clock_timestamp(), attempts = attempts + 1 "
      "WHERE id = ANY ($1::bigint[]) AND state = 'retrying'",
      {ids_text(ids)}, deadline);
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
