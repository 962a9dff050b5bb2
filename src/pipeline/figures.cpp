#include "pipeline/figures.hpp"

#include <algorithm>

#include <fmt/format.h>

#include <chrono>

#include "postgres/quote.hpp"
#include "telemetry/log.hpp"

namespace cnx::pipeline {
namespace {

using telemetry::Activity;

// A failure that was met longer ago than any back-off is over.
constexpr Duration kTroubleMax = std::chrono::seconds(30);
// At the start of a page the log's end lies behind the page's header, which a walsender does not count: access/xlog_internal.h,
// SizeOfXLogLongPHD.
constexpr uint64_t kPageHeader = 40;

int64_t now_microseconds() {
  return std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::system_clock::now().time_since_epoch()).count();
}

// The two servers' clocks may differ: what was committed in the future has no age.
double seconds_since(int64_t microseconds, int64_t now) {
  return static_cast<double>(std::max<int64_t>(now - microseconds, 0)) / 1e6;
}

void log_batch(const apply::Batch& batch, double seconds) {
  if (!telemetry::logs(telemetry::Level::trace)) return;
  const std::string position = batch.to.position.to_string();
  telemetry::log({.level = telemetry::Level::trace,
                  .name = "batch",
                  .message = fmt::format("applied {} rows of {} transactions up to {} in {:.3f} s", batch.rows,
                                         batch.transactions, position, seconds),
                  .fields = {{"position", position},
                             {"rows", batch.rows},
                             {"transactions", batch.transactions},
                             {"seconds", seconds},
                             {"correlation_id", batch.correlation_id}}});
}

}  // namespace

std::string_view to_string(Side side) {
  switch (side) {
    case Side::source: return "postgresql";
    case Side::graph: return "neo4j";
    case Side::start: return "start";
  }
  return "start";
}

Figures::Figures(const telemetry::TelemetryOptions& options)
    : commit_to_visible(telemetry::lag_bounds()),
      transaction(telemetry::lag_bounds()),
      options_(options),
      began_(now_microseconds()) {
  tables.limit(options.tables_max);
  tenants.limit(options.tenants_max);
}

void Figures::set(Activity activity, std::string why) {
  std::lock_guard lock(mutex_);
  activity_ = activity;
  why_ = std::move(why);
  if (activity == Activity::streaming) works_again(Side::start);
  // Stages that were ended from outside say nothing of it.
  const bool stages_run = activity == Activity::streaming || activity == Activity::copying || activity == Activity::stopping;
  if (stages_run) return;
  capture.connected = false;
  lane.connected = false;
}

void Figures::set_audit_trouble(std::string why) {
  std::lock_guard lock(mutex_);
  audit_trouble_ = std::move(why);
}

void Figures::retry(Side side, const std::string& what, const Error& error, Duration wait) {
  const auto milliseconds = std::chrono::duration_cast<std::chrono::milliseconds>(wait).count();
  const std::string text = error.describe();
  std::lock_guard lock(mutex_);
  Failures& failures = of(side);
  ++failures.count;
  failures.last = what + ": " + text;
  failures.last_at = Clock::now();
  failures.heard = capture.heard;
  const std::optional<telemetry::Repeat> repeat = failures.repeats.occur(failures.last, failures.last_at);
  if (!repeat) return;
  std::string message = fmt::format("{}: {}; trying again in {} ms", what, text, milliseconds);
  if (repeat->times > 0) {
    message += fmt::format("; {} more failures in the {} s before", repeat->times,
                           std::chrono::duration_cast<std::chrono::seconds>(repeat->within).count());
  }
  std::vector<telemetry::Field> fields = telemetry::fields_of(error);
  fields.emplace_back("side", to_string(side));
  fields.emplace_back("wait_milliseconds", milliseconds);
  fields.emplace_back("unsaid", repeat->times);
  telemetry::log_warning("retry", std::move(message), std::move(fields));
}

// With the lock.
void Figures::works_again(Side side) {
  const uint64_t failures = of(side).repeats.over();
  of(side).last.clear();
  if (failures == 0) return;
  constexpr std::array kNames = {"PostgreSQL", "Neo4j", "the start"};
  telemetry::log_info("recovered", fmt::format("{} works again, after {} failures", kNames[static_cast<size_t>(side)], failures),
                      {{"side", to_string(side)}, {"failures", failures}});
}

void Figures::applied(const apply::Batch& batch, Duration took) {
  const double seconds = std::chrono::duration<double>(took).count();
  transaction.observe(seconds);
  applied_lsn = batch.to.position.lsn.value();
  if (!batch.to.partial && batch.commit_microseconds > 0) {
    newest_commit_ = batch.commit_microseconds;
    commit_to_visible.observe(seconds_since(batch.oldest_commit_microseconds, now_microseconds()));
  }
  count_by_name(batch);
  log_batch(batch, seconds);
  std::lock_guard lock(mutex_);
  works_again(Side::graph);
}

void Figures::count_by_name(const apply::Batch& batch) {
  for (const auto& [relation, rows] : batch.table_rows) {
    tables.add(postgres::to_string(postgres::TableName{relation->schema, relation->name}), rows);
  }
  for (const auto& [tenant, rows] : batch.tenant_rows) tenants.add(tenant, rows);
}

void Figures::copied(const apply::Batch& batch) {
  copied_batches += 1;
  copied_rows += batch.rows;
  count_by_name(batch);
  std::lock_guard lock(mutex_);
  works_again(Side::graph);
}

void Figures::begin_stream(change::Lsn position, int64_t commit_microseconds) {
  applied_lsn = position.value();
  newest_commit_ = std::max(newest_commit_.load(), commit_microseconds);
  // What an earlier pass had handed on is to be read again, and the server to be heard.
  capture.handed = 0;
  // A server that was restored from a backup has less log than before.
  if (source_wal_end > 0 && capture.wal_end > source_wal_end) capture.wal_end = source_wal_end.load();
  capture.in_step = 0;
  capture.connected = false;
  lane.under_way = false;
}

uint64_t Figures::wal_end() const { return std::max(capture.wal_end.load(), source_wal_end.load()); }

uint64_t Figures::lag_bytes() const {
  const uint64_t reached = std::max(capture.in_step.load(), applied_lsn.load());
  const uint64_t end = wal_end();
  return end <= reached + kPageHeader ? 0 : end - reached;
}

bool Figures::has_it_all() const {
  return capture.connected && capture.wal_end > 0 && capture.handed <= applied_lsn && lag_bytes() == 0;
}

double Figures::lag_seconds() const {
  if (has_it_all()) return 0;
  const int64_t known = std::max(newest_commit_.load(), has_it_all_at_.load());
  return seconds_since(known > 0 ? known : began_, now_microseconds());
}

void Figures::count(const std::vector<apply::TableState>& states) {
  const auto in = [&](apply::TableState::State state) {
    return static_cast<uint64_t>(
        std::count_if(states.begin(), states.end(), [&](const apply::TableState& table) { return table.state == state; }));
  };
  tables_copying = in(apply::TableState::State::copying);
  tables_held = in(apply::TableState::State::held);
}

telemetry::Facts Figures::look() {
  if (has_it_all()) has_it_all_at_ = now_microseconds();
  telemetry::Facts facts;
  facts.heard = capture.heard;
  facts.received = capture.received + snapshot.rows;
  facts.applied = lane.answers + copied_batches;
  facts.rows = lane.rows + copied_rows;
  facts.steps = steps;
  facts.source_connected = capture.connected;
  facts.source_ahead = source_wal_end > capture.wal_end + kPageHeader;
  facts.in_hand = lane.under_way || capture.handed > applied_lsn;
  std::lock_guard lock(mutex_);
  facts.activity = activity_;
  facts.why = why_;
  if (facts.source_connected && facts.heard != of(Side::source).heard) works_again(Side::source);
  TimePoint newest{};
  for (const Failures& failures : failures_) {
    if (failures.last.empty() || Clock::now() - failures.last_at > kTroubleMax || failures.last_at < newest) continue;
    facts.trouble = failures.last;
    newest = failures.last_at;
  }
  if (audit_is_full && !audit_trouble_.empty()) facts.trouble = "the audit cannot be written: " + audit_trouble_;
  return facts;
}

telemetry::Readiness Figures::readiness(const telemetry::Health& health) const {
  telemetry::Readiness readiness{.ready = false, .reason = health.reason, .lag_seconds = lag_seconds()};
  if (health.state != "streaming" && health.state != "idle") return readiness;
  if (tables_copying > 0) {
    readiness.reason = fmt::format("{} tables are being read again", tables_copying.load());
  } else if (tables_held > 0) {
    readiness.reason = fmt::format("{} tables are held: contextnexus status names them", tables_held.load());
  } else if (!consistent) {
    readiness.reason = "the position has not passed yet all that the copy saw";
  } else if (readiness.lag_seconds > std::chrono::duration<double>(options_.ready_lag_max).count()) {
    readiness.reason = fmt::format("the graph is {:.1f} s behind", readiness.lag_seconds);
  } else {
    readiness.ready = true;
    readiness.reason = "in step";
  }
  return readiness;
}

uint64_t Figures::retries(Side side) const {
  std::lock_guard lock(mutex_);
  return of(side).count;
}

std::function<void(const Error&, Duration)> tell_retry(Figures& figures, Side side, std::string what) {
  return [&figures, side, what = std::move(what)](const Error& error, Duration wait) {
    if (error.code() != apply::kTooLargeAtOnce) return figures.retry(side, what, error, wait);
    telemetry::log_info("in_pieces", what + ": " + error.describe(), telemetry::fields_of(error));
  };
}

}  // namespace cnx::pipeline
