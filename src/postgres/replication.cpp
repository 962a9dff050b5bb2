#include "postgres/replication.hpp"

#include <libpq-fe.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <string_view>
#include <utility>

#include "base/check.hpp"
#include "postgres/quote.hpp"

namespace cnx::postgres {
namespace {

constexpr int kOptionListSince = 150000;  // CREATE_REPLICATION_SLOT … (option value, …).
constexpr int kFailoverSince = 170000;
constexpr int kOriginSince = 160000;
constexpr int kProtocolMax = 4;

std::string_view text(const PGresult* result, int column) {
  if (PQntuples(result) < 1 || column >= PQnfields(result)) return {};
  return PQgetvalue(result, 0, column);
}

template <typename T>
std::optional<T> parse_number(std::string_view digits) {
  T value{};
  auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (error != std::errc{} || end != digits.data() + digits.size()) return std::nullopt;
  return value;
}

// Only for the server's view of us (pg_stat_replication.reply_time): nothing is decided by it.
int64_t microseconds_since_2000() {
  using namespace std::chrono;
  constexpr sys_days kEpoch = year(2000) / January / 1;
  return duration_cast<microseconds>(system_clock::now() - kEpoch).count();
}

// An answer comes in one piece, or a moment later.
constexpr Duration kRestOfAnswerMax = std::chrono::seconds(10);

Result<CreatedSlot> created_slot(const PGresult* result) {
  auto point = change::Lsn::parse(text(result, 1));
  if (!point) {
    return fail(ErrorKind::malformed, "the answer to CREATE_REPLICATION_SLOT has another form");
  }
  return CreatedSlot{*point, std::string(text(result, 2))};
}

}  // namespace

Bytes encode_status(const StatusUpdate& update, int64_t now_microseconds) {
  Bytes bytes;
  bytes.reserve(1 + 4 * sizeof(int64_t) + 1);
  ByteWriter out(bytes);
  out.write('r');
  out.write(update.written.value());
  out.write(update.flushed.value());
  out.write(update.applied.value());
  out.write(now_microseconds);
  out.write(static_cast<uint8_t>(update.reply_requested));
  return bytes;
}

Result<StreamMessage> decode_envelope(BytesView bytes) {
  ByteReader in(bytes);
  auto type = in.read<char>();
  if (type == 'w') {
    auto start = in.read<uint64_t>();
    if (in.read<uint64_t>() && in.read<int64_t>()) {
      WalData data{change::Buffer(nullptr, [](const void*) {}), bytes.subspan(in.position()),
                   change::Lsn(*start)};
      return data;
    }
  } else if (type == 'k') {
    auto wal_end = in.read<uint64_t>();
    auto sent = in.read<int64_t>();
    auto reply = in.read<uint8_t>();
    if (wal_end && sent && reply && in.empty()) {
      return KeepAlive{change::Lsn(*wal_end), *reply != 0};
    }
  }
  return fail(ErrorKind::malformed, "an envelope of the replication stream breaks its own format");
}

std::vector<TimelineSwitch> parse_timeline_history(std::string_view file) {
  std::vector<TimelineSwitch> history;
  while (!file.empty()) {
    const size_t end = std::min(file.find('\n'), file.size());
    std::string_view line = file.substr(0, end);
    file.remove_prefix(std::min(end + 1, file.size()));
    const size_t first = line.find('\t');
    if (first == std::string_view::npos) continue;
    const size_t second = std::min(line.find('\t', first + 1), line.size());
    auto timeline = parse_number<uint32_t>(line.substr(0, first));
    auto left_at = change::Lsn::parse(line.substr(first + 1, second - first - 1));
    if (timeline && left_at) history.push_back({*timeline, *left_at});
  }
  return history;
}

Result<ReplicationStream> ReplicationStream::open(const ConnectionOptions& options,
                                                  TimePoint deadline) {
  CNX_TRY(Connection connection, Connection::open(options, true, deadline));
  CNX_TRY(apply_session_settings(connection, options, deadline));
  return ReplicationStream(std::move(connection));
}

Result<SystemIdentity> ReplicationStream::identify_system(TimePoint deadline) {
  CNX_CHECK(!streaming_, "commands come before the stream");
  CNX_TRY(ResultPtr result, connection_.run("IDENTIFY_SYSTEM", deadline));
  auto system = parse_number<uint64_t>(text(result.get(), 0));
  auto timeline = parse_number<uint32_t>(text(result.get(), 1));
  auto wal_end = change::Lsn::parse(text(result.get(), 2));
  if (!system || !timeline || !wal_end) {
    return fail(ErrorKind::malformed, "the answer to IDENTIFY_SYSTEM has another form");
  }
  SystemIdentity identity{*system, *timeline, *wal_end, std::string(text(result.get(), 3)), 0, {}};
  CNX_TRY(ResultPtr database,
          connection_.run("SELECT oid FROM pg_catalog.pg_database WHERE datname = "
                          "pg_catalog.current_database()",
                          deadline));
  identity.database_oid = parse_number<int64_t>(text(database.get(), 0)).value_or(0);
  if (*timeline == 1) return identity;
  Result<ResultPtr> history = connection_.run("TIMELINE_HISTORY " + std::to_string(*timeline), deadline);
  // Its file may be gone: who needs it finds it missing.
  if (!history && history.error().kind() != ErrorKind::server) return fail(std::move(history.error()));
  if (history) identity.history = parse_timeline_history(text(history->get(), 1));
  return identity;
}

Result<CreatedSlot> ReplicationStream::create_slot(const CreateSlotOptions& options,
                                                   TimePoint deadline) {
  CNX_TRY(begin_create_slot(options));
  CNX_TRY(ResultPtr result, connection_.finish(deadline));
  return created_slot(result.get());
}

Status ReplicationStream::begin_create_slot(const CreateSlotOptions& options) {
  CNX_CHECK(!streaming_, "commands come before the stream");
  CNX_TRY(check_slot_name(options.name));
  if (options.failover && server_version() < kFailoverSince) {
    return fail(ErrorKind::unsupported, "failover slots need PostgreSQL 17");
  }
  std::string command = "CREATE_REPLICATION_SLOT " + quote_identifier(options.name) +
                        (options.temporary ? " TEMPORARY" : "") + " LOGICAL pgoutput";
  if (server_version() >= kOptionListSince) {
    command += options.export_snapshot ? " (SNAPSHOT 'export'" : " (SNAPSHOT 'nothing'";
    command += options.failover ? ", FAILOVER true)" : ")";
  } else {
    command += options.export_snapshot ? " EXPORT_SNAPSHOT" : " NOEXPORT_SNAPSHOT";
  }
  if (PQsendQuery(connection_.raw(), command.c_str()) == 0) {
    return fail(connection_.connection_error("cannot send to PostgreSQL"));
  }
  CNX_TRY(connection_.flush());
  return {};
}

Result<std::optional<CreatedSlot>> ReplicationStream::try_created_slot() {
  CNX_TRY(connection_.flush());
  CNX_TRY(connection_.consume());
  if (PQisBusy(connection_.raw()) != 0) return std::nullopt;
  CNX_TRY(ResultPtr result, connection_.finish(Clock::now() + kRestOfAnswerMax));
  CNX_TRY(CreatedSlot slot, created_slot(result.get()));
  return std::optional<CreatedSlot>(std::move(slot));
}

void ReplicationStream::cancel(TimePoint deadline) {
  std::unique_ptr<PGcancel, decltype(&PQfreeCancel)> request(PQgetCancel(connection_.raw()), PQfreeCancel);
  char refused[256];
  if (!request || PQcancel(request.get(), refused, sizeof refused) == 0) return;
  // Its answer is that it was cancelled, or what it had just done: either ends it.
  static_cast<void>(connection_.finish(deadline));
}

int32_t ReplicationStream::backend_pid() const { return PQbackendPID(connection_.raw()); }

Status ReplicationStream::drop_slot(const std::string& name, TimePoint deadline) {
  CNX_CHECK(!streaming_, "commands come before the stream");
  CNX_TRY(check_slot_name(name));
  CNX_TRY(connection_.run("DROP_REPLICATION_SLOT " + quote_identifier(name) + " WAIT", deadline));
  return {};
}

Status ReplicationStream::start(const StartOptions& options, TimePoint deadline) {
  CNX_CHECK(!streaming_, "a connection starts one stream");
  CNX_TRY(check_slot_name(options.slot));
  if (options.publications.empty()) return fail(ErrorKind::invalid, "no publication is named");
  if (options.protocol < 1 || options.protocol > kProtocolMax) {
    return fail(ErrorKind::invalid, "pgoutput's protocol is 1 to 4");
  }
  if (options.local_only && server_version() < kOriginSince) {
    return fail(ErrorKind::unsupported, "leaving out replicated changes needs PostgreSQL 16");
  }
  std::string command = "START_REPLICATION SLOT " + quote_identifier(options.slot) + " LOGICAL " +
                        options.from.to_string() + " (proto_version '" +
                        std::to_string(options.protocol) + "', publication_names " +
                        quote_literal(quote_names(options.publications));
  if (options.messages) command += ", messages 'true'";
  if (options.local_only) command += ", origin 'none'";
  command += ")";
  CNX_TRY(ResultPtr result, connection_.run(command, deadline));
  if (PQresultStatus(result.get()) != PGRES_COPY_BOTH) {
    return fail(ErrorKind::malformed, "the answer to START_REPLICATION has another form");
  }
  streaming_ = true;
  return {};
}

Result<std::optional<StreamMessage>> ReplicationStream::try_read() {
  CNX_CHECK(streaming_, "the stream was started");
  if (ended_) return end_stream();
  char* data = nullptr;
  int length = PQgetCopyData(connection_.raw(), &data, 1);
  if (length == 0) {
    CNX_TRY(connection_.consume());
    length = PQgetCopyData(connection_.raw(), &data, 1);
  }
  if (length == 0) return std::nullopt;
  if (length > 0) {
    change::Buffer buffer(data, [](const void* bytes) { PQfreemem(const_cast<void*>(bytes)); });
    CNX_TRY(StreamMessage message, decode_envelope(as_bytes({data, static_cast<size_t>(length)})));
    if (auto* wal = std::get_if<WalData>(&message)) wal->buffer = std::move(buffer);
    return message;
  }
  if (length == -2) return fail(connection_.connection_error("lost the replication stream"));
  ended_ = true;
  return end_stream();
}

// The stream has ended, well or not: the result behind it says which, and may still be under way.
Result<std::optional<StreamMessage>> ReplicationStream::end_stream() {
  if (PQisBusy(connection_.raw()) != 0) {
    CNX_TRY(connection_.consume());
    if (PQisBusy(connection_.raw()) != 0) return std::nullopt;
  }
  ResultPtr result(PQgetResult(connection_.raw()));
  if (result && PQresultStatus(result.get()) == PGRES_FATAL_ERROR) {
    return fail(connection_.error_of(result.get()));
  }
  return StreamEnd{};
}

Status ReplicationStream::send_status(const StatusUpdate& update) {
  CNX_CHECK(streaming_, "the stream was started");
  waiting_ = update;
  return flush();
}

Status ReplicationStream::flush() {
  if (waiting_ && !ended_) {
    Bytes bytes = encode_status(*waiting_, microseconds_since_2000());
    std::string_view raw = as_text(bytes);
    int put = PQputCopyData(connection_.raw(), raw.data(), static_cast<int>(raw.size()));
    if (put < 0) return fail(connection_.connection_error("lost the replication stream"));
    if (put > 0) waiting_.reset();
  }
  CNX_TRY(bool left, connection_.flush());
  wants_write_ = left || (waiting_ && !ended_);
  return {};
}

}  // namespace cnx::postgres
