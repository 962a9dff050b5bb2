// Connections to one server, kept open between uses. A connection is lent to one thread at a time;
// one that was idle for a while shows that it lives before it is lent again.
#pragma once

#include <chrono>
#include <memory>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "bolt/connection.hpp"
#include "bolt/options.hpp"
#include "bolt/routing_table.hpp"

namespace bolt {

struct PoolOptions {
  // Connections at once, lent and idle together. At least 1.
  size_t connections_max = 16;
  // One that was idle for longer answers a RESET first. Firewalls forget connections after minutes.
  std::chrono::seconds check_after = std::chrono::seconds(30);
  // One older than this is closed rather than lent: so that load balancers and new certificates get
  // their turn.
  std::chrono::seconds lifetime_max = std::chrono::hours(1);
};

class Pool;

// A connection on loan, used by one thread; given back by destruction. What comes back broken or in
// the middle of a conversation is closed; what comes back after a failure is RESET before its next
// loan. Movable.
class Lease {
 public:
  Lease(Lease&&) noexcept = default;
  Lease& operator=(Lease&&) noexcept;
  ~Lease();
  Connection& operator*() const { return *connection_; }
  Connection* operator->() const { return connection_.get(); }
  // The server's, as it was dialled.
  Address address() const;

 private:
  friend class Pool;
  struct Shared;
  Lease(std::shared_ptr<Shared> pool, std::unique_ptr<Connection> connection,
        cnx::TimePoint opened);
  void give_back();

  // Shared with the pool: a lease may outlive it, when a router has dropped the server meanwhile.
  std::shared_ptr<Shared> pool_;
  std::unique_ptr<Connection> connection_;
  cnx::TimePoint opened_;
};

// Any thread. Destruction closes what is idle; what is lent is closed when it comes back.
class Pool {
 public:
  Pool(Options options, PoolOptions pool_options);
  Pool(Pool&&) noexcept = default;
  Pool& operator=(Pool&&) noexcept;
  ~Pool();

  // An idle connection that lives, else a new one; where connections_max are lent, waits for one.
  // Blocks until `deadline`. timeout; otherwise as Connection::open.
  cnx::Result<Lease> acquire(cnx::TimePoint deadline);
  Address address() const;
  // Lent at this moment.
  size_t in_use() const;
  // Idle connections are closed, and lent ones when they come back: the server was found unusable.
  void close_all();

 private:
  std::shared_ptr<Lease::Shared> shared_;
};

}  // namespace bolt
