#include "pipeline/check_server.hpp"

#include <unistd.h>

namespace cnx::pipeline {
namespace {

// Column lists and row filters of publications, and origins for other roles than a superuser, are read and set as since then.
constexpr int kVersionMin = 150000;
constexpr int kWalStatisticsSince = 140000;
constexpr int kIdleSlotTimeoutSince = 180000;
constexpr int kFailoverSlotsSince = 170000;
// A stop may last from one working day to the next; what PostgreSQL keeps should outlast it.
constexpr double kStopSeconds = 24 * 3600;
// Making a slot waits for every transaction that is open; the trial does not wait that long.
constexpr Duration kTrialMax = std::chrono::seconds(5);

std::string version_text(int version) {
  return std::to_string(version / 10000) + "." + std::to_string(version % 10000);
}

std::string of(int64_t part, int64_t whole) {
  return std::to_string(part) + " of " + std::to_string(whole) + " in use";
}

Result<std::optional<double>> wal_rate(postgres::Session& session, TimePoint deadline) {
  if (session.server_version() < kWalStatisticsSince) return std::nullopt;
  CNX_TRY(postgres::Rows rows,
          session.query("SELECT w.wal_bytes::pg_catalog.int8, greatest(1, extract(epoch FROM "
                        "pg_catalog.now() - coalesce(w.stats_reset, "
                        "pg_catalog.pg_postmaster_start_time())))::pg_catalog.int8 "
                        "FROM pg_catalog.pg_stat_wal w",
                        deadline));
  if (rows.empty()) return std::nullopt;
  CNX_TRY(int64_t bytes, rows.integer(0, 0));
  CNX_TRY(int64_t seconds, rows.integer(0, 1));
  return static_cast<double>(bytes) / static_cast<double>(seconds);
}

Result<std::optional<double>> idle_slot_timeout(postgres::Session& session, TimePoint deadline) {
  if (session.server_version() < kIdleSlotTimeoutSince) return std::nullopt;
  CNX_TRY(postgres::Rows rows,
          session.query("SELECT setting::pg_catalog.int8 * CASE unit WHEN 'min' THEN 60 ELSE 1 END "
                        "FROM pg_catalog.pg_settings WHERE name = 'idle_replication_slot_timeout'",
                        deadline));
  if (rows.empty()) return std::nullopt;
  CNX_TRY(int64_t seconds, rows.integer(0, 0));
  if (seconds == 0) return std::nullopt;
  return static_cast<double>(seconds);
}

// A backend of ours that still waits for open transactions would keep its slot until they end.
void end_trial(postgres::Session& session, const std::string& name) {
  Status ended = session.execute(
      "SELECT pg_catalog.pg_terminate_backend(pid) FROM pg_catalog.pg_stat_activity "
      "WHERE application_name = $1 AND usename = current_user",
      {name}, Clock::now() + kTrialMax);
  // One that is gone already, or a session that is: nothing is left to end.
  static_cast<void>(ended);
}

// The one trial that shows the log's level, the right and a free slot at once.
void try_slot(Findings& findings, postgres::ReplicationStream& stream, postgres::Session& session,
              const std::string& name) {
  Result<postgres::CreatedSlot> made = stream.create_slot(
      {.name = name, .export_snapshot = false, .temporary = true}, Clock::now() + kTrialMax);
  if (made) {
    findings.ok("making a slot", "tried: a temporary one, gone again");
  } else if (made.error().kind() == ErrorKind::timeout) {
    end_trial(session, name);
    findings.warning(
        FindingKind::open_transactions, "making a slot", "not done within 5 seconds: transactions are open",
        "the first run waits until each of them has ended; SELECT pid, xact_start, query "
        "FROM pg_stat_activity WHERE backend_xid IS NOT NULL, and SELECT * FROM "
        "pg_prepared_xacts, show them");
  } else {
    findings.fault(
        FindingKind::slot_refused, "making a slot", made.error(),
        "wal_level must be logical, a slot must be free (max_replication_slots), and the "
        "role needs REPLICATION");
  }
}

}  // namespace

Result<ServerFigures> read_figures(postgres::Session& session, TimePoint deadline) {
  ServerFigures figures;
  CNX_TRY(postgres::Rows rows,
          session.query("SELECT pg_catalog.pg_backend_pid(), "
                        "(SELECT pg_catalog.count(*) FROM pg_catalog.pg_stat_replication)",
                        deadline));
  CNX_TRY(int64_t pid, rows.integer(0, 0));
  figures.pooled = pid != session.backend_pid();
  CNX_TRY(figures.wal_senders_used, rows.integer(0, 1));
  CNX_TRY(figures.wal_bytes_per_second, wal_rate(session, deadline));
  CNX_TRY(figures.idle_slot_seconds_max, idle_slot_timeout(session, deadline));
  return figures;
}

void judge_server(Findings& findings, const postgres::ServerInfo& server) {
  const std::string version = version_text(server.version);
  if (server.version < kVersionMin) {
    findings.fault(FindingKind::postgresql_version, "version", version, "PostgreSQL 15 or later is needed");
  } else {
    findings.ok("version", version);
  }
  findings.ok("encoding",
              server.encoding == "UTF8" ? server.encoding : server.encoding + ", read as UTF8");
  if (server.in_recovery) {
    findings.fault(FindingKind::standby, "role of the server", "a standby",
                   "connect to the primary: set-up writes there");
  }
  if (server.wal_level == "logical") {
    findings.ok("wal_level", server.wal_level);
  } else {
    findings.fault(
        FindingKind::wal_level, "wal_level", server.wal_level,
        "ALTER SYSTEM SET wal_level = logical, then restart PostgreSQL (RDS: "
        "rds.logical_replication = 1; Cloud SQL: cloudsql.logical_decoding = on; Azure: the "
        "parameter wal_level)");
  }
}

void judge_failover(Findings& findings, const postgres::ServerInfo& server, std::string_view wanted) {
  if (server.version >= kFailoverSlotsSince) {
    findings.ok("failover", wanted == "off" ? "not prepared (capture.slot_failover: off): every table is read again after one"
                                            : "the slot is one that a standby may keep in step");
    return;
  }
  const std::string figure = "no failover slots before PostgreSQL 17: every table is read again after a failover";
  if (wanted == "on") {
    findings.fault(FindingKind::failover_slots, "failover", figure, "upgrade PostgreSQL; or capture.slot_failover: auto");
  } else {
    findings.ok("failover", figure);
  }
}

void judge_role(Findings& findings, const postgres::ServerInfo& server) {
  if (server.role_superuser) {
    findings.warning(
        FindingKind::superuser, "role", server.role + " is a superuser: more than the pipeline needs",
        "contextnexus init --role NAME makes one that may read the mapped tables and the "
        "log, and no more; run with that one");
  } else {
    findings.ok("role", server.role + ", no superuser");
  }
}

void judge_senders(Findings& findings, const postgres::ServerInfo& server,
                   const ServerFigures& figures, bool connected) {
  // Where the trial's own connection stood, there is room for the pipeline's.
  if (connected || figures.wal_senders_used < server.wal_senders_max) {
    findings.ok("WAL senders", of(figures.wal_senders_used, server.wal_senders_max));
  } else {
    findings.fault(FindingKind::senders_used_up, "WAL senders", of(figures.wal_senders_used, server.wal_senders_max),
                   "raise max_wal_senders and restart PostgreSQL");
  }
}

void judge_log_kept(Findings& findings, const postgres::ServerInfo& server,
                    const ServerFigures& figures) {
  if (!server.slot_wal_keep_bytes_max) {
    findings.ok("log kept for a slot", "no limit (max_slot_wal_keep_size)");
  } else {
    const double kept = static_cast<double>(*server.slot_wal_keep_bytes_max);
    std::string figure = bytes_text(kept) + " (max_slot_wal_keep_size)";
    const double rate = figures.wal_bytes_per_second.value_or(0);
    const double lasts = rate > 0 ? kept / rate : 0;
    if (rate > 0) figure += ", about " + time_text(lasts) + " at the rate so far";
    if (lasts >= kStopSeconds) {
      findings.ok("log kept for a slot", figure);
    } else {
      findings.warning(
          FindingKind::log_kept, "log kept for a slot", figure,
          "a stop that lasts longer loses the slot, and the graph must be copied anew: "
          "raise max_slot_wal_keep_size beyond what a day writes");
    }
  }
  if (!figures.idle_slot_seconds_max) return;
  const std::string figure =
      time_text(*figures.idle_slot_seconds_max) + " (idle_replication_slot_timeout)";
  if (*figures.idle_slot_seconds_max >= kStopSeconds) {
    findings.ok("a slot may stand unused", figure);
  } else {
    findings.warning(
        FindingKind::unused_slot_limit, "a slot may stand unused", figure,
        "a stop that lasts longer loses the slot: raise idle_replication_slot_timeout, or 0");
  }
}

void judge_slot(Findings& findings, const postgres::ServerInfo& server,
                const std::optional<postgres::SlotState>& slot, const std::string& name) {
  const std::string used = of(server.replication_slots_used, server.replication_slots_max);
  if (!slot) {
    if (server.replication_slots_used < server.replication_slots_max) {
      findings.ok("slots", used);
    } else {
      findings.fault(FindingKind::slots_used_up, "slots", used,
                     "raise max_replication_slots and restart PostgreSQL, or drop a "
                     "slot that nobody reads");
    }
    return;
  }
  const std::string what = "slot " + name;
  if (!slot->logical || slot->plugin != "pgoutput" || slot->database != server.database) {
    findings.fault(FindingKind::slot_of_others, what, "is there, and is not this pipeline's",
                   "drop it, or choose another --pipeline");
    return;
  }
  const std::string kept =
      bytes_text(static_cast<double>(slot->retained_wal_bytes.value_or(0))) + " of log kept";
  if (slot->lost()) {
    std::string reason =
        slot->invalidation_reason.empty() ? "" : " (" + slot->invalidation_reason + ")";
    findings.fault(FindingKind::slot_lost, what, "lost" + reason + ": PostgreSQL removed log that it needed",
                   "contextnexus resync --all, then run, read every table again behind a new slot");
  } else if (slot->wal_status == "unreserved") {
    findings.warning(FindingKind::slot_at_risk, what, "about to be lost at the next checkpoint; " + kept,
                     "run the pipeline now, or raise max_slot_wal_keep_size");
  } else {
    findings.ok(what, kept + (slot->active ? ", being read" : ""));
  }
}

// One that the slot's own judgement tells already is not told twice.
void judge_source_warnings(Findings& findings, const std::vector<SourceWarning>& warnings) {
  for (const SourceWarning& warning : warnings) {
    for (FindingKind kind :
         {FindingKind::wal_retained_high, FindingKind::prepared_transaction_pins, FindingKind::open_transaction_pins}) {
      if (code_of(kind) == warning.code) findings.warning(kind, "log kept for the pipeline", warning.message, warning.advice);
    }
  }
}

void judge_pooling(Findings& findings, const ServerFigures& figures, bool replication_works) {
  if (!figures.pooled) return;
  const std::string cure =
      "connect to PostgreSQL itself: a session's lock, its settings and the replication stream "
      "belong "
      "to one server process";
  const std::string figure = "another process answers than the one that greeted";
  if (replication_works) {
    findings.warning(FindingKind::pooler, "pooler in between", figure, cure + " (a pooler in session mode may do)");
  } else {
    findings.fault(FindingKind::pooler, "pooler in between", figure, cure);
  }
}

std::string replication_cure(const postgres::ServerInfo& server, const ServerFigures& figures,
                             const std::string& refusal) {
  auto says = [&](std::string_view word) { return refusal.find(word) != std::string::npos; };
  if (figures.pooled || says("startup parameter")) {
    return "a pooler in between does not pass replication on: connect to PostgreSQL itself";
  }
  if (says("pg_hba.conf")) {
    return "pg_hba.conf must admit " + server.role + " to the database " + server.database +
           " from this host";
  }
  if (says("max_wal_senders") || says("connection slots")) {
    return "raise max_wal_senders (or max_connections) and restart PostgreSQL";
  }
  if (!server.role_replication && !server.role_superuser) {
    return "ALTER ROLE " + postgres::quote_identifier(server.role) +
           " REPLICATION (RDS: GRANT rds_replication TO it; Azure and Cloud SQL: ALTER ROLE by the "
           "administrator's role)";
  }
  return "the role needs REPLICATION, pg_hba.conf must admit it, and nothing in between may "
         "withhold "
         "replication connections";
}

std::optional<postgres::SystemIdentity> try_replication(Findings& findings,
                                                        const postgres::ConnectionOptions& options,
                                                        const postgres::ServerInfo& server,
                                                        const ServerFigures& figures,
                                                        postgres::Session& session,
                                                        bool slot_exists) {
  // A name of its own: also the temporary slot's, and what finds the process again.
  const std::string name = "contextnexus_check_" + std::to_string(getpid());
  postgres::ConnectionOptions own = options;
  own.application_name = name;
  const TimePoint deadline = Clock::now() + kTrialMax;
  Result<postgres::ReplicationStream> stream = postgres::ReplicationStream::open(own, deadline);
  Result<postgres::SystemIdentity> system = tl::unexpected(Error(ErrorKind::internal, "not asked"));
  if (stream) system = stream->identify_system(deadline);
  if (!stream || !system) {
    const Error& error = stream ? system.error() : stream.error();
    findings.fault(FindingKind::replication_refused, "replication connection", error.describe(),
                   replication_cure(server, figures, error.describe()));
    return std::nullopt;
  }
  if (system->database != server.database ||
      (server.system_identifier && *server.system_identifier != system->system_identifier)) {
    findings.fault(FindingKind::split_server, "replication connection", "reaches another server than a plain one does",
                   "something in between splits connections: connect to PostgreSQL itself");
    return std::nullopt;
  }
  findings.ok("replication connection", "tried: timeline " + std::to_string(system->timeline) +
                                            ", log up to " + system->wal_end.to_string());
  if (!slot_exists && server.wal_level == "logical" && !server.in_recovery) {
    try_slot(findings, *stream, session, name);
  }
  return *system;
}

}  // namespace cnx::pipeline
