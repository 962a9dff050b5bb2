#include "pipeline/slot_wait.hpp"

#include <fmt/format.h>

#include "pipeline/runner.hpp"
#include "telemetry/log.hpp"

namespace cnx::pipeline {
namespace {

// A slot in a server where nothing is open takes some milliseconds.
constexpr Duration kFirstWord = std::chrono::seconds(2);
// Then after so long, and each time after twice that, up to the last.
constexpr Duration kFirstPause = std::chrono::seconds(5);
constexpr Duration kLastPause = std::chrono::minutes(1);
constexpr Duration kLookMax = std::chrono::seconds(5);
constexpr Duration kCancelMax = std::chrono::seconds(5);
constexpr std::string_view kInsufficientPrivilege = "42501";
constexpr int kFailoverSlotsSince = 170000;

// A transaction that wrote holds the lock of its own number; those who wait for its end wait for that lock. Savepoints
// have numbers of their own, so a session may come several times.
constexpr std::string_view kOpenTransactions =
    "WITH waited AS (SELECT transactionid FROM pg_catalog.pg_locks WHERE pid = $1 AND NOT granted "
    "AND locktype = 'transactionid') "
    "SELECT NULL::text AS gid, l.pid, a.usename::text AS usename, a.application_name, a.datname::text AS datname, "
    "extract(epoch FROM pg_catalog.clock_timestamp() - a.xact_start)::int8 AS seconds, "
    "bool_or(l.transactionid IN (SELECT transactionid FROM waited)) AS waited "
    "FROM pg_catalog.pg_locks l LEFT JOIN pg_catalog.pg_stat_activity a ON a.pid = l.pid "
    "WHERE l.locktype = 'transactionid' AND l.granted AND l.mode = 'ExclusiveLock' AND l.pid IS NOT NULL AND l.pid <> $1 "
    "GROUP BY 1, 2, 3, 4, 5, 6 "
    "UNION ALL SELECT p.gid, 0, p.owner::text, '', p.database::text, "
    "extract(epoch FROM pg_catalog.clock_timestamp() - p.prepared)::int8, "
    "p.transaction IN (SELECT transactionid FROM waited) FROM pg_catalog.pg_prepared_xacts p "
    "ORDER BY waited DESC, seconds DESC NULLS LAST LIMIT 10";

std::string describe_one(const OpenTransaction& transaction) {
  std::string facts;
  auto add = [&](std::string_view name, const std::string& value) {
    if (!value.empty()) facts += fmt::format("{}{} {}", facts.empty() ? "" : ", ", name, value);
  };
  const bool prepared = !transaction.gid.empty();
  add(prepared ? "owner" : "user", transaction.user);
  add("application", transaction.application);
  add("database", transaction.database);
  if (transaction.seconds) {
    add(prepared ? "prepared" : "open for", fmt::format("{} s{}", *transaction.seconds, prepared ? " ago" : ""));
  } else {
    facts += facts.empty() ? "" : ", ";
    facts += "since when is shown to members of pg_read_all_stats";
  }
  if (prepared) return fmt::format("prepared transaction '{}' ({})", transaction.gid, facts);
  return fmt::format("pid {} ({})", transaction.pid, facts);
}

// Looks from a session of its own, since the one that makes the slot is busy. What it cannot learn it leaves unsaid: the
// slot does not depend on it.
class Watch {
 public:
  Watch(const PipelineOptions& options, int32_t walsender_pid) : options_(options), pid_(walsender_pid) {}

  std::string whom() {
    TimePoint deadline = Clock::now() + kLookMax;
    if (!session_) {
      Result<postgres::Session> opened = open_session(options_, deadline);
      if (!opened) return "transactions that cannot be looked at: " + opened.error().describe();
      session_ = std::move(*opened);
    }
    Result<std::vector<OpenTransaction>> open = read_open_transactions(*session_, pid_, deadline);
    if (open) return pipeline::describe(*open);
    session_.reset();
    return "transactions that cannot be looked at: " + open.error().describe();
  }

 private:
  const PipelineOptions& options_;
  const int32_t pid_;
  std::optional<postgres::Session> session_;
};

Error gave_up(const PipelineOptions& options, const std::string& whom) {
  auto seconds = std::chrono::duration_cast<std::chrono::seconds>(options.slot_wait_max).count();
  return Error(ErrorKind::state, "the slot could not be made: PostgreSQL waited for " + whom)
      .with("slot", options.slot())
      .with("seconds", std::to_string(seconds))
      .advise("let them end (SELECT pg_terminate_backend(PID) ends a session, COMMIT PREPARED or ROLLBACK PREPARED 'GID' a "
              "prepared transaction), then run again; capture.slot_wait_seconds_max gives them more time");
}

}  // namespace

Result<std::vector<OpenTransaction>> read_open_transactions(postgres::Session& session, int32_t walsender_pid,
                                                            TimePoint deadline) {
  CNX_TRY(postgres::Rows rows, session.query(kOpenTransactions, {std::to_string(walsender_pid)}, deadline));
  std::vector<OpenTransaction> open;
  for (size_t i = 0; i < rows.size(); ++i) {
    OpenTransaction transaction;
    transaction.gid = std::string(rows.text(i, 0));
    CNX_TRY(transaction.pid, rows.integer(i, 1));
    transaction.user = std::string(rows.text(i, 2));
    transaction.application = std::string(rows.text(i, 3));
    transaction.database = std::string(rows.text(i, 4));
    if (!rows.is_null(i, 5)) {
      CNX_TRY(transaction.seconds, rows.integer(i, 5));
    }
    CNX_TRY(transaction.waited_for, rows.boolean(i, 6));
    open.push_back(std::move(transaction));
  }
  return open;
}

std::string describe(const std::vector<OpenTransaction>& transactions) {
  std::string waited;
  std::string others;
  for (const OpenTransaction& transaction : transactions) {
    std::string& list = transaction.waited_for ? waited : others;
    list += (list.empty() ? "" : ", ") + describe_one(transaction);
  }
  if (waited.empty() && others.empty()) return "transactions that have just ended";
  if (waited.empty()) return "one of these: " + others;
  return others.empty() ? waited : waited + "; also open: " + others;
}

Result<postgres::CreatedSlot> make_slot(postgres::ReplicationStream& stream, const PipelineOptions& options,
                                        StopRequest& stop) {
  // Without standbys it changes nothing.
  const bool failover = options.slot_failover == "on" ||
                        (options.slot_failover == "auto" && stream.server_version() >= kFailoverSlotsSince);
  CNX_TRY(stream.begin_create_slot({.name = options.slot(), .failover = failover}));
  const TimePoint begun = Clock::now();
  const TimePoint give_up = begun + options.slot_wait_max;
  TimePoint next_word = begun + kFirstWord;
  Duration pause = kFirstPause;
  Watch watch(options, stream.backend_pid());
  while (true) {
    stop.waker.arm();
    if (!stop.asked) {
      wait_for(stop.waker, stream::Step::wait_until(std::min(give_up, next_word)).on(stream.fd(), true, false));
    }
    stop.waker.disarm();
    if (stop.asked) {
      stream.cancel(Clock::now() + kCancelMax);
      return fail(ErrorKind::unavailable, "stopped before the slot was made");
    }
    CNX_TRY(std::optional<postgres::CreatedSlot> made, stream.try_created_slot());
    if (made) return *std::move(made);
    if (Clock::now() >= give_up) {
      std::string whom = watch.whom();
      stream.cancel(Clock::now() + kCancelMax);
      return fail(gave_up(options, whom));
    }
    if (Clock::now() >= next_word) {
      const std::string whom = watch.whom();
      telemetry::log_warning("slot_wait", fmt::format("making the slot {}: PostgreSQL waits for {}", options.slot(), whom),
                             {{"slot", options.slot()}, {"waits_for", whom}});
      next_word = Clock::now() + pause;
      pause = std::min(pause * 2, kLastPause);
    }
  }
}

Status end_unfinished_slot(postgres::Session& session, const std::string& slot, TimePoint deadline) {
  // Until a slot is whole it has no position to go on from.
  Status ended = session.execute(
      "SELECT pg_catalog.pg_terminate_backend(active_pid) FROM pg_catalog.pg_replication_slots "
      "WHERE slot_name = $1 AND active AND confirmed_flush_lsn IS NULL",
      {slot}, deadline);
  // Another role's process is that role's to end: it is waited for.
  if (!ended && ended.error().root().code() == kInsufficientPrivilege) return {};
  return ended;
}

}  // namespace cnx::pipeline
