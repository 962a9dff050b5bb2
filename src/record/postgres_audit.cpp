#include "record/postgres_audit.hpp"

#include "record/audit_text.hpp"

namespace cnx::record {
namespace {

// Below the stage's own deadline, so that the server's word comes first. A reader of the log is not waited for when old days are
// dropped: the next round does it. Confirmations may wait for what is written here: it has to outlive a crash of this server.
constexpr std::string_view kSettings = "SET lock_timeout = '1s'; SET statement_timeout = '8s'; SET synchronous_commit = local";
constexpr std::string_view kLockNotAvailable = "55P03";

}  // namespace

Status PostgresAudit::open(TimePoint deadline) {
  close();
  postgres::ConnectionOptions options = postgres_;
  options.application_name = "contextnexus audit";
  CNX_TRY(postgres::Session session, postgres::Session::open(options, deadline));
  CNX_TRY(session.execute(kSettings, deadline));
  session_ = std::move(session);
  return {};
}

Status PostgresAudit::keep_days(int64_t first, int64_t last, TimePoint deadline) {
  constexpr std::string_view kText =
      "SELECT contextnexus.audit_partitions(date '1970-01-01' + $1::int, date '1970-01-01' + $2::int, $3::int)";
  postgres::Parameters parameters = {std::to_string(first), std::to_string(last), std::to_string(retention_days_)};
  Status kept = session_->execute(kText, parameters, deadline);
  if (kept || kept.error().code() != kLockNotAvailable) return kept;
  // Somebody reads what is to be dropped: that can wait, the days to come cannot.
  parameters[2] = "0";
  return session_->execute(kText, parameters, deadline);
}

Status PostgresAudit::write(std::string_view lines, TimePoint deadline) {
  return session_->write_copy(audit_copy_text(), lines, deadline);
}

Result<change::Position> read_audited(postgres::Session& session, const std::string& pipeline, TimePoint deadline) {
  CNX_TRY(postgres::Rows rows,
          session.query("SELECT lsn, ordinal FROM contextnexus.audit_log WHERE pipeline = $1 AND operation = 'batch' AND "
                        "outcome = 'applied' ORDER BY at DESC, lsn DESC, ordinal DESC LIMIT 1",
                        {pipeline}, deadline));
  change::Position position;
  if (rows.empty()) return position;
  CNX_TRY(position.lsn, rows.lsn(0, 0));
  CNX_TRY(int64_t ordinal, rows.integer(0, 1));
  position.ordinal = static_cast<uint64_t>(ordinal);
  return position;
}

}  // namespace cnx::record
