#include "record/held_rows.hpp"

#include "mapping/sha256.hpp"

namespace cnx::record {
namespace {

using postgres::Parameters;

std::string unsettled(const HeldTable& table) { return std::string("state IN ('") + table.open + "', '" + table.asked + "')"; }

}  // namespace

std::string digest_of(const mapping::RowKey& key) {
  std::string text;
  for (const std::string& value : key.values) text += std::to_string(value.size()) + ":" + value;
  return mapping::sha256_hex(text);
}

std::string ids_text(const std::vector<int64_t>& ids) {
  std::string text = "{";
  for (int64_t id : ids) text += (text.size() > 1 ? "," : "") + std::to_string(id);
  return text + "}";
}

Result<change::Position> position_of(const postgres::Rows& rows, size_t row, size_t column) {
  change::Position position;
  CNX_TRY(position.lsn, rows.lsn(row, column));
  CNX_TRY(int64_t ordinal, rows.integer(row, column + 1));
  position.ordinal = static_cast<uint64_t>(ordinal);
  return position;
}

Result<std::vector<HeldRow>> read_held(postgres::Session& session, const HeldTable& table, const std::string& pipeline, TimePoint deadline) {
  CNX_TRY(postgres::Rows rows,
          session.query("SELECT id, table_schema, table_name, key_columns, key_values, lsn, ordinal, state = '" + std::string(table.asked) + "', held_changes, "
                        "held_until_lsn, held_until_ordinal, lasting, coalesce(retry_lsn, '0/0'), attempts FROM " + table.name +
                        " WHERE pipeline = $1 AND " + unsettled(table) + " ORDER BY id",
                        {pipeline}, deadline));
  std::vector<HeldRow> letters;
  for (size_t row = 0; row < rows.size(); ++row) {
    HeldRow letter;
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

Status add_news(postgres::Session& session, const HeldTable& table, const std::vector<HeldNews>& news, TimePoint deadline) {
  for (const HeldNews& each : news) {
    Parameters parameters = {std::to_string(each.id), std::to_string(each.held_changes), each.held_until.lsn.to_string(),
                             std::to_string(each.held_until.ordinal), std::nullopt, std::nullopt};
    if (each.ended) {
      parameters[4] = each.ended->lsn.to_string();
      parameters[5] = std::to_string(each.ended->ordinal);
    }
    CNX_TRY(session.execute(std::string("UPDATE ") + table.name + " SET held_changes = held_changes + $2::bigint, "
                            "held_until_lsn = $3::pg_lsn, held_until_ordinal = $4::bigint, "
                            "ended_lsn = coalesce($5::pg_lsn, ended_lsn), ended_ordinal = coalesce($6::bigint, ended_ordinal), "
                            "updated_at = pg_catalog.clock_timestamp() WHERE id = $1::bigint",
                            parameters, deadline));
  }
  return {};
}

Status supersede_ended(postgres::Session& session, const HeldTable& table, const std::string& pipeline, change::Position reached, TimePoint deadline) {
  return session.execute(
      std::string("UPDATE ") + table.name + " SET state = 'superseded', closed_at = pg_catalog.clock_timestamp() "
      "WHERE pipeline = $1 AND " + unsettled(table) + " AND (ended_lsn, ended_ordinal) <= ($2::pg_lsn, $3::bigint)",
      {pipeline, reached.lsn.to_string(), std::to_string(reached.ordinal)}, deadline);
}

Status supersede_tables(postgres::Session& session, const HeldTable& table, const std::string& pipeline, const std::vector<postgres::TableName>& tables,
                        TimePoint deadline) {
  for (const postgres::TableName& name : tables) {
    CNX_TRY(session.execute(std::string("UPDATE ") + table.name + " SET state = 'superseded', closed_at = pg_catalog.clock_timestamp() "
                            "WHERE pipeline = $1 AND table_schema = $2 AND table_name = $3 AND " + unsettled(table),
                            {pipeline, name.schema, name.name}, deadline));
  }
  return {};
}

Status mark_applied(postgres::Session& session, const HeldTable& table, const std::vector<int64_t>& ids, TimePoint deadline) {
  if (ids.empty()) return {};
  return session.execute(
      std::string("UPDATE ") + table.name + " SET state = '" + table.done + "', closed_at = pg_catalog.clock_timestamp(), attempts = attempts + 1 "
      "WHERE id = ANY ($1::bigint[]) AND state = '" + table.asked + "'",
      {ids_text(ids)}, deadline);
}

}  // namespace cnx::record
