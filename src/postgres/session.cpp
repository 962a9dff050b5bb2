#include "postgres/session.hpp"

#include <libpq-fe.h>

#include <charconv>
#include <utility>

#include "base/check.hpp"
#include "postgres/text_array.hpp"

namespace cnx::postgres {
namespace {

template <typename T>
std::optional<T> parse_number(std::string_view text) {
  T value{};
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

tl::unexpected<Error> not_a(std::string_view type, std::string_view column) {
  return fail(ErrorKind::malformed,
              "column " + std::string(column) + " of the answer is not a " + std::string(type));
}

}  // namespace

size_t Rows::size() const {
  return static_cast<size_t>(PQntuples(result_.get()));
}
size_t Rows::columns() const {
  return static_cast<size_t>(PQnfields(result_.get()));
}

std::optional<size_t> Rows::column(std::string_view name) const {
  for (size_t i = 0; i < columns(); ++i) {
    if (column_name(i) == name) return i;
  }
  return std::nullopt;
}

std::string_view Rows::column_name(size_t column) const {
  const char* name = PQfname(result_.get(), static_cast<int>(column));
  return name == nullptr ? std::string_view{} : std::string_view(name);
}

bool Rows::is_null(size_t row, size_t column) const {
  return PQgetisnull(result_.get(), static_cast<int>(row), static_cast<int>(column)) != 0;
}

std::string_view Rows::text(size_t row, size_t column) const {
  CNX_CHECK(row < size() && column < columns(), "an answer is read inside its rows and columns");
  int r = static_cast<int>(row);
  int c = static_cast<int>(column);
  return {PQgetvalue(result_.get(), r, c), static_cast<size_t>(PQgetlength(result_.get(), r, c))};
}

std::optional<std::string_view> Rows::value(size_t row, size_t column) const {
  if (is_null(row, column)) return std::nullopt;
  return text(row, column);
}

Result<int64_t> Rows::integer(size_t row, size_t column) const {
  auto number = parse_number<int64_t>(text(row, column));
  if (!number) return not_a("number", column_name(column));
  return *number;
}

Result<bool> Rows::boolean(size_t row, size_t column) const {
  std::string_view word = text(row, column);
  if (word != "t" && word != "f") return not_a("boolean", column_name(column));
  return word == "t";
}

Result<std::vector<std::string>> Rows::texts(size_t row, size_t column) const {
  std::string_view array = text(row, column);
  auto shape = shape_of_array(array, ',');
  if (!shape || !shape->flat || shape->nulls) return not_a("text array", column_name(column));
  std::vector<std::string> elements;
  elements.reserve(shape->items);
  ArrayItems items(array, ',');
  for (size_t i = 0; i < shape->items; ++i) elements.emplace_back(items.next());
  return elements;
}

Result<change::Oid> Rows::oid(size_t row, size_t column) const {
  auto number = parse_number<uint32_t>(text(row, column));
  if (!number) return not_a("oid", column_name(column));
  return change::Oid(*number);
}

Result<change::Lsn> Rows::lsn(size_t row, size_t column) const {
  auto lsn = change::Lsn::parse(text(row, column));
  if (!lsn) return not_a("LSN", column_name(column));
  return *lsn;
}

uint64_t Rows::affected() const {
  return parse_number<uint64_t>(PQcmdTuples(result_.get())).value_or(0);
}

Result<Session> Session::open(const ConnectionOptions& options, TimePoint deadline) {
  CNX_TRY(Connection connection, Connection::open(options, false, deadline));
  CNX_TRY(apply_session_settings(connection, options, deadline));
  return Session(std::move(connection));
}

Result<Rows> Session::query(std::string_view sql, const Parameters& parameters,
                            TimePoint deadline) {
  CNX_CHECK(!copying_, "a session that copies runs no other statement");
  std::vector<const char*> values;
  values.reserve(parameters.size());
  for (const auto& parameter : parameters) {
    if (parameter && parameter->find('\0') != std::string::npos) {
      return fail(ErrorKind::invalid, "PostgreSQL holds no text with a NUL character");
    }
    values.push_back(parameter ? parameter->c_str() : nullptr);
  }
  std::string statement(sql);
  if (PQsendQueryParams(connection_.raw(), statement.c_str(), static_cast<int>(values.size()),
                        nullptr, values.data(), nullptr, nullptr, 0) == 0) {
    return fail(connection_.connection_error("cannot send to PostgreSQL"));
  }
  CNX_TRY(ResultPtr result, connection_.finish(deadline));
  return Rows(std::move(result));
}

Status Session::execute(std::string_view sql, const Parameters& parameters, TimePoint deadline) {
  CNX_TRY(query(sql, parameters, deadline));
  return {};
}

Status Session::execute(std::string_view sql, TimePoint deadline) {
  CNX_CHECK(!copying_, "a session that copies runs no other statement");
  CNX_TRY(connection_.run(std::string(sql), deadline));
  return {};
}

Status Session::start_copy(std::string_view sql, TimePoint deadline) {
  CNX_CHECK(!copying_, "a session that copies runs no other statement");
  CNX_TRY(ResultPtr result, connection_.run(std::string(sql), deadline));
  if (PQresultStatus(result.get()) != PGRES_COPY_OUT) {
    return fail(ErrorKind::invalid, "the statement is not a COPY … TO STDOUT");
  }
  copying_ = true;
  if (PQbinaryTuples(result.get()) != 0) {
    return fail(ErrorKind::unsupported, "COPY is read in text form only");
  }
  return {};
}

Status Session::write_copy(std::string_view sql, std::string_view lines, TimePoint deadline) {
  CNX_CHECK(!copying_, "a session that copies runs no other statement");
  return connection_.copy_in(std::string(sql), lines, deadline);
}

Result<CopyRead> Session::try_read_copy() {
  CNX_CHECK(copying_, "a COPY was started");
  if (copy_data_ended_) return end_copy();
  char* data = nullptr;
  int length = PQgetCopyData(connection_.raw(), &data, 1);
  if (length == 0) {
    CNX_TRY(connection_.consume());
    length = PQgetCopyData(connection_.raw(), &data, 1);
  }
  if (length == 0) return CopyWouldBlock{};
  if (length > 0) {
    change::Buffer buffer(data, [](const void* bytes) { PQfreemem(const_cast<void*>(bytes)); });
    return CopyRow{std::move(buffer), {data, static_cast<size_t>(length)}};
  }
  if (length == -2) return fail(connection_.connection_error("lost the connection to PostgreSQL"));
  copy_data_ended_ = true;
  return end_copy();
}

// The data has ended, well or not: the results behind it say which, and may still be under way.
Result<CopyRead> Session::end_copy() {
  for (;;) {
    if (PQisBusy(connection_.raw()) != 0) {
      CNX_TRY(connection_.consume());
      if (PQisBusy(connection_.raw()) != 0) return CopyWouldBlock{};
    }
    ResultPtr next(PQgetResult(connection_.raw()));
    if (!next) break;
    if (!copy_result_ || PQresultStatus(copy_result_.get()) != PGRES_FATAL_ERROR) {
      copy_result_ = std::move(next);
    }
  }
  copying_ = false;
  copy_data_ended_ = false;
  ResultPtr result = std::move(copy_result_);
  if (!result) return fail(connection_.connection_error("lost the connection to PostgreSQL"));
  if (PQresultStatus(result.get()) != PGRES_COMMAND_OK) {
    return fail(connection_.error_of(result.get()));
  }
  return CopyEnd{Rows(std::move(result)).affected()};
}

Result<std::optional<Notification>> Session::try_read_notification() {
  CNX_TRY(connection_.consume());
  PGnotify* raw = PQnotifies(connection_.raw());
  if (raw == nullptr) return std::nullopt;
  Notification notification{raw->relname, raw->extra, raw->be_pid};
  PQfreemem(raw);
  return notification;
}

bool Session::in_transaction() const {
  return PQtransactionStatus(connection_.raw()) != PQTRANS_IDLE;
}

int32_t Session::backend_pid() const {
  return PQbackendPID(connection_.raw());
}

}  // namespace cnx::postgres
