// One connection to the server that takes writes, for who holds a single long one: with bolt:// the one server, with
// neo4j:// the leader that the routing table names now. Router is for many connections at once.
#pragma once

#include "base/clock.hpp"
#include "base/result.hpp"
#include "bolt/connection.hpp"

namespace bolt {

// The table is asked of the URL's own server at each call, so a new leader is found by opening again. Blocks until
// `deadline`. As Connection::open; unavailable also where the cluster has no leader at the moment; server: what ROUTE was
// refused with.
cnx::Result<Connection> open_writer(const Options& options, cnx::TimePoint deadline);

}  // namespace bolt
