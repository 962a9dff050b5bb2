#include "capture/logical/slot_connection.hpp"

#include "postgres/server.hpp"
#include "postgres/session.hpp"

namespace cnx::capture {
namespace {

// Where wal_sender_timeout is 0 the server never drops us, and status still has to flow for its own
// sake.
constexpr Duration kStatusWithoutTimeout = std::chrono::seconds(10);
constexpr std::string_view kInUse = "55006";

}  // namespace

Result<Opened> SlotConnection::open(change::Position held, TimePoint deadline) {
  close();
  CNX_TRY(postgres::Session session, postgres::Session::open(options_.connection, deadline));
  CNX_TRY(postgres::ServerInfo server, postgres::read_server(session, deadline));
  if (server.in_recovery) {
    return fail(ErrorKind::unavailable, "PostgreSQL is a standby here: waiting for the primary");
  }
  CNX_TRY(std::optional<postgres::SlotState> slot,
          postgres::read_slot(session, options_.source.slot, deadline));
  CNX_TRY(postgres::ReplicationStream stream,
          postgres::ReplicationStream::open(options_.connection, deadline));
  CNX_TRY(postgres::SystemIdentity system, stream.identify_system(deadline));
  CNX_TRY(check(held, system, slot, server.version));
  postgres::StartOptions start;
  start.slot = options_.source.slot;
  start.publications = {options_.publication};
  Status started = stream.start(start, deadline);
  if (!started && started.error().code() == kInUse && options_.free_slot) options_.free_slot(session, deadline);
  CNX_TRY(std::move(started));
  // Until now a walsender of before may have taken what was confirmed to it, and somebody have moved the slot or made it again.
  CNX_TRY(slot, postgres::read_slot(session, options_.source.slot, deadline));
  CNX_TRY(check(held, system, slot, server.version));
  stream_ = std::move(stream);
  Duration interval = server.wal_sender_timeout.count() == 0
                          ? kStatusWithoutTimeout
                          : Duration(server.wal_sender_timeout) / 4;
  return Opened{.status_interval = interval, .confirmed = slot ? slot->confirmed_flush.value_or(change::Lsn()) : change::Lsn()};
}

Status SlotConnection::check(change::Position held, const postgres::SystemIdentity& system,
                             const std::optional<postgres::SlotState>& slot, int server_version) const {
  SourceFacts facts{.held = options_.source, .system = system, .server_version = server_version, .slot = slot};
  facts.held->position = held;
  const SourceJudgement judgement = judge_source(facts);
  if (judgement.state != SourceState::failed_over) return to_status(judgement);
  return fail(Error(ErrorKind::state, kFailedOver, judgement.happened));
}

}  // namespace cnx::capture
