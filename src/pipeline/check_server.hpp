// The preflight's part about the PostgreSQL server: its log, its slots and connections, our role.
#pragma once

#include <optional>
#include <string>

#include "pipeline/findings.hpp"
#include "pipeline/source_look.hpp"
#include "postgres/replication.hpp"
#include "postgres/server.hpp"
#include "postgres/session.hpp"
#include "postgres/slot.hpp"

namespace cnx::pipeline {

// What a plain session says of the server beyond ServerInfo.
struct ServerFigures {
  int64_t wal_senders_used = 0;
  std::optional<double> wal_bytes_per_second;   // Since the statistics' start; PostgreSQL 14.
  std::optional<double> idle_slot_seconds_max;  // idle_replication_slot_timeout; PostgreSQL 18.
  // The process that answered is another than the one that greeted us: somebody pools in between.
  bool pooled = false;
};
Result<ServerFigures> read_figures(postgres::Session& session, TimePoint deadline);

// Pure: each says what it makes of what was read.
void judge_server(Findings& findings, const postgres::ServerInfo& server);
// What is there for a failover; `wanted` is capture.slot_failover.
void judge_failover(Findings& findings, const postgres::ServerInfo& server, std::string_view wanted);
void judge_role(Findings& findings, const postgres::ServerInfo& server);
void judge_senders(Findings& findings, const postgres::ServerInfo& server,
                   const ServerFigures& figures, bool connected);
void judge_log_kept(Findings& findings, const postgres::ServerInfo& server,
                    const ServerFigures& figures);
void judge_slot(Findings& findings, const postgres::ServerInfo& server,
                const std::optional<postgres::SlotState>& slot, const std::string& name);
void judge_source_warnings(Findings& findings, const std::vector<SourceWarning>& warnings);
void judge_pooling(Findings& findings, const ServerFigures& figures, bool replication_works);
// What a refused replication connection means.
std::string replication_cure(const postgres::ServerInfo& server, const ServerFigures& figures,
                             const std::string& refusal);

// Opens a replication connection; nullopt: refused, and said so.
std::optional<postgres::SystemIdentity> try_replication(Findings& findings,
                                                        const postgres::ConnectionOptions& options,
                                                        const postgres::ServerInfo& server,
                                                        const ServerFigures& figures,
                                                        postgres::Session& session,
                                                        bool slot_exists);

}  // namespace cnx::pipeline
