#include "bolt/pool.hpp"

#include <condition_variable>
#include <deque>
#include <mutex>

#include "base/check.hpp"

namespace bolt {

using cnx::ErrorKind;
using cnx::Result;

struct Idle {
  std::unique_ptr<Connection> connection;
  cnx::TimePoint opened;
  cnx::TimePoint since;
};

struct Lease::Shared {
  const Options options;
  const PoolOptions pool_options;
  mutable std::mutex mutex;
  std::condition_variable given_back;
  std::deque<Idle>
      idle;  // The latest last: it is lent first, so that what is not needed grows old.
  size_t lent = 0;
  // When all were closed last: what was opened before is not kept.
  cnx::TimePoint closed_at = cnx::TimePoint::min();

  Shared(Options connection_options, PoolOptions of_pool)
      : options(std::move(connection_options)), pool_options(of_pool) {}

  // Waits until another may be lent, and counts it. Null: none is idle.
  Result<std::unique_ptr<Idle>> reserve(cnx::TimePoint deadline) {
    std::unique_lock lock(mutex);
    auto free = [this] { return lent < pool_options.connections_max; };
    // A wait until the end of time would overflow in the library.
    if (deadline == cnx::kNever) {
      given_back.wait(lock, free);
    } else if (!given_back.wait_until(lock, deadline, free)) {
      return cnx::fail(ErrorKind::timeout, "all " + std::to_string(pool_options.connections_max) +
                                               " connections to Neo4j were in use");
    }
    ++lent;
    return take_idle();
  }

  std::unique_ptr<Idle> next_idle() {
    std::lock_guard lock(mutex);
    return take_idle();
  }

  // Under the lock. Null: none is idle.
  std::unique_ptr<Idle> take_idle() {
    if (idle.empty()) return nullptr;
    auto taken = std::make_unique<Idle>(std::move(idle.back()));
    idle.pop_back();
    return taken;
  }

  void release() {
    {
      std::lock_guard lock(mutex);
      --lent;
    }
    given_back.notify_one();
  }

  void keep(Idle returned) {
    bool clean = returned.connection->alive() && returned.connection->outstanding() == 0 &&
                 !returned.connection->replies_waiting();
    std::lock_guard lock(mutex);
    // Closing what is not kept happens outside, by the destruction of `returned`.
    if (clean && returned.opened > closed_at) idle.push_back(std::move(returned));
  }

  // Whether an idle connection may be lent. Talks to the server where it was idle for long or
  // failed before.
  bool usable(const Idle& candidate, cnx::TimePoint now, cnx::TimePoint deadline) const {
    if (now - candidate.opened >= pool_options.lifetime_max) return false;
    // Whatever the server sent meanwhile is its farewell.
    if (!candidate.connection->pump(now)) return false;
    if (!candidate.connection->failed() && now - candidate.since < pool_options.check_after)
      return true;
    return candidate.connection->recover(deadline).has_value();
  }
};

Lease::Lease(std::shared_ptr<Shared> pool, std::unique_ptr<Connection> connection,
             cnx::TimePoint opened)
    : pool_(std::move(pool)), connection_(std::move(connection)), opened_(opened) {}

Lease& Lease::operator=(Lease&& other) noexcept {
  if (this == &other) return *this;
  give_back();
  pool_ = std::move(other.pool_);
  connection_ = std::move(other.connection_);
  opened_ = other.opened_;
  return *this;
}

Lease::~Lease() {
  give_back();
}

void Lease::give_back() {
  if (connection_ == nullptr) return;
  pool_->keep(Idle{std::move(connection_), opened_, cnx::Clock::now()});
  pool_->release();
  pool_ = nullptr;
}

Pool::Pool(Options options, PoolOptions pool_options)
    : shared_(std::make_shared<Lease::Shared>(std::move(options), pool_options)) {
  CNX_CHECK(pool_options.connections_max > 0, "a pool lends at least one connection");
}

Pool& Pool::operator=(Pool&& other) noexcept {
  if (shared_ != nullptr && this != &other) close_all();
  shared_ = std::move(other.shared_);
  return *this;
}

Pool::~Pool() {
  if (shared_ != nullptr) close_all();
}

Result<Lease> Pool::acquire(cnx::TimePoint deadline) {
  CNX_TRY(auto taken, shared_->reserve(deadline));
  while (taken != nullptr) {
    if (shared_->usable(*taken, cnx::Clock::now(), deadline)) {
      return Lease(shared_, std::move(taken->connection), taken->opened);
    }
    taken = shared_->next_idle();
  }
  Result<Connection> opened = Connection::open(shared_->options, deadline);
  if (!opened) {
    shared_->release();
    return cnx::fail(std::move(opened).error());
  }
  return Lease(shared_, std::make_unique<Connection>(*std::move(opened)), cnx::Clock::now());
}

Address Lease::address() const {
  return {pool_->options.host, pool_->options.port};
}

Address Pool::address() const {
  return {shared_->options.host, shared_->options.port};
}

size_t Pool::in_use() const {
  std::lock_guard lock(shared_->mutex);
  return shared_->lent;
}

void Pool::close_all() {
  std::deque<Idle> closing;  // Closed after the lock is let go.
  std::lock_guard lock(shared_->mutex);
  closing.swap(shared_->idle);
  shared_->closed_at = cnx::Clock::now();
}

}  // namespace bolt
