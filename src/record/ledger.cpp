#include "record/ledger.hpp"

#include "record/sync_texts.hpp"

namespace cnx::record {
namespace {

constexpr int64_t kCountedMax = 100'000;
// The longest problem that is kept.
constexpr size_t kProblemBytesMax = 1'000;

// An answer of the server's, not a lost connection: the table is not there, or not ours to use.
bool is_refusal(const Error& error) { return error.kind() == ErrorKind::server; }

std::optional<std::string> cut(const std::string& text) {
  if (text.empty()) return std::nullopt;
  return text.substr(0, kProblemBytesMax);
}

}  // namespace

Status mark_filled(postgres::Session& session, const std::string& pipeline, TimePoint deadline) {
  Status marked = session.execute(
      "INSERT INTO contextnexus.write_back (pipeline, filled_at) VALUES ($1, pg_catalog.clock_timestamp()) "
      "ON CONFLICT (pipeline) DO UPDATE SET filled_at = excluded.filled_at",
      {pipeline}, deadline);
  return marked || is_refusal(marked.error()) ? Status() : marked;
}

Result<std::optional<std::string>> read_stale_before(postgres::Session& session, const std::string& pipeline, TimePoint deadline) {
  Result<postgres::Rows> rows = session.query(
      "SELECT CASE WHEN renewed_at IS NULL OR renewed_at < filled_at THEN filled_at END FROM contextnexus.write_back "
      "WHERE pipeline = $1",
      {pipeline}, deadline);
  if (!rows && is_refusal(rows.error())) return std::nullopt;
  if (!rows) return fail(std::move(rows.error()));
  return rows->empty() ? std::string() : std::string(rows->text(0, 0));
}

Status mark_renewed(postgres::Session& session, const std::string& pipeline, int64_t epoch, TimePoint deadline) {
  const std::string text =
      "UPDATE contextnexus.write_back SET renewed_at = pg_catalog.clock_timestamp() WHERE pipeline = $1";
  if (epoch == 0) return session.execute(text, {pipeline}, deadline);
  return session.execute(text + " AND " + owner_condition(1, 2), {pipeline, std::to_string(epoch)}, deadline);
}

Status add_figures(postgres::Session& session, const std::string& pipeline, int64_t epoch, const SyncLedger& figures,
                   TimePoint deadline) {
  postgres::Parameters parameters{pipeline, std::to_string(figures.written), std::to_string(figures.locked),
                                  std::to_string(figures.failures), cut(figures.problem)};
  if (epoch != 0) parameters.push_back(std::to_string(epoch));
  const std::string owner = epoch == 0 ? std::string() : "WHERE " + owner_condition(1, parameters.size()) + " ";
  return session.execute(
      "INSERT INTO contextnexus.write_back AS w (pipeline, rows_written, rows_locked, failures, problem, last_error, "
      "last_error_at) SELECT $1::text, $2::bigint, $3::bigint, $4::bigint, $5::text, $5::text, "
      "CASE WHEN $5::text IS NOT NULL THEN pg_catalog.clock_timestamp() END " + owner +
          "ON CONFLICT (pipeline) DO UPDATE SET rows_written = w.rows_written + excluded.rows_written, "
          "rows_locked = w.rows_locked + excluded.rows_locked, failures = w.failures + excluded.failures, "
          "problem = excluded.problem, last_error = COALESCE(excluded.last_error, w.last_error), "
          "last_error_at = COALESCE(excluded.last_error_at, w.last_error_at)",
      parameters, deadline);
}

Result<std::optional<LedgerFigures>> read_figures(postgres::Session& session, const std::string& pipeline, TimePoint deadline) {
  Result<postgres::Rows> rows = session.query(
      "SELECT rows_written, rows_locked, failures, problem, last_error, last_error_at FROM contextnexus.write_back "
      "WHERE pipeline = $1",
      {pipeline}, deadline);
  if (!rows && !is_refusal(rows.error())) return fail(std::move(rows.error()));
  if (!rows || rows->empty()) return std::nullopt;
  LedgerFigures figures;
  CNX_TRY(figures.written, rows->integer(0, 0));
  CNX_TRY(figures.locked, rows->integer(0, 1));
  CNX_TRY(figures.failures, rows->integer(0, 2));
  figures.problem = std::string(rows->text(0, 3));
  figures.last_error = std::string(rows->text(0, 4));
  figures.last_error_at = std::string(rows->text(0, 5));
  return figures;
}

Result<PendingRows> count_pending(postgres::Session& session, const std::vector<postgres::TableName>& tables,
                                  TimePoint deadline) {
  PendingRows pending;
  for (const postgres::TableName& table : tables) {
    CNX_TRY(postgres::Rows has, session.query("SELECT FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = "
                                              "c.relnamespace JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid WHERE "
                                              "n.nspname = $1 AND c.relname = $2 AND a.attname = 'neo4j_sync_status' AND NOT "
                                              "a.attisdropped",
                                              {table.schema, table.name}, deadline));
    if (has.empty()) continue;
    Result<postgres::Rows> counted =
        session.query("SELECT pg_catalog.count(*) FROM (SELECT FROM " + postgres::quote_table(table) +
                          " WHERE neo4j_sync_status = 'pending' LIMIT " + std::to_string(kCountedMax) + ") pending",
                      deadline);
    if (!counted && is_refusal(counted.error())) continue;
    if (!counted) return fail(std::move(counted.error()));
    CNX_TRY(int64_t rows, counted->integer(0, 0));
    ++pending.tables;
    pending.rows += rows;
    pending.at_least = pending.at_least || rows == kCountedMax;
  }
  return pending;
}

}  // namespace cnx::record
