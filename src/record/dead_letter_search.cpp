// The half of dead_letters.hpp that serves people: found by what they say, and settled.
#include "record/dead_letters.hpp"

namespace cnx::record {
namespace {

// $1: the pipeline; $2 … $6: what is given; $7: also those that ended.
constexpr const char* kFits =
    "pipeline = $1 AND ($2::bigint[] IS NULL OR id = ANY ($2::bigint[])) "
    "AND ($3::text IS NULL OR table_name = $3 OR table_schema || '.' || table_name = $3) "
    "AND ($4::text IS NULL OR pg_catalog.array_to_string(key_values, ',') = $4) "
    "AND ($5::text IS NULL OR code = $5) AND ($6::timestamptz IS NULL OR created_at >= $6::timestamptz) "
    "AND ($7::boolean OR state IN ('open', 'retrying'))";

std::optional<std::string> given(const std::string& text) {
  return text.empty() ? std::nullopt : std::optional<std::string>(text);
}

postgres::Parameters parameters_of(const std::string& pipeline, const DeadLetterFilter& filter) {
  std::optional<std::string> ids;
  if (!filter.ids.empty()) ids = postgres::array_text(filter.ids);
  return {pipeline,           ids,
          given(filter.table), given(filter.key), given(filter.code), given(filter.since),
          filter.closed ? "true" : "false"};
}

// What is done to letters by a person.
struct Settlement {
  std::string set;        // Of UPDATE.
  std::string operation;  // For the audit, as the outcome.
  std::string outcome;
};

// Tells the running engine, and the audit, in the same transaction.
Result<size_t> settle(postgres::Session& session, const std::string& pipeline, const DeadLetterFilter& filter, const Settlement& to,
                      bool audited, TimePoint deadline) {
  std::string audit;
  if (audited) {
    Status kept = session.execute(
        "SELECT contextnexus.audit_partitions(d.day, d.day, 0) FROM (SELECT (pg_catalog.now() AT TIME ZONE 'UTC')::date AS day) d", deadline);
    if (!kept) {
      return fail(std::move(kept.error())
                      .wrap("writing down who settles a dead letter")
                      .advise("contextnexus init grants it; or --set audit.level=off"));
    }
    audit = ", audited AS (INSERT INTO contextnexus.audit_log (at, pipeline, correlation_id, operation, table_schema, table_name, key, "
            "lsn, ordinal, attempt, outcome) SELECT pg_catalog.now(), $1, correlation_id, '" + to.operation +
            "', table_schema, table_name, pg_catalog.array_to_string(key_values, ','), lsn, ordinal, attempts, '" + to.outcome + "' FROM settled)";
  }
  const std::string text = "WITH settled AS (UPDATE contextnexus.dead_letters SET " + to.set + ", updated_at = pg_catalog.clock_timestamp() WHERE " +
                           kFits + " AND state IN ('open', 'retrying') RETURNING correlation_id, table_schema, table_name, key_values, lsn, "
                           "ordinal, attempts)" + audit + " SELECT pg_catalog.count(*), pg_catalog.pg_notify('" + kDeadLettersChannel +
                           "', $1) FROM settled";
  CNX_TRY(postgres::Rows rows, session.query(text, parameters_of(pipeline, filter), deadline));
  CNX_TRY(int64_t count, rows.integer(0, 0));
  return static_cast<size_t>(count);
}

}  // namespace

Result<std::vector<DeadLetter>> find_dead_letters(postgres::Session& session, const std::string& pipeline,
                                                  const DeadLetterFilter& filter, size_t limit, TimePoint deadline) {
  constexpr const char* kTime = "'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"'";
  auto time = [&](const std::string& column) {
    return "coalesce(pg_catalog.to_char(" + column + " AT TIME ZONE 'UTC', " + kTime + "), '')";
  };
  const std::string text =
      "SELECT id, state, table_schema || '.' || table_name, key_columns, key_values, "
      "CASE WHEN lsn = '0/0' THEN '' ELSE lsn::text || CASE WHEN ordinal = 0 THEN '' ELSE '+' || ordinal END END, "
      "coalesce(correlation_id::text, ''), operation, coalesce(statement, ''), coalesce(code, ''), reason, "
      "coalesce(row_values::text, ''), attempts, held_changes, stopped_line, " +
      time("created_at") + ", " + time("updated_at") + ", " + time("closed_at") +
      ", coalesce(closed_by, '') FROM contextnexus.dead_letters WHERE " + kFits + " ORDER BY id LIMIT " + std::to_string(limit);
  CNX_TRY(postgres::Rows rows, session.query(text, parameters_of(pipeline, filter), deadline));
  std::vector<DeadLetter> letters;
  for (size_t row = 0; row < rows.size(); ++row) {
    DeadLetter letter;
    auto words = [&](size_t column) { return std::string(rows.text(row, column)); };
    CNX_TRY(letter.id, rows.integer(row, 0));
    letter.state = words(1);
    letter.table = words(2);
    CNX_TRY(letter.key_columns, rows.texts(row, 3));
    CNX_TRY(letter.key_values, rows.texts(row, 4));
    letter.position = words(5);
    letter.correlation_id = words(6);
    letter.operation = words(7);
    letter.statement = words(8);
    letter.code = words(9);
    letter.reason = words(10);
    letter.values = words(11);
    CNX_TRY(letter.attempts, rows.integer(row, 12));
    CNX_TRY(letter.held_changes, rows.integer(row, 13));
    CNX_TRY(letter.stopped_line, rows.boolean(row, 14));
    letter.created_at = words(15);
    letter.updated_at = words(16);
    letter.closed_at = words(17);
    letter.closed_by = words(18);
    letters.push_back(std::move(letter));
  }
  return letters;
}

Result<size_t> ask_for_retry(postgres::Session& session, const std::string& pipeline, const DeadLetterFilter& filter, bool audited,
                             TimePoint deadline) {
  return settle(session, pipeline, filter,
                {"state = 'retrying', retry_lsn = pg_catalog.pg_current_wal_insert_lsn()", "retry", "asked"}, audited, deadline);
}

Result<size_t> discard(postgres::Session& session, const std::string& pipeline, const DeadLetterFilter& filter, bool audited,
                       TimePoint deadline) {
  return settle(session, pipeline, filter,
                {"state = 'discarded', closed_at = pg_catalog.clock_timestamp(), closed_by = session_user::text", "discard", "discarded"},
                audited, deadline);
}

}  // namespace cnx::record
