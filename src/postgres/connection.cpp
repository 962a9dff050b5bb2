#include "postgres/connection.hpp"

#include <libpq-fe.h>
#include <poll.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include "postgres/conninfo.hpp"

namespace cnx::postgres {
namespace {

// libpq ends its messages with a line feed and puts further facts on further lines.
std::string one_line(std::string_view text) {
  std::string out;
  for (char c : text) {
    if (c == '\n' || c == '\t' || c == '\r') c = ' ';
    if (c == ' ' && (out.empty() || out.back() == ' ')) continue;
    out += c;
  }
  while (!out.empty() && out.back() == ' ') out.pop_back();
  return out;
}

// The server is there but has no place for us now, or is leaving: for us the same as not being
// there.
bool means_unavailable(std::string_view sqlstate) {
  return sqlstate.starts_with("08") || sqlstate == "57P01" || sqlstate == "57P02" ||
         sqlstate == "57P03" || sqlstate == "57P05" || sqlstate == "53300";
}

// libpq gives no SQLSTATE for a refused log-in except in its verbose text: "FATAL:  28P01: password
// …". The word before the colon is in the server's language.
std::string sqlstate_in_verbose_text(std::string_view text) {
  constexpr std::string_view kGap = ":  ";
  for (size_t at = text.find(kGap); at != std::string_view::npos; at = text.find(kGap, at + 1)) {
    std::string_view code = text.substr(at + kGap.size(), 5);
    if (code.size() < 5 || text.substr(at + kGap.size() + 5, 2) != ": ") continue;
    bool valid = true;
    for (char c : code) valid = valid && ((c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z'));
    if (valid) return std::string(code);
  }
  return {};
}

void ignore_notice(void*, const PGresult*) {}  // libpq would write it to standard error.

std::string_view field(const PGresult* result, int code) {
  const char* text = result == nullptr ? nullptr : PQresultErrorField(result, code);
  return text == nullptr ? std::string_view{} : std::string_view(text);
}

// The options as they stand now, with nothing left to ask.
Result<ConnectionOptions> read_secrets(const ConnectionOptions& options) {
  ConnectionOptions read = options;
  read.read_conninfo = nullptr;
  read.read_password = nullptr;
  if (options.read_conninfo) {
    CNX_TRY(read.conninfo, options.read_conninfo());
  }
  if (options.read_password) {
    CNX_TRY(read.password, options.read_password());
  }
  return read;
}

}  // namespace

void ResultDeleter::operator()(pg_result* result) const {
  PQclear(result);
}
void Connection::Deleter::operator()(pg_conn* connection) const {
  PQfinish(connection);
}

Result<Connection> Connection::open(const ConnectionOptions& options, bool replication,
                                    TimePoint deadline) {
  if (options.read_conninfo || options.read_password) {
    CNX_TRY(ConnectionOptions read, read_secrets(options));
    return open(read, replication, deadline);
  }
  CNX_TRY(ConnectionParameters parameters, parse_conninfo(options, replication));
  std::vector<const char*> keywords;
  std::vector<const char*> values;
  for (size_t i = 0; i < parameters.keywords.size(); ++i) {
    keywords.push_back(parameters.keywords[i].c_str());
    values.push_back(parameters.values[i].c_str());
  }
  keywords.push_back(nullptr);
  values.push_back(nullptr);

  Connection connection;
  connection.secrets_ = std::move(parameters.secrets);
  connection.connection_.reset(PQconnectStartParams(keywords.data(), values.data(), 0));
  if (!connection.connection_) return fail(ErrorKind::internal, "libpq has no memory");
  PGconn* raw = connection.raw();
  if (const char* password = PQpass(raw)) {  // It may come from PGPASSWORD or a password file.
    for (Secret& form : secret_forms(password)) connection.secrets_.push_back(std::move(form));
  }
  PQsetErrorVerbosity(raw, PQERRORS_VERBOSE);
  PQsetNoticeReceiver(raw, ignore_notice, nullptr);
  CNX_TRY(connection.handshake(deadline));
  PQsetErrorVerbosity(raw, PQERRORS_DEFAULT);
  if (PQsetnonblocking(raw, 1) != 0) return fail(connection.connection_error("connecting"));
  return connection;
}

Status Connection::handshake(TimePoint deadline) {
  constexpr std::string_view kDoing = "cannot connect to PostgreSQL";
  if (PQstatus(raw()) == CONNECTION_BAD) return fail(connection_error(kDoing));
  for (PostgresPollingStatusType next = PGRES_POLLING_WRITING;; next = PQconnectPoll(raw())) {
    if (next == PGRES_POLLING_OK) return {};
    if (next == PGRES_POLLING_FAILED) return fail(connection_error(kDoing));
    CNX_TRY(poll_socket(next == PGRES_POLLING_READING ? POLLIN : POLLOUT, deadline));
  }
}

int Connection::fd() const {
  return PQsocket(connection_.get());
}
int Connection::server_version() const {
  return PQserverVersion(connection_.get());
}

Status Connection::poll_socket(short events, TimePoint deadline) const {
  for (;;) {
    pollfd waiting{fd(), events, 0};
    int ready = ::poll(&waiting, 1, poll_timeout(deadline, Clock::now()));
    if (ready > 0) return {};
    if (ready == 0) return fail(ErrorKind::timeout, "PostgreSQL did not answer in time");
    if (errno != EINTR) {
      return fail(ErrorKind::unavailable, std::string("poll: ") + std::strerror(errno));
    }
  }
}

Status Connection::consume() {
  if (PQconsumeInput(raw()) == 0)
    return fail(connection_error("lost the connection to PostgreSQL"));
  return {};
}

Result<bool> Connection::flush() {
  int left = PQflush(raw());
  if (left < 0) return fail(connection_error("lost the connection to PostgreSQL"));
  return left > 0;
}

Status Connection::wait_readable(TimePoint deadline) {
  return poll_socket(POLLIN, deadline);
}

Status Connection::wait_result(TimePoint deadline) {
  for (;;) {
    CNX_TRY(bool waiting_to_send, flush());
    if (PQisBusy(raw()) == 0) return {};
    CNX_TRY(poll_socket(waiting_to_send ? POLLIN | POLLOUT : POLLIN, deadline));
    CNX_TRY(consume());
  }
}

Result<ResultPtr> Connection::finish(TimePoint deadline) {
  ResultPtr kept;
  for (;;) {
    CNX_TRY(wait_result(deadline));
    ResultPtr next(PQgetResult(raw()));
    if (!next) break;
    ExecStatusType status = PQresultStatus(next.get());
    if (status == PGRES_COPY_OUT || status == PGRES_COPY_BOTH) return next;
    if (status == PGRES_COPY_IN) {
      PQputCopyEnd(raw(), "this statement is not used with data");
      continue;
    }
    if (kept && PQresultStatus(kept.get()) == PGRES_FATAL_ERROR) continue;
    kept = std::move(next);
  }
  if (!kept) return fail(connection_error("PostgreSQL gave no result"));
  ExecStatusType status = PQresultStatus(kept.get());
  if (status == PGRES_FATAL_ERROR || status == PGRES_BAD_RESPONSE) {
    return fail(error_of(kept.get()));
  }
  return kept;
}

Result<ResultPtr> Connection::run(const std::string& sql, TimePoint deadline) {
  if (PQsendQuery(raw(), sql.c_str()) == 0) {
    return fail(connection_error("cannot send to PostgreSQL"));
  }
  return finish(deadline);
}

// What libpq cannot send yet it keeps, so that the whole is held once more: whoever calls bounds it.
Status Connection::copy_in(const std::string& sql, std::string_view data, TimePoint deadline) {
  constexpr std::string_view kDoing = "cannot send to PostgreSQL";
  if (PQsendQuery(raw(), sql.c_str()) == 0) return fail(connection_error(kDoing));
  CNX_TRY(wait_result(deadline));
  ResultPtr begun(PQgetResult(raw()));
  if (!begun || PQresultStatus(begun.get()) != PGRES_COPY_IN) {
    Error error = begun ? error_of(begun.get()) : connection_error("PostgreSQL gave no result");
    while (begun) {
      CNX_TRY(wait_result(deadline));
      begun.reset(PQgetResult(raw()));
    }
    return fail(std::move(error));
  }
  // 0: no memory.
  if (PQputCopyData(raw(), data.data(), static_cast<int>(data.size())) <= 0 || PQputCopyEnd(raw(), nullptr) <= 0) {
    return fail(connection_error(kDoing));
  }
  CNX_TRY(finish(deadline));
  return {};
}

Error Connection::error_of(const PGresult* result) const {
  std::string code(field(result, PG_DIAG_SQLSTATE));
  if (code.empty()) return connection_error("lost the connection to PostgreSQL");
  std::string message(field(result, PG_DIAG_MESSAGE_PRIMARY));
  if (auto detail = field(result, PG_DIAG_MESSAGE_DETAIL); !detail.empty()) {
    message += ": " + std::string(detail);
  }
  ErrorKind kind = means_unavailable(code) ? ErrorKind::unavailable : ErrorKind::server;
  Error error(kind, std::move(code), scrub(one_line(message), secrets_));
  if (auto hint = field(result, PG_DIAG_MESSAGE_HINT); !hint.empty()) {
    return std::move(error).advise(scrub(one_line(hint), secrets_));
  }
  return error;
}

Error Connection::connection_error(std::string_view doing) const {
  std::string text = PQerrorMessage(raw());
  std::string code = sqlstate_in_verbose_text(text);
  bool server = !code.empty() && !means_unavailable(code);
  // The verbose form ends with a line about the server's source code.
  if (size_t location = text.find("\nLOCATION:"); location != std::string::npos) {
    text.resize(location);
  }
  std::string said = scrub(one_line(text), secrets_);
  return Error(server ? ErrorKind::server : ErrorKind::unavailable, std::move(code),
               std::string(doing) + (said.empty() ? "" : ": " + said));
}

}  // namespace cnx::postgres
