// A connection to one Neo4j server: TCP (or TLS), handshake and log-in, then requests and replies.
// Everything above uses this; retries, statements and their meaning are decided there.
//
// Two ways to use it. Set-up work asks one thing at a time and blocks (`query`). The apply stage
// queues a whole transaction
// (`begin`, `run`, `pull_all`, …, `commit`), lets `pump` move it without blocking, and takes the
// replies in order.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.hpp"
#include "base/clock.hpp"
#include "base/result.hpp"
#include "bolt/exchange.hpp"
#include "bolt/options.hpp"
#include "bolt/transport.hpp"
#include "bolt/value.hpp"

namespace bolt {

struct ServerInfo {
  std::string agent;  // "Neo4j/5.26.28".
  Version version;    // Of the protocol.
  std::string connection_id;
  std::string address;  // "host:port" as it was dialled.
  // From 5.8 on: the address it wants to be called by; else empty.
  std::string advertised_address;
  // How long it may be silent while it owes an answer (it sends NOOPs in between); none before 4.3.
  std::optional<std::chrono::seconds> recv_timeout;
  // Nothing but ALTER CURRENT USER SET PASSWORD on database `system` will be accepted.
  bool credentials_expired = false;
};

// One whole result.
struct QueryResult {
  std::vector<std::string> fields;
  std::vector<List> records;
  Map stats;             // "nodes-created", …; empty where nothing changed.
  std::string bookmark;  // Of the transaction that the query was.
};

// One thread, movable. Destruction closes the socket; an open transaction is then rolled back by
// the server.
class Connection {
 public:
  // Connects, agrees on a version and logs in, by `deadline` (resolving a host name is the system's
  // and may take longer). unavailable: no address answered, or the connection was lost; timeout;
  // server: it refused, with its code (Neo.ClientError.Security.Unauthorized); unsupported: no
  // common version; malformed; invalid: the TLS options.
  static cnx::Result<Connection> open(const Options& options, cnx::TimePoint deadline);
  // Over a transport that is connected already (tests; tunnels).
  static cnx::Result<Connection> open_over(std::unique_ptr<Transport> transport,
                                           const Options& options, cnx::TimePoint deadline);
  Connection(Connection&&) noexcept = default;
  Connection& operator=(Connection&& other) noexcept;
  ~Connection();

  const ServerInfo& server() const { return server_; }

  // Pipelining. Each queues one request and returns at once.
  // Behind anything that may still fail, wait for its reply first: after a FAILURE, Neo4j answers
  // BEGIN by closing the connection.
  void begin(const TransactionOptions& transaction);
  // `packed_parameters`: one packed map (A0 for none), encoded beforehand; copied. Query and
  // parameters must be UTF-8.
  void run(std::string_view query, cnx::BytesView packed_parameters);
  // Auto-commit. It commits when its result has been pulled or discarded to the end, not before.
  void run(std::string_view query, cnx::BytesView packed_parameters,
           const TransactionOptions& transaction);
  // In a transaction, pull or discard every result to its end before commit(): what was not asked
  // for is not executed.
  void pull_all() { pull(-1); }
  void pull(int64_t count);
  void discard_all();
  void commit();
  void rollback();
  // After a failure: the server ignores everything until then. In front of the end of a query it
  // cancels that. Queue one only when none is outstanding.
  void reset();
  void route(const Map& context, const std::vector<std::string>& bookmarks,
             std::string_view database);

  // Writes what the socket takes and reads what is there, never blocks. true: something moved (call
  // again before waiting on fd()). After an error (unavailable, malformed, or timeout: the server
  // owed an answer and was silent for longer than recv_timeout) the connection is over and says the
  // same again; replies that came before can still be taken.
  cnx::Result<bool> pump(cnx::TimePoint now);
  // In the order of the requests.
  std::optional<Reply> take_reply() { return exchange_.take_reply(); }
  bool replies_waiting() const { return exchange_.replies_waiting(); }
  // Requests without a reply so far.
  size_t outstanding() const { return exchange_.outstanding(); }
  // For poll(2): readable always, writable where wants_write().
  int fd() const { return transport_->fd(); }
  bool wants_write() const;
  // When pump() would report the server's silence; kNever while nothing is owed.
  cnx::TimePoint silence_deadline() const;
  // A failure is not yet recovered by reset().
  bool failed() const { return exchange_.failed(); }
  // No error ended it so far.
  bool alive() const { return !error_.has_value(); }

  // Blocking, for one thing at a time; nothing may be outstanding.
  //
  // Auto-commit: sends RUN and PULL, returns the whole result. `parameters` is a map (or null for
  // none). A failure of the server is recovered by RESET and comes back as ErrorKind::server with
  // its code. invalid: parameters that are no map or text that is not UTF-8. After timeout,
  // unavailable or malformed the connection is over.
  cnx::Result<QueryResult> query(std::string_view text, const Value& parameters,
                                 cnx::TimePoint deadline,
                                 const TransactionOptions& transaction = {});
  // Waits for the reply to the oldest request, whatever its outcome.
  cnx::Result<Reply> await_reply(cnx::TimePoint deadline);
  // RESET and its reply: recovers from a failure, and is the check of life of a pooled connection.
  cnx::Status recover(cnx::TimePoint deadline);
  // Says GOODBYE as far as that goes without blocking, and closes.
  void close();

 private:
  Connection(std::unique_ptr<Transport> transport, Exchange exchange, cnx::TimePoint now);
  cnx::Status log_in(const Options& options, cnx::TimePoint deadline);
  void read_log_in(const Reply& reply);
  void about_to_queue();
  cnx::Result<bool> write_some();
  cnx::Result<bool> read_some(cnx::TimePoint now);
  cnx::Error lose(cnx::Error error);

  std::unique_ptr<Transport> transport_;
  Exchange exchange_;
  ServerInfo server_;
  std::optional<cnx::Error> error_;
  cnx::TimePoint last_heard_;
  bool owed_since_now_ =
      false;  // The first request after quiet: silence counts from the next pump().
  cnx::Bytes incoming_;
  bool closed_ = false;
};

}  // namespace bolt
