#include "bolt/connection.hpp"

#include <algorithm>

#include "base/check.hpp"
#include "bolt/packstream.hpp"
#include "bolt/socket.hpp"

namespace bolt {
namespace {

using cnx::ErrorKind;
using cnx::Result;

constexpr size_t kReadBytes = size_t{64} << 10;
// What one pump() reads at most: a stage does a bounded piece of work a step.
constexpr size_t kPumpBytesMax = size_t{1} << 20;

}  // namespace

Connection::Connection(std::unique_ptr<Transport> transport, Exchange exchange, cnx::TimePoint now)
    : transport_(std::move(transport)),
      exchange_(std::move(exchange)),
      last_heard_(now),
      incoming_(kReadBytes) {}

Connection::~Connection() {
  if (transport_ != nullptr) close();
}

Connection& Connection::operator=(Connection&& other) noexcept {
  if (this == &other) return *this;
  if (transport_ != nullptr) close();
  transport_ = std::move(other.transport_);
  exchange_ = std::move(other.exchange_);
  server_ = std::move(other.server_);
  error_ = std::move(other.error_);
  last_heard_ = other.last_heard_;
  owed_since_now_ = other.owed_since_now_;
  incoming_ = std::move(other.incoming_);
  closed_ = other.closed_;
  return *this;
}

void Connection::about_to_queue() {
  if (exchange_.outstanding() == 0) owed_since_now_ = true;
}

void Connection::begin(const TransactionOptions& transaction) {
  about_to_queue();
  exchange_.begin(transaction);
}
void Connection::run(std::string_view query, cnx::BytesView packed_parameters) {
  about_to_queue();
  exchange_.run(query, packed_parameters);
}
void Connection::run(std::string_view query, cnx::BytesView packed_parameters,
                     const TransactionOptions& transaction) {
  about_to_queue();
  exchange_.run(query, packed_parameters, transaction);
}
void Connection::pull(int64_t count) {
  about_to_queue();
  exchange_.pull(count);
}
void Connection::discard_all() {
  about_to_queue();
  exchange_.discard(-1);
}
void Connection::commit() {
  about_to_queue();
  exchange_.commit();
}
void Connection::rollback() {
  about_to_queue();
  exchange_.rollback();
}
void Connection::reset() {
  about_to_queue();
  exchange_.reset();
}
void Connection::route(const Map& context, const std::vector<std::string>& bookmarks,
                       std::string_view database) {
  about_to_queue();
  exchange_.route(context, bookmarks, database);
}

bool Connection::wants_write() const {
  return !exchange_.outgoing().empty() || transport_->wants_write();
}

cnx::TimePoint Connection::silence_deadline() const {
  if (!server_.recv_timeout || exchange_.outstanding() == 0 || owed_since_now_) return cnx::kNever;
  return last_heard_ + *server_.recv_timeout;
}

Result<bool> Connection::pump(cnx::TimePoint now) {
  if (error_) return cnx::fail(*error_);
  if (owed_since_now_) {
    last_heard_ = now;
    owed_since_now_ = false;
  }
  Result<bool> wrote = write_some();
  // Also after a failed write: what the server said before it closed tells why.
  Result<bool> read = read_some(now);
  if (!read) return cnx::fail(lose(std::move(read).error()));
  if (!wrote && !*read) return cnx::fail(lose(std::move(wrote).error()));
  if (now >= silence_deadline()) {
    return cnx::fail(
        lose(cnx::Error(ErrorKind::timeout, "Neo4j was silent for " +
                                                std::to_string(server_.recv_timeout->count()) +
                                                " s although it owed an answer")));
  }
  return (wrote && *wrote) || *read;
}

Result<bool> Connection::write_some() {
  bool moved = false;
  while (!exchange_.outgoing().empty()) {
    CNX_TRY(auto count, transport_->write(exchange_.outgoing()));
    if (!count) break;
    exchange_.sent(*count);
    moved = true;
  }
  return moved;
}

Result<bool> Connection::read_some(cnx::TimePoint now) {
  size_t total = 0;
  while (total < kPumpBytesMax) {
    CNX_TRY(auto count, transport_->read(incoming_));
    if (!count) break;
    if (*count == 0) return cnx::fail(ErrorKind::unavailable, "Neo4j closed the connection");
    last_heard_ = now;
    total += *count;
    CNX_TRY(exchange_.receive(cnx::BytesView(incoming_).first(*count)));
  }
  return total > 0;
}

cnx::Error Connection::lose(cnx::Error error) {
  error_ = std::move(error).with("server", server_.address);
  transport_->close();
  return *error_;
}

Result<Reply> Connection::await_reply(cnx::TimePoint deadline) {
  while (true) {
    if (auto reply = take_reply()) return *std::move(reply);
    CNX_CHECK(exchange_.outstanding() > 0 || error_,
              "a reply is awaited only where a request was made");
    Result<bool> moved = pump(cnx::Clock::now());
    if (exchange_.replies_waiting()) continue;
    if (!moved) return cnx::fail(std::move(moved).error());
    if (*moved) continue;
    cnx::Status ready = wait_for(fd(), wants_write(), std::min(deadline, silence_deadline()));
    if (ready) continue;
    // The server's silence is pump()'s to tell.
    if (cnx::Clock::now() < deadline) continue;
    return cnx::fail(lose(std::move(ready).error()));
  }
}

cnx::Status Connection::recover(cnx::TimePoint deadline) {
  reset();
  // Whatever was cancelled is answered first.
  while (true) {
    CNX_TRY(Reply reply, await_reply(deadline));
    if (reply.request != Request::reset) continue;
    if (reply.ok()) return {};
    return cnx::fail(
        lose(cnx::Error(ErrorKind::malformed, "RESET was refused: " + reply.failure.message)));
  }
}

void Connection::close() {
  if (std::exchange(closed_, true)) return;
  if (!error_) {
    exchange_.goodbye();
    // Lost or not, nothing follows from it.
    static_cast<void>(write_some());
    error_ = cnx::Error(ErrorKind::unavailable, "the connection was closed on this side");
  }
  transport_->close();
}

}  // namespace bolt
