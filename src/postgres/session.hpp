// One connection to PostgreSQL for SQL: catalog reads, the snapshot's COPY, what the engine
// records. It speaks text only, under the settings of cases.md R5. It does not know what the rows
// mean.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "change/event.hpp"
#include "postgres/connection.hpp"
#include "postgres/options.hpp"

namespace cnx::postgres {

// The whole answer to one statement. Views are valid while it lives. Any thread may read it.
class Rows {
 public:
  explicit Rows(ResultPtr result) : result_(std::move(result)) {}

  size_t size() const;
  bool empty() const { return size() == 0; }
  size_t columns() const;
  // The first column of that name.
  std::optional<size_t> column(std::string_view name) const;
  std::string_view column_name(size_t column) const;

  bool is_null(size_t row, size_t column) const;
  // Empty for NULL.
  std::string_view text(size_t row, size_t column) const;
  // nullopt for NULL.
  std::optional<std::string_view> value(size_t row, size_t column) const;
  // NULL or another type's text is ErrorKind::malformed.
  Result<int64_t> integer(size_t row, size_t column) const;
  Result<bool> boolean(size_t row, size_t column) const;
  // The elements of a text[]; NULL inside is malformed.
  Result<std::vector<std::string>> texts(size_t row, size_t column) const;
  Result<change::Oid> oid(size_t row, size_t column) const;
  Result<change::Lsn> lsn(size_t row, size_t column) const;

  // Rows that INSERT, UPDATE, DELETE, COPY … touched.
  uint64_t affected() const;

 private:
  ResultPtr result_;
};

// In text form; nullopt is NULL. Types are inferred by PostgreSQL: write $1::uuid[] where it
// cannot.
using Parameters = std::vector<std::optional<std::string>>;

// One line of COPY … TO STDOUT in text form, with its line feed, still escaped (copy_text.hpp
// decodes it in place).
struct CopyRow {
  change::Buffer buffer;  // Owns the line's bytes; moving it keeps their address.
  std::span<char> line;
};
struct CopyWouldBlock {};
struct CopyEnd {
  uint64_t rows = 0;
};
using CopyRead = std::variant<CopyRow, CopyWouldBlock, CopyEnd>;

struct Notification {
  std::string channel;
  std::string payload;
  int32_t sender_pid = 0;
};

// One thread. Movable. Error kinds of every call: server (code is the SQLSTATE; message has its
// detail, advice its hint), unavailable (connection lost, or the server is leaving), timeout. After
// unavailable and timeout the session is of no more use, since an answer may still be under way:
// open another.
class Session {
 public:
  // Connects and sets R5. Also: invalid (connection string), unsupported (database in SQL_ASCII),
  // state (a setting did not take). Blocks until `deadline`.
  static Result<Session> open(const ConnectionOptions& options, TimePoint deadline);

  // One statement with parameters. Blocks until `deadline`.
  Result<Rows> query(std::string_view sql, const Parameters& parameters, TimePoint deadline);
  Result<Rows> query(std::string_view sql, TimePoint deadline) { return query(sql, {}, deadline); }
  // The same where the rows do not matter.
  Status execute(std::string_view sql, const Parameters& parameters, TimePoint deadline);
  // Without parameters, and then also several statements in one text (one transaction, unless they
  // say otherwise).
  Status execute(std::string_view sql, TimePoint deadline);

  // Begins COPY … TO STDOUT (text form only). Until try_read_copy() has given CopyEnd or an error,
  // no other call is allowed. Blocks until `deadline`.
  Status start_copy(std::string_view sql, TimePoint deadline);
  // Does not block; CopyWouldBlock says to wait until fd() is readable.
  Result<CopyRead> try_read_copy();

  // COPY … FROM STDIN (text form): the lines, each with its line feed, all or none. Blocks until `deadline`.
  Status write_copy(std::string_view sql, std::string_view lines, TimePoint deadline);

  // What LISTEN brought. Does not block; nullopt: none now, wait until fd() is readable.
  Result<std::optional<Notification>> try_read_notification();

  // Blocks until fd() is readable.
  Status wait_readable(TimePoint deadline) { return connection_.wait_readable(deadline); }
  int fd() const { return connection_.fd(); }
  // A BEGIN is open (also a failed one).
  bool in_transaction() const;
  // As server_version_num: 150018.
  int server_version() const { return connection_.server_version(); }
  // The server process, as pg_stat_activity.pid.
  int32_t backend_pid() const;

 private:
  explicit Session(Connection connection) : connection_(std::move(connection)) {}

  Result<CopyRead> end_copy();

  Connection connection_;
  bool copying_ = false;
  bool copy_data_ended_ = false;
  ResultPtr copy_result_;
};

}  // namespace cnx::postgres
