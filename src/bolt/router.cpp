#include "bolt/router.hpp"

#include <algorithm>
#include <array>

namespace bolt {
namespace {

using cnx::ErrorKind;
using cnx::Result;

// A router that takes longer than this is as good as gone.
constexpr auto kAskTimeout = std::chrono::seconds(10);

// Errors of ROUTE that every router would give: asking on would only hide them.
bool is_final(const cnx::Error& error) {
  constexpr std::array<std::string_view, 6> kFinal{
      "Neo.ClientError.Database.DatabaseNotFound",
      "Neo.ClientError.Transaction.InvalidBookmark",
      "Neo.ClientError.Transaction.InvalidBookmarkMixture",
      "Neo.ClientError.Statement.TypeError",
      "Neo.ClientError.Statement.ArgumentError",
      "Neo.ClientError.Request.Invalid"};
  if (error.kind() == ErrorKind::invalid || error.kind() == ErrorKind::unsupported) return true;
  if (error.kind() != ErrorKind::server) return false;
  bool security = error.code().starts_with("Neo.ClientError.Security.") &&
                  error.code() != "Neo.ClientError.Security.AuthorizationExpired";
  return security || std::find(kFinal.begin(), kFinal.end(), error.code()) != kFinal.end();
}

bool no_longer_writes(const cnx::Error& error) {
  return error.code() == "Neo.ClientError.Cluster.NotALeader" ||
         error.code() == "Neo.ClientError.General.ForbiddenOnReadOnlyDatabase";
}

bool is_gone(const cnx::Error& error) {
  return error.kind() == ErrorKind::unavailable || error.kind() == ErrorKind::timeout ||
         error.kind() == ErrorKind::malformed ||
         error.code() == "Neo.TransientError.General.DatabaseUnavailable";
}

}  // namespace

Router::Router(Options seed, PoolOptions pool_options)
    : seed_(std::move(seed)), seed_address_{seed_.host, seed_.port}, pool_options_(pool_options) {
  // The server echoes it into the table where it has no better name for itself.
  if (seed_.routing) seed_.routing_context.add("address", seed_address_.to_string());
}

const std::string& Router::database_of(const std::string& asked) const {
  return asked.empty() ? seed_.database : asked;
}

// Under the lock.
Router::PoolPointer Router::pool_of(const Address& address) {
  PoolPointer& pool = pools_[address.to_string()];
  if (pool == nullptr) {
    Options options = seed_;
    options.host = address.host;
    options.port = address.port;
    pool = std::make_shared<Pool>(std::move(options), pool_options_);
  }
  return pool;
}

// Under the lock. The addresses are not empty.
Router::PoolPointer Router::least_busy(const std::vector<Address>& addresses) {
  PoolPointer best;
  for (const Address& address : addresses) {
    PoolPointer pool = pool_of(address);
    if (best == nullptr || pool->in_use() < best->in_use()) best = std::move(pool);
  }
  return best;
}

Result<Lease> Router::acquire(const Access& access, cnx::TimePoint deadline) {
  PoolPointer pool;
  if (!seed_.routing) {
    std::lock_guard lock(mutex_);
    pool = pool_of(seed_address_);
  }
  if (pool != nullptr) return pool->acquire(deadline);

  // Every failure forgets a server, so this ends; the table that is then empty is refreshed once
  // more and no further.
  for (bool refreshed = false;;) {
    Address chosen;
    {
      std::lock_guard lock(mutex_);
      RoutingTable& table = tables_[database_of(access.database)];
      bool fresh = table.serves(access.mode, cnx::Clock::now());
      // A table just asked for is used to its last server, also when its routers were found to be
      // gone.
      if (fresh || (refreshed && table.expires > cnx::Clock::now() &&
                    !table.servers_for(access.mode).empty())) {
        pool = least_busy(table.servers_for(access.mode));
        chosen = pool->address();
      }
    }
    if (pool == nullptr) {
      if (refreshed)
        return cnx::fail(ErrorKind::unavailable, "no server of the cluster can be used for this");
      CNX_TRY(refresh(access, deadline));
      refreshed = true;
      continue;
    }
    Result<Lease> lease = pool->acquire(deadline);
    // A server whose connections are all lent out is busy, not gone.
    bool busy = pool->in_use() >= pool_options_.connections_max;
    if (lease || busy || !is_gone(lease.error())) return lease;
    forget(chosen);
    if (cnx::Clock::now() >= deadline) return lease;
    pool = nullptr;
  }
}

cnx::Status Router::refresh(const Access& access, cnx::TimePoint deadline) {
  const std::string& database = database_of(access.database);
  std::unique_lock lock(mutex_);
  auto free = [this] { return !refreshing_; };
  // A wait until the end of time would overflow in the library.
  if (deadline == cnx::kNever) {
    refreshed_.wait(lock, free);
  } else if (!refreshed_.wait_until(lock, deadline, free)) {
    return cnx::fail(ErrorKind::timeout, "the routing table did not come in time");
  }
  // Somebody else may have asked meanwhile.
  if (tables_[database].serves(access.mode, cnx::Clock::now())) return {};
  std::vector<Address> routers = tables_[database].routers;
  refreshing_ = true;
  lock.unlock();
  cnx::Status asked = ask_all(std::move(routers), access, deadline);
  lock.lock();
  refreshing_ = false;
  refreshed_.notify_all();
  return asked;
}

cnx::Status Router::ask_all(std::vector<Address> routers, const Access& access,
                            cnx::TimePoint deadline) {
  std::erase(routers, seed_address_);
  routers.push_back(seed_address_);
  cnx::Error last(ErrorKind::unavailable, "no router");
  auto left = static_cast<int>(routers.size());
  for (const Address& router : routers) {
    // Each has its share of the time, so that one that swallows packets does not take the others'.
    cnx::TimePoint now = cnx::Clock::now();
    cnx::TimePoint share =
        deadline == cnx::kNever ? now + kAskTimeout : now + (deadline - now) / left--;
    Result<RoutingTable> table = ask(router, access, std::min(share, now + kAskTimeout));
    if (table) {
      std::lock_guard lock(mutex_);
      tables_[database_of(access.database)] = *std::move(table);
      drop_unlisted();
      return {};
    }
    last = std::move(table).error();
    if (is_final(last)) break;
    forget(router);
  }
  return cnx::fail(std::move(last).wrap("asking for the routing table"));
}

Result<RoutingTable> Router::ask(const Address& router, const Access& access,
                                 cnx::TimePoint deadline) {
  PoolPointer pool;
  {
    std::lock_guard lock(mutex_);
    pool = pool_of(router);
  }
  CNX_TRY(Lease lease, pool->acquire(deadline));
  lease->route(seed_.routing_context, access.bookmarks, database_of(access.database));
  CNX_TRY(Reply reply, lease->await_reply(deadline));
  if (!reply.ok()) return cnx::fail(reply.failure.to_error());
  return RoutingTable::parse(reply.metadata, cnx::Clock::now());
}

void Router::report(const Lease& lease, const cnx::Error& error, const std::string& database) {
  if (!seed_.routing) return;
  if (is_gone(error)) {
    forget(lease.address());
  } else if (no_longer_writes(error)) {
    std::lock_guard lock(mutex_);
    tables_[database_of(database)].forget_writer(lease.address());
  }
}

void Router::forget(const Address& address) {
  std::lock_guard lock(mutex_);
  for (auto& [database, table] : tables_) table.forget(address);
  auto pool = pools_.find(address.to_string());
  if (pool != pools_.end()) pool->second->close_all();
}

// Under the lock: servers that left the cluster are not kept.
void Router::drop_unlisted() {
  auto listed = [this](const Address& address) {
    auto holds = [&address](const std::vector<Address>& list) {
      return std::find(list.begin(), list.end(), address) != list.end();
    };
    return address == seed_address_ ||
           std::any_of(tables_.begin(), tables_.end(), [&](const auto& entry) {
             return holds(entry.second.routers) || holds(entry.second.readers) ||
                    holds(entry.second.writers);
           });
  };
  std::erase_if(pools_, [&](const auto& entry) { return !listed(entry.second->address()); });
}

}  // namespace bolt
