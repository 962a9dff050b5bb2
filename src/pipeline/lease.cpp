#include "pipeline/lease.hpp"

#include <fmt/format.h>

#include "pipeline/copy.hpp"
#include "pipeline/ground.hpp"
#include "telemetry/log.hpp"

namespace cnx::pipeline {
namespace {

constexpr Duration kStepMax = std::chrono::seconds(30);
// `run --once` waits so long for another instance to end.
constexpr Duration kOwnerMax = std::chrono::seconds(30);
// Who waits looks so often.
constexpr Duration kLook = std::chrono::milliseconds(250);
// The holder says so often that it is alive.
constexpr Duration kBeat = std::chrono::seconds(1);
// And so soon how far it is in step, where that has changed.
constexpr Duration kNews = std::chrono::milliseconds(200);
constexpr std::string_view kInsufficientPrivilege = "42501";

TimePoint soon() { return Clock::now() + kStepMax; }

// The locks of the pipeline $1 in this database, of the class $2.
constexpr std::string_view kLocks =
    "FROM pg_catalog.pg_locks l JOIN pg_catalog.pg_stat_activity a ON a.pid = l.pid WHERE l.locktype = 'advisory' AND l.granted "
    "AND a.datname = pg_catalog.current_database() AND l.database = a.datid AND l.classid::pg_catalog.int8 = $2::pg_catalog.int8 "
    "AND l.objid::pg_catalog.int8 = pg_catalog.hashtext($1)::pg_catalog.int8 & 4294967295";

}  // namespace

void HolderSilence::look(std::string sign, TimePoint now) {
  const Duration since = std::min<Duration>(now - looked_at_, 2 * kLook);
  looked_at_ = now;
  if (sign != sign_ || sign.empty()) {
    sign_ = std::move(sign);
    lasted_ = {};
    return;
  }
  lasted_ += since;
}

Result<bool> Lease::take() {
  if (session_ && check()) {
    CNX_TRY(bool ours, is_ours());
    if (!ours) note_loss(Error(ErrorKind::unavailable, "the pipeline's lock is lost"));
  }
  if (!session_ || !check()) CNX_TRY(lock());
  if (stop_.asked || !is_new_) return is_new_;
  CNX_TRY(postgres::Session other, open_session(options_, soon()));
  CNX_TRY(end_former_reader(other, options_, pid_, soon()));
  return std::exchange(is_new_, false);
}

Status Lease::lock() {
  if (session_) former_pid_ = std::to_string(pid_);
  release();
  CNX_TRY(postgres::Session session, open_session(options_, soon()));
  CNX_TRY(postgres::Rows rows, session.query("SELECT pg_catalog.pg_is_in_recovery()", soon()));
  CNX_TRY(bool standby, rows.boolean(0, 0));
  if (standby) {
    return fail(Error(ErrorKind::unavailable, "PostgreSQL is a standby here: waiting until it is promoted")
                    .advise("or give the URL of the primary"));
  }
  CNX_TRY(wait_for_lock(session));
  if (!stop_.asked) start(std::move(session));
  return {};
}

Status Lease::wait_for_lock(postgres::Session& session) {
  const TimePoint give_up = run_options_.once ? Clock::now() + kOwnerMax : kNever;
  HolderSilence silence;
  for (bool said = false; !stop_.asked; said = true) {
    CNX_TRY(postgres::Rows rows, session.query("SELECT pg_catalog.pg_try_advisory_lock($1, pg_catalog.hashtext($2))",
                                               {std::to_string(kOwnerLockClass), options_.name}, soon()));
    CNX_TRY(bool locked, rows.boolean(0, 0));
    if (locked) {
      if (said) telemetry::log_info("taking_over", fmt::format("the pipeline {} is free: taking over", options_.name));
      return {};
    }
    CNX_TRY(std::optional<Holder> holder, read_holder(session));
    // Our own session that we lost may not be over for the server.
    if (holder && holder->pid == former_pid_) {
      CNX_TRY(end_silent(session, *holder));
    } else if (holder && stood_still_) {
      return fail(Error(ErrorKind::state, "this process stood still, and another instance has taken over the pipeline")
                      .with("pid", holder->pid)
                      .advise("the other one goes on; start this one again and it waits as a standby"));
    }
    if (Clock::now() >= give_up) {
      return fail(Error(ErrorKind::state, "the pipeline is running already").with("pipeline", options_.name));
    }
    if (!said) {
      telemetry::log_info("standby", fmt::format("pipeline {} is running already; waiting to take over", options_.name));
      figures_.set(telemetry::Activity::standby);
    }
    silence.look(holder ? holder->sign : std::string(), Clock::now());
    if (holder && silence.lasted() >= run_options_.takeover) {
      const double seconds = std::chrono::duration<double>(silence.lasted()).count();
      telemetry::log_warning("holder_silent",
                             fmt::format("whoever runs the pipeline {} (pid {}) has given no sign of life for {:.0f} s: ending its session",
                                         options_.name, holder->pid, seconds),
                             {{"pid", holder->pid}, {"seconds", seconds}});
      CNX_TRY(end_silent(session, *holder));
      silence = {};
      continue;
    }
    pause(stop_, kLook);
  }
  return {};
}

// What it does last is shown to its own role (and to pg_read_all_stats).
Result<std::optional<Lease::Holder>> Lease::read_holder(postgres::Session& session) {
  CNX_TRY(postgres::Rows rows,
          session.query("SELECT l.pid, coalesce(l.pid || ' ' || a.state_change::text, '') " + std::string(kLocks),
                        {options_.name, std::to_string(kOwnerLockClass)}, soon()));
  if (rows.empty()) return std::optional<Holder>();
  return std::optional(Holder{std::string(rows.text(0, 0)), std::string(rows.text(0, 1))});
}

// Unless it has moved since.
Status Lease::end_silent(postgres::Session& session, const Holder& holder) {
  Status ended = session.execute("SELECT pg_catalog.pg_terminate_backend(l.pid) " + std::string(kLocks) +
                                     " AND l.pid || ' ' || a.state_change::text = $3",
                                 {options_.name, std::to_string(kOwnerLockClass), holder.sign}, soon());
  // Of another role: it is waited for.
  if (!ended && ended.error().root().code() == kInsufficientPrivilege) return {};
  return ended;
}

void Lease::start(postgres::Session session) {
  session_.emplace(std::move(session));
  pid_ = session_->backend_pid();
  is_new_ = true;
  former_pid_.clear();
  lost_.reset();
  stood_still_ = false;
  alive_at_ = Clock::now();
  thread_ = std::jthread([this](const std::stop_token& stop) { beat(stop); });
}

void Lease::release() {
  thread_ = {};  // Asks it to stop, and joins.
  session_.reset();
}

Status Lease::check() const {
  std::lock_guard lock(mutex_);
  if (lost_) return fail(*lost_);
  return {};
}

Result<bool> Lease::is_ours() const {
  CNX_TRY(postgres::Session session, open_session(options_, soon()));
  CNX_TRY(postgres::Rows rows, session.query("SELECT " + holds_lock_sql("$1", "$2"), {options_.name, std::to_string(pid_)}, soon()));
  return rows.boolean(0, 0);
}

void Lease::note_loss(Error error) {
  std::lock_guard lock(mutex_);
  if (lost_) return;
  lost_ = std::move(error);
  stood_still_ = Clock::now() - alive_at_ >= run_options_.takeover;
}

void Lease::say_in_step(change::Lsn lsn) {
  std::lock_guard lock(mutex_);
  if (lsn == in_step_) return;
  in_step_ = lsn;
  changed_.notify_all();
}

void Lease::beat(const std::stop_token& stop) {
  change::Lsn said;
  while (true) {
    {
      std::unique_lock lock(mutex_);
      changed_.wait_until(lock, stop, alive_at_ + kNews, [] { return false; });
      changed_.wait_until(lock, stop, alive_at_ + kBeat, [&] { return in_step_ != said; });
      said = in_step_;
    }
    if (stop.stop_requested()) return;
    // An answer may be read long after it came: a process that stood still in between was alive when it asked.
    const TimePoint asked = Clock::now();
    Status alive = session_->execute("SET application_name = 'contextnexus in step with " + said.to_string() + "'", soon());
    if (!alive) {
      note_loss(std::move(alive.error()).wrap("holding the pipeline's lock"));
      stop_.waker.wake();
      return;
    }
    std::lock_guard lock(mutex_);
    alive_at_ = asked;
  }
}

std::string holds_lock_sql(std::string_view name, std::string_view pid) {
  return "EXISTS (SELECT FROM pg_catalog.pg_locks l JOIN pg_catalog.pg_database d ON d.oid = l.database WHERE d.datname = "
         "pg_catalog.current_database() AND l.locktype = 'advisory' AND l.granted AND l.classid::pg_catalog.int8 = " +
         std::to_string(kOwnerLockClass) + " AND l.objid::pg_catalog.int8 = pg_catalog.hashtext(" + std::string(name) +
         ")::pg_catalog.int8 & 4294967295 AND l.pid = " + std::string(pid) + "::pg_catalog.int4)";
}

Status end_former_reader(postgres::Session& session, const PipelineOptions& options, int32_t lease_pid, TimePoint deadline) {
  Status ended = session.execute(
      "SELECT pg_catalog.pg_terminate_backend(a.pid) FROM pg_catalog.pg_replication_slots s JOIN pg_catalog.pg_stat_activity a "
      "ON a.pid = s.active_pid WHERE s.slot_name = $1 AND a.usename = current_user AND a.application_name = $2 AND " +
          holds_lock_sql("$3", "$4"),
      {options.slot(), options.postgres.application_name, options.name, std::to_string(lease_pid)}, deadline);
  if (!ended && ended.error().root().code() == kInsufficientPrivilege) return {};
  return ended;
}

Status end_former_transactions(bolt::Connection& graph, const PipelineOptions& options) {
  Result<bolt::QueryResult> open = graph.query(
      "CYPHER 5 SHOW TRANSACTIONS YIELD transactionId, metaData WHERE metaData.app = 'contextnexus' AND metaData.pipeline = "
      "$pipeline RETURN collect(transactionId)",
      bolt::Map{{"pipeline", options.name}}, soon());
  if (!open && open.error().kind() != ErrorKind::server) return fail(std::move(open.error()));
  if (!open || open->records.empty() || open->records.front().empty()) return {};
  const bolt::Value& names = open->records.front().front();
  const auto* list = names.get_if<bolt::List>();
  if (list == nullptr || list->empty()) return {};
  telemetry::log_info("former_transactions",
                      fmt::format("ending {} transactions in Neo4j that an instance before has left open", list->size()),
                      {{"transactions", list->size()}});
  Result<bolt::QueryResult> ended =
      graph.query("CYPHER 5 TERMINATE TRANSACTIONS $names", bolt::Map{{"names", *list}}, soon());
  if (!ended && ended.error().kind() != ErrorKind::server) return fail(std::move(ended.error()));
  return {};
}

void free_slot(postgres::Session& session, const PipelineOptions& options, int32_t lease_pid, TimePoint deadline) {
  Status freed = end_former_reader(session, options, lease_pid, deadline);
  if (freed) return;
  telemetry::log({telemetry::Level::debug, "slot_not_freed", "the slot's reader could not be ended: " + freed.error().describe(),
                  telemetry::fields_of(freed.error())});
}

}  // namespace cnx::pipeline
