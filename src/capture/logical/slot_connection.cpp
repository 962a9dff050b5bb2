#include "capture/logical/slot_connection.hpp"

#include "postgres/server.hpp"
#include "postgres/session.hpp"

namespace cnx::capture {
namespace {

// Where wal_sender_timeout is 0 the server never drops us, and status still has to flow for its own
// sake.
constexpr Duration kStatusWithoutTimeout = std::chrono::seconds(10);

}  // namespace

Result<Opened> SlotConnection::open(change::Position held, TimePoint deadline) {
  close();
  CNX_TRY(postgres::Session session, postgres::Session::open(options_.connection, deadline));
  CNX_TRY(postgres::ServerInfo server, postgres::read_server(session, deadline));
  CNX_TRY(std::optional<postgres::SlotState> slot,
          postgres::read_slot(session, options_.source.slot, deadline));
  CNX_TRY(postgres::ReplicationStream stream,
          postgres::ReplicationStream::open(options_.connection, deadline));
  CNX_TRY(postgres::SystemIdentity system, stream.identify_system(deadline));
  HeldPosition source = options_.source;
  source.position = held;
  CNX_TRY(check_source(source, system, slot));
  postgres::StartOptions start;
  start.slot = options_.source.slot;
  start.publications = {options_.publication};
  CNX_TRY(stream.start(start, deadline));
  stream_ = std::move(stream);
  Duration interval = server.wal_sender_timeout.count() == 0
                          ? kStatusWithoutTimeout
                          : Duration(server.wal_sender_timeout) / 4;
  return Opened{.status_interval = interval};
}

}  // namespace cnx::capture
