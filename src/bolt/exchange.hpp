// The conversation with one server after the handshake, without I/O: requests become bytes to send,
// bytes received become replies, paired in order. The connection moves the bytes; who asks decides
// what a reply means.
//
// Pipelining: any number of requests may be queued. After a FAILURE the server ignores what follows
// until RESET.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "bolt/chunk.hpp"
#include "bolt/options.hpp"
#include "bolt/packstream.hpp"
#include "bolt/value.hpp"
#include "bolt/version.hpp"

namespace bolt {

// The requests by their tags on the wire.
enum class Request : uint8_t {
  hello = 0x01,
  goodbye = 0x02,
  reset = 0x0F,
  run = 0x10,
  begin = 0x11,
  commit = 0x12,
  rollback = 0x13,
  discard = 0x2F,
  pull = 0x3F,
  route = 0x66,
  logon = 0x6A,
  logoff = 0x6B,
};
std::string_view to_string(Request request);

// What the server said about a failure. Classify by `code`; `gql_status` is often 50N42 (unknown)
// on 5.26.
struct Failure {
  std::string code;  // "Neo.ClientError.Statement.SyntaxError".
  std::string message;
  std::string gql_status;  // Empty before 5.7.
  // ErrorKind::server with the code.
  cnx::Error to_error() const;
};

struct Reply {
  enum class Outcome { success, failure, ignored };
  Request request = Request::hello;
  Outcome outcome = Outcome::success;
  std::vector<List> records;  // Of PULL: what came before the outcome, also before a failure.
  Map metadata;               // Of success.
  Failure failure;            // Of failure.

  bool ok() const { return outcome == Outcome::success; }
  // PULL and DISCARD: the result is not at its end; ask again.
  bool has_more() const;
};

// One thread, movable.
class Exchange {
 public:
  Exchange(Version version, const Options& options);

  // Bytes that go out in front of the first message: the handshake's last words.
  void prefix(cnx::BytesView bytes) { out_.insert(out_.end(), bytes.begin(), bytes.end()); }

  // Each queues one request; nothing is sent yet. `packed_parameters` is one packed map; it is
  // copied.
  void hello(const Options& options);
  void logon(const Auth& auth);  // From 5.1 on; before, HELLO carries it.
  void logoff();
  void begin(const TransactionOptions& transaction);
  void run(std::string_view query, cnx::BytesView packed_parameters);
  // Auto-commit: commits when its result has been read to the end.
  void run(std::string_view query, cnx::BytesView packed_parameters,
           const TransactionOptions& transaction);
  // `count` records at most, -1 for all.
  void pull(int64_t count);
  void discard(int64_t count);
  void commit();
  void rollback();
  // Cancels what stands before it and was not answered. Only one may be outstanding.
  void reset();
  void route(const Map& context, const std::vector<std::string>& bookmarks,
             std::string_view database);
  // No reply comes: the server closes.
  void goodbye();

  // Bytes to send; valid until the next call that is not const.
  cnx::BytesView outgoing() const { return cnx::BytesView(out_).subspan(sent_); }
  void sent(size_t count);

  // Takes all of `bytes`. malformed: what no server of this protocol says, or more than the limits;
  // the exchange is then over. Replies completed before it can still be taken.
  cnx::Status receive(cnx::BytesView bytes);
  std::optional<Reply> take_reply();

  // Requests that have no reply yet (replies that wait to be taken do not count).
  size_t outstanding() const { return requests_.size(); }
  bool replies_waiting() const { return !replies_.empty(); }
  // A failure was received and no RESET has succeeded since.
  bool failed() const { return failed_; }
  Version version() const { return dialect_.version; }
  // The UTC patch of 4.4 becomes part of it when the server grants it.
  Dialect dialect() const { return dialect_; }

 private:
  void queue(Request request, cnx::BytesView head, cnx::BytesView body = {},
             cnx::BytesView tail = {});
  void run_message(std::string_view query, cnx::BytesView packed_parameters,
                   const TransactionOptions* transaction);
  void stream_message(Request request, int64_t count);
  void bare_message(Request request);
  cnx::Status accept(cnx::BytesView message);
  cnx::Status accept_record(Structure&& message, size_t bytes);
  cnx::Status accept_summary(Structure&& message);
  void finish(Reply::Outcome outcome);

  Dialect dialect_;
  Features features_;
  std::string database_;
  size_t reply_bytes_max_;
  cnx::Bytes out_;
  size_t sent_ = 0;
  cnx::Bytes scratch_;
  Dechunker dechunker_;
  std::deque<Request> requests_;
  std::deque<Reply> replies_;
  Reply current_;
  size_t current_bytes_ = 0;
  bool failed_ = false;
};

}  // namespace bolt
