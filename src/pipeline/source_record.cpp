#include "pipeline/source_record.hpp"

#include <utility>

#include "apply/source_moves.hpp"
#include "base/failpoint.hpp"

namespace cnx::pipeline {
namespace {

// The table is not there, is of an older version, or is not ours to use.
bool is_refusal(const Error& error) { return error.kind() == ErrorKind::server; }

Result<uint64_t> update(postgres::Session& session, std::string_view sql, const postgres::Parameters& parameters,
                        TimePoint deadline) {
  Result<postgres::Rows> rows = session.query(sql, parameters, deadline);
  if (rows) return rows->affected();
  if (is_refusal(rows.error())) return 0;
  return fail(std::move(rows.error()));
}

}  // namespace

Result<capture::SourceRecord> read_record(postgres::Session& session, const std::string& pipeline, TimePoint deadline) {
  capture::SourceRecord record;
  Result<postgres::Rows> rows = session.query(
      "SELECT coalesce(neo4j_database_id, ''), epoch, confirmed_lsn, coalesce(given_up, '') FROM contextnexus.pipelines "
      "WHERE name = $1",
      {pipeline}, deadline);
  if (!rows && !is_refusal(rows.error())) return fail(std::move(rows.error()));
  if (!rows || rows->empty()) return record;
  record.graph_identity = std::string(rows->text(0, 0));
  if (!rows->is_null(0, 1)) {
    CNX_TRY(record.epoch, rows->integer(0, 1));
  }
  if (!rows->is_null(0, 2)) {
    CNX_TRY(record.confirmed, rows->lsn(0, 2));
  }
  record.given_up = std::string(rows->text(0, 3));
  return record;
}

Status record_given_up(postgres::Session& session, const std::string& pipeline, const std::string& why, TimePoint deadline) {
  CNX_TRY(update(session, "UPDATE contextnexus.pipelines SET given_up = $2 WHERE name = $1", {pipeline, why}, deadline));
  return {};
}

Status forget_record(postgres::Session& session, const std::string& pipeline, TimePoint deadline) {
  CNX_TRY(update(session, "UPDATE contextnexus.pipelines SET confirmed_lsn = NULL, given_up = NULL WHERE name = $1", {pipeline},
                 deadline));
  return {};
}

Status OwnerRecord::begin(postgres::Session& session, bolt::Connection& graph, const apply::CopyOwner& owner,
                          TimePoint deadline) {
  if (epoch_ != 0) return {};
  CNX_TRY(uint64_t changed, update(session,
                                   "UPDATE contextnexus.pipelines SET epoch = $2, confirmed_lsn = NULL, given_up = NULL, "
                                   "updated_at = pg_catalog.now() WHERE name = $1 AND (epoch IS NULL OR epoch < $2)",
                                   {owner.pipeline, std::to_string(owner.epoch)}, deadline));
  if (changed == 0) return {};
  epoch_ = owner.epoch;
  reach("owner_recorded");
  return apply::note_recorded_epoch(graph, owner, deadline);
}

Status OwnerRecord::end(postgres::Session& session, const std::string& pipeline, change::Lsn reached, TimePoint deadline) {
  if (epoch_ == 0) return {};
  const int64_t epoch = std::exchange(epoch_, 0);
  CNX_TRY(update(session, "UPDATE contextnexus.pipelines SET confirmed_lsn = $3::pg_catalog.pg_lsn WHERE name = $1 AND epoch = $2",
                 {pipeline, std::to_string(epoch), reached.to_string()}, deadline));
  return {};
}

}  // namespace cnx::pipeline
