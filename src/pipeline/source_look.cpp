#include "pipeline/source_look.hpp"

#include <algorithm>

#include "pipeline/findings.hpp"
#include "pipeline/source_record.hpp"

namespace cnx::pipeline {
namespace {

constexpr std::string_view kLog =
    "SELECT CASE WHEN pg_catalog.pg_is_in_recovery() THEN pg_catalog.pg_last_wal_replay_lsn() "
    "ELSE pg_catalog.pg_current_wal_flush_lsn() END, "
    "(SELECT setting::pg_catalog.int8 FROM pg_catalog.pg_settings WHERE name = 'max_slot_wal_keep_size')";

// The timeline that is written now: the control file's is that of the last checkpoint, which a promotion does not wait for.
constexpr std::string_view kIdentity =
    "SELECT s.system_identifier, ('x' || pg_catalog.substr(pg_catalog.pg_walfile_name(pg_catalog.pg_current_wal_flush_lsn()), 1, "
    "8))::pg_catalog.bit(32)::pg_catalog.int8, pg_catalog.pg_current_wal_flush_lsn(), d.datname, d.oid::pg_catalog.int8 "
    "FROM pg_catalog.pg_control_system() s, pg_catalog.pg_database d WHERE d.datname = pg_catalog.current_database()";

std::string describe_pin(OpenTransaction transaction) {
  transaction.waited_for = true;  // By the slot: it stands alone in the description.
  return describe(std::vector<OpenTransaction>{std::move(transaction)});
}

// The oldest of a kind.
const OpenTransaction* oldest(const SourceLook& look, bool prepared, Duration limit) {
  const OpenTransaction* found = nullptr;
  for (const OpenTransaction& transaction : look.open) {
    if (transaction.gid.empty() == prepared || !transaction.seconds) continue;
    if (std::chrono::seconds(*transaction.seconds) < limit) continue;
    if (found == nullptr || *transaction.seconds > *found->seconds) found = &transaction;
  }
  return found;
}

}  // namespace

Result<SourceLook> look_at_source(postgres::Session& session, const PipelineOptions& options, TimePoint deadline) {
  SourceLook look;
  CNX_TRY(look.slot, postgres::read_slot(session, options.slot(), deadline));
  CNX_TRY(look.record, read_record(session, options.name, deadline));
  CNX_TRY(look.open, read_open_transactions(session, session.backend_pid(), deadline));
  CNX_TRY(postgres::Rows log, session.query(kLog, deadline));
  CNX_TRY(look.wal_end, log.lsn(0, 0));
  CNX_TRY(int64_t megabytes, log.integer(0, 1));
  if (megabytes >= 0) look.slot_wal_keep_bytes_max = megabytes * 1024 * 1024;
  return look;
}

Result<postgres::SystemIdentity> read_identity(postgres::Session& session, TimePoint deadline) {
  CNX_TRY(postgres::Rows rows, session.query(kIdentity, deadline));
  if (rows.empty()) return fail(ErrorKind::state, "the database that is connected is not in pg_database");
  postgres::SystemIdentity identity;
  CNX_TRY(int64_t system, rows.integer(0, 0));
  CNX_TRY(int64_t timeline, rows.integer(0, 1));
  identity.system_identifier = static_cast<uint64_t>(system);
  identity.timeline = static_cast<uint32_t>(timeline);
  CNX_TRY(identity.wal_end, rows.lsn(0, 2));
  identity.database = std::string(rows.text(0, 3));
  CNX_TRY(identity.database_oid, rows.integer(0, 4));
  return identity;
}

int64_t retained_wal_limit(const SourceLook& look, const SourceOptions& options) {
  const auto own = static_cast<int64_t>(options.retained_wal_warn_bytes);
  return look.slot_wal_keep_bytes_max ? std::min(own, *look.slot_wal_keep_bytes_max / 2) : own;
}

std::vector<SourceWarning> source_warnings(const SourceLook& look, const SourceOptions& options) {
  std::vector<SourceWarning> warnings;
  if (!look.slot || look.slot->lost()) return warnings;
  const int64_t kept = look.slot->retained_wal_bytes.value_or(0);
  const std::string kept_text = bytes_text(static_cast<double>(kept));
  if (look.slot->wal_status == "unreserved") {
    warnings.push_back({"slot_at_risk",
                        "the slot " + look.slot->name + " is lost at the next checkpoint: PostgreSQL keeps " + kept_text +
                            " of log for it, and may keep no more",
                        "raise max_slot_wal_keep_size now, and see why the pipeline is behind"});
  }
  if (kept >= retained_wal_limit(look, options)) {
    const std::string most = look.slot_wal_keep_bytes_max
                                 ? " of at most " + bytes_text(static_cast<double>(*look.slot_wal_keep_bytes_max))
                                 : std::string();
    warnings.push_back({"wal_retained_high",
                        "PostgreSQL keeps " + kept_text + most + " of log for the slot " + look.slot->name,
                        "see why the pipeline is behind (paused, stopped, Neo4j away, a transaction that does not end); "
                        "max_slot_wal_keep_size bounds it, and loses the slot; source.retained_wal_warn_bytes sets this warning"});
  }
  if (const OpenTransaction* pin = oldest(look, true, options.transaction_warn)) {
    warnings.push_back({"prepared_transaction_pins",
                        "no log is thrown away behind the " + describe_pin(*pin),
                        "COMMIT PREPARED or ROLLBACK PREPARED it, in its database"});
  }
  if (const OpenTransaction* pin = oldest(look, false, options.transaction_warn)) {
    warnings.push_back({"open_transaction_pins", "no log is thrown away behind the transaction of " + describe_pin(*pin),
                        "let it end, or SELECT pg_terminate_backend(" + std::to_string(pin->pid) + ")"});
  }
  return warnings;
}

}  // namespace cnx::pipeline
