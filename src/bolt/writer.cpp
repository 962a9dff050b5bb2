#include "bolt/writer.hpp"

#include "bolt/routing_table.hpp"

namespace bolt {

cnx::Result<Connection> open_writer(const Options& options, cnx::TimePoint deadline) {
  CNX_TRY(Connection seed, Connection::open(options, deadline));
  if (!options.routing) return seed;
  seed.route(options.routing_context, {}, options.database);
  CNX_TRY(Reply reply, seed.await_reply(deadline));
  if (!reply.ok()) return cnx::fail(reply.failure.to_error().wrap("asking for the routing table"));
  CNX_TRY(RoutingTable table, RoutingTable::parse(reply.metadata, cnx::Clock::now()));
  cnx::Error last(cnx::ErrorKind::unavailable, "the cluster has no leader at the moment");
  for (const Address& writer : table.writers) {
    if (writer == Address{options.host, options.port}) return seed;
    Options other = options;
    other.host = writer.host;
    other.port = writer.port;
    cnx::Result<Connection> opened = Connection::open(other, deadline);
    if (opened) return opened;
    last = std::move(opened).error().wrap("connecting to the leader that the routing table names");
  }
  return cnx::fail(std::move(last));
}

}  // namespace bolt
