// Chooses the server for a transaction: the one of bolt://, or by routing tables the right one of
// neo4j://. Lends connections and learns from what became of them.
#pragma once

#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "bolt/options.hpp"
#include "bolt/pool.hpp"
#include "bolt/routing_table.hpp"

namespace bolt {

// What a transaction needs of its server.
struct Access {
  TransactionOptions::Mode mode = TransactionOptions::Mode::write;
  std::string database;  // Empty: that of the options, else the home database.
  // The table must be as new as these, so that a database created by them is known.
  std::vector<std::string> bookmarks;
};

// Any thread.
class Router {
 public:
  // `seed`: any server of the cluster, or the only server.
  explicit Router(Options seed, PoolOptions pool_options = {});

  // A connection to a server that does what is asked: the least busy one. Where the table is old or
  // has none, it is asked for anew: from the routers known, then from the seed. Blocks until
  // `deadline`. As Connection::open; unavailable also where no server does it at the moment (a
  // cluster that elects its leader); server: what ROUTE was refused with, where no other server
  // would say otherwise (DatabaseNotFound, Security.*).
  cnx::Result<Lease> acquire(const Access& access, cnx::TimePoint deadline);

  // Learns from an error of a lent connection: a server that is gone is forgotten, one that no
  // longer leads is no writer. The next acquire() then finds another. Whether to try again is the
  // caller's decision.
  void report(const Lease& lease, const cnx::Error& error, const std::string& database);

 private:
  // Shared with acquire() calls that hold it while the table changes.
  using PoolPointer = std::shared_ptr<Pool>;

  const std::string& database_of(const std::string& asked) const;
  PoolPointer pool_of(const Address& address);
  PoolPointer least_busy(const std::vector<Address>& addresses);
  cnx::Status refresh(const Access& access, cnx::TimePoint deadline);
  cnx::Status ask_all(std::vector<Address> routers, const Access& access, cnx::TimePoint deadline);
  cnx::Result<RoutingTable> ask(const Address& router, const Access& access,
                                cnx::TimePoint deadline);
  void forget(const Address& address);
  void drop_unlisted();

  Options seed_;
  Address seed_address_;
  PoolOptions pool_options_;
  std::mutex mutex_;  // Guards what follows, and is held briefly: never while a server is asked.
  // One thread asks for a table, the others wait for what it gets.
  bool refreshing_ = false;
  std::condition_variable refreshed_;
  std::map<std::string, RoutingTable> tables_;
  std::map<std::string, PoolPointer> pools_;
};

}  // namespace bolt
