// One libpq connection, driven without blocking: every wait is a poll(2) with a deadline. Session
// and ReplicationStream stand on it; it knows SQLSTATE and secrets, and nothing of rows or
// messages.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "postgres/options.hpp"

struct pg_conn;
struct pg_result;

namespace cnx::postgres {

struct ResultDeleter {
  void operator()(pg_result* result) const;
};
using ResultPtr = std::unique_ptr<pg_result, ResultDeleter>;

// One thread. Movable. After ErrorKind::unavailable or ErrorKind::timeout it is of no more use:
// open another.
class Connection {
 public:
  // Connects and returns when the server has accepted us. Blocks until `deadline` at most, but for
  // the look-up of a host name, which the system's resolver bounds. Kinds: invalid (the connection
  // string), unavailable, timeout, server.
  static Result<Connection> open(const ConnectionOptions& options, bool replication,
                                 TimePoint deadline);

  pg_conn* raw() const { return connection_.get(); }
  int fd() const;
  // As server_version_num: 150018.
  int server_version() const;

  // Runs what PQsend… put under way and returns its last result; blocks until `deadline`. A COPY
  // result ends the wait at once, with the copy under way.
  Result<ResultPtr> finish(TimePoint deadline);
  // The whole of a simple query: the last of its results, or the first error.
  Result<ResultPtr> run(const std::string& sql, TimePoint deadline);

  // A COPY … FROM STDIN with all of its data; blocks until `deadline`.
  Status copy_in(const std::string& sql, std::string_view data, TimePoint deadline);

  // Blocks until a result can be taken without blocking.
  Status wait_result(TimePoint deadline);
  // Blocks until the socket is readable.
  Status wait_readable(TimePoint deadline);
  // Takes what the socket has. Does not block.
  Status consume();
  // Sends what is queued: true when some of it is still waiting for the socket. Does not block.
  Result<bool> flush();

  // The error of a result that failed, or of the connection where the result has no SQLSTATE.
  // Secrets are scrubbed.
  Error error_of(const pg_result* result) const;
  Error connection_error(std::string_view doing) const;

 private:
  struct Deleter {
    void operator()(pg_conn* connection) const;
  };

  Connection() = default;
  Status handshake(TimePoint deadline);
  Status poll_socket(short events, TimePoint deadline) const;

  std::unique_ptr<pg_conn, Deleter> connection_;
  std::vector<Secret> secrets_;
};

// Sets what a text value depends on (cases.md R5), whatever the role, the database or the server
// say, and reads it back; ErrorKind::state where a setting did not take, ErrorKind::unsupported for
// a database in SQL_ASCII.
Status apply_session_settings(Connection& connection, const ConnectionOptions& options,
                              TimePoint deadline);

}  // namespace cnx::postgres
