#include "pipeline/status.hpp"

#include <thread>

#include "apply/table_states.hpp"
#include "capture/logical/source_check.hpp"
#include "pipeline/ground.hpp"
#include "pipeline/pipeline.hpp"
#include "pipeline/schema.hpp"
#include "record/dead_letters.hpp"
#include "record/ledger.hpp"
#include "stream/retry_class.hpp"

namespace cnx::pipeline {
namespace {

constexpr Duration kStatusMax = std::chrono::seconds(15);

void set_problem(StatusReport& report, const Error& error) {
  report.state = "broken";
  report.problem = error.describe();
  report.advice = error.advice();
}

StatusReport::CopyState copy_state(const std::vector<change::Segment>& segments) {
  StatusReport::CopyState copy;
  copy.segments = segments.size();
  for (const change::Segment& segment : segments) {
    copy.rows += segment.rows;
    copy.estimate += std::max(segment.estimate, segment.rows);
    copy.segments_done += segment.done ? 1 : 0;
  }
  return copy;
}

// How far the running engine says that the graph is in step; 0/0 where none does.
constexpr std::string_view kNow =
    "SELECT pg_catalog.pg_current_wal_flush_lsn(), "
    "(extract(epoch FROM pg_catalog.clock_timestamp()) * 1000000)::bigint, "
    "pg_catalog.current_database(), s.system_identifier, c.timeline_id, "
    "coalesce((SELECT max(substring(a.application_name FROM 'in step with ([0-9A-F]+/[0-9A-F]+)$')::pg_catalog.pg_lsn) "
    "FROM pg_catalog.pg_stat_activity a JOIN pg_catalog.pg_locks l ON l.pid = a.pid WHERE l.locktype = 'advisory' AND l.granted "
    "AND a.datname = pg_catalog.current_database() AND l.database = a.datid AND l.classid::pg_catalog.int8 = $2::pg_catalog.int8 "
    "AND l.objid::pg_catalog.int8 = pg_catalog.hashtext($1)::pg_catalog.int8 & 4294967295), '0/0') "
    "FROM pg_catalog.pg_control_system() s, pg_catalog.pg_control_checkpoint() c";

Status read_write_back(StatusReport& report, postgres::Session& session, const PipelineOptions& options, TimePoint deadline) {
  const std::vector<postgres::TableName> tables = options.mapping.table_names();
  CNX_TRY(record::PendingRows pending, record::count_pending(session, tables, deadline));
  CNX_TRY(std::optional<record::LedgerFigures> figures, record::read_figures(session, options.name, deadline));
  if (pending.tables == 0) return {};
  StatusReport::WriteBack& shown = report.write_back.emplace();
  shown.pending = pending.rows;
  shown.pending_at_least = pending.at_least;
  if (!figures) return {};
  shown.written = figures->written;
  shown.skipped = figures->locked;
  shown.failures = figures->failures;
  shown.problem = figures->problem;
  shown.last_error = figures->last_error;
  shown.last_error_at = figures->last_error_at;
  return {};
}

std::vector<StatusReport::Table> unsettled(const std::vector<apply::TableState>& states) {
  std::vector<StatusReport::Table> tables;
  for (const apply::TableState& state : states) {
    const bool cleaning = state.due != change::Lsn();
    if (state.state == apply::TableState::State::streaming && !cleaning) continue;
    const bool streaming = state.state == apply::TableState::State::streaming;
    tables.push_back({.name = postgres::to_string(state.name),
                      .state = streaming ? "cleaning" : std::string(apply::to_string(state.state)),
                      .reason = streaming ? "what is left over is removed once the position is at " + state.due.to_string()
                                          : state.reason,
                      .advice = state.advice,
                      .since = state.since});
  }
  return tables;
}

Status read_dead_letters(StatusReport& report, postgres::Session& session, TimePoint deadline) {
  CNX_TRY(postgres::Rows known, session.query("SELECT pg_catalog.to_regclass('contextnexus.dead_letters') IS NOT NULL", deadline));
  CNX_TRY(bool exists, known.boolean(0, 0));
  if (!exists) return {};
  Result<record::DeadLetterFigures> figures = record::read_dead_letter_figures(session, report.pipeline, deadline);
  // Who may not read them is shown the rest.
  if (!figures && figures.error().kind() == ErrorKind::server) return {};
  if (!figures) return fail(std::move(figures.error()));
  report.dead_letters = {.open = figures->open, .retrying = figures->retrying, .held_changes = figures->held_changes};
  if (figures->stopped_line == 0) return {};
  report.problem = "most rows failed the same way, and the line stopped: " + figures->stopped_statement + " (" + figures->stopped_code + ")";
  report.advice = "contextnexus dead-letters list shows them; mend the cause, then retry them, or discard them";
  return {};
}

// What is broken stays so also while it is paused: that is said after this, over it.
void set_paused_state(StatusReport& report) {
  if (!report.pause.paused()) return;
  report.state = "paused";
  report.advice = "contextnexus resume lets it go on; until then PostgreSQL keeps its log";
}

Result<StatusReport> read_status(const PipelineOptions& options, TimePoint deadline) {
  StatusReport report;
  report.pipeline = options.name;
  report.slot = options.slot();
  // Rows of the role's own tables are counted: its policy shows it all of them.
  PipelineOptions own = options;
  own.postgres.row_security_on = true;
  CNX_TRY(postgres::Session session, open_session(own, deadline));
  CNX_TRY(check_engine_version(session, deadline));
  CNX_TRY(std::optional<PauseState> pause, read_pause(session, options.name, deadline));
  if (pause) report.pause = *pause;
  CNX_TRY(std::optional<postgres::SlotState> slot, postgres::read_slot(session, options.slot(), deadline));
  CNX_TRY(postgres::Rows now, session.query(kNow, {options.name, std::to_string(kOwnerLockClass)}, deadline));
  CNX_TRY(change::Lsn in_step, now.lsn(0, 5));
  CNX_TRY(read_write_back(report, session, options, deadline));
  CNX_TRY(read_dead_letters(report, session, deadline));
  CNX_TRY(change::Lsn wal_end, now.lsn(0, 0));
  CNX_TRY(int64_t now_microseconds, now.integer(0, 1));
  postgres::SystemIdentity system;
  system.database = std::string(now.text(0, 2));
  CNX_TRY(int64_t system_identifier, now.integer(0, 3));
  CNX_TRY(int64_t timeline, now.integer(0, 4));
  system.system_identifier = static_cast<uint64_t>(system_identifier);
  system.timeline = static_cast<uint32_t>(timeline);
  system.wal_end = wal_end;
  report.wal_end = wal_end.to_string();
  if (slot) {
    report.running = slot->active;
    if (slot->confirmed_flush) report.confirmed = slot->confirmed_flush->to_string();
    report.retained_wal_bytes = slot->retained_wal_bytes.value_or(0);
    report.wal_status = slot->wal_status;
  }
  CNX_TRY(bolt::Connection graph, open_graph(options, deadline));
  CNX_TRY(std::optional<apply::PositionNode> node, apply::read_position(graph, apply::lane_key(options.name), deadline));
  if (!node) {
    report.state = "not_initialised";
    report.advice = "contextnexus init prepares both databases";
    return report;
  }
  const apply::LanePosition& lane = node->stored.lane;
  report.position = lane.position.to_string();
  report.position_lsn = lane.position.lsn.value();
  report.ordinal = lane.position.ordinal;
  report.partial = lane.partial;
  report.epoch = node->stored.epoch;
  report.system_identifier = node->source.system_identifier;
  report.timeline = node->source.timeline;
  report.database = node->source.database;
  if (lane.phase == apply::Phase::initial) {
    report.state = "initialised";
    report.advice = "contextnexus run copies the tables and follows their changes";
    set_paused_state(report);
    return report;
  }
  CNX_TRY(std::vector<change::Segment> segments, apply::read_segments(graph, options.name, deadline));
  report.consistent = lane.phase == apply::Phase::stream && !lane.partial && segments.empty();
  if (!segments.empty()) report.copy = copy_state(segments);
  const change::Lsn reached = lane.partial ? lane.position.lsn : std::max(lane.position.lsn, in_step);
  CNX_TRY(std::vector<apply::TableState> states, apply::read_table_states(graph, options.name, deadline));
  if (lane.phase == apply::Phase::stream) report.tables = unsettled(states);
  report.consistent = report.consistent && report.tables.empty() && report.dead_letters.open + report.dead_letters.retrying == 0;
  report.in_step = report.consistent && reached >= wal_end;
  if (reached < wal_end) {
    report.lag_bytes = static_cast<int64_t>(wal_end.value() - reached.value());
    if (node->commit_microseconds > 0) {
      report.lag_seconds = static_cast<double>(now_microseconds - node->commit_microseconds) / 1e6;
    }
  }
  if (lane.phase == apply::Phase::snapshot) {
    report.state = "copying";
    set_paused_state(report);
    return report;
  }
  report.state = report.running ? "streaming" : "stopped";
  set_paused_state(report);
  capture::HeldPosition held{.position = lane.position,
                             .system_identifier = node->source.system_identifier,
                             .timeline = node->source.timeline,
                             .database = node->source.database,
                             .slot = node->source.slot};
  if (Status fits = capture::check_source(held, system, slot); !fits) set_problem(report, fits.error());
  return report;
}

}  // namespace

Result<StatusReport> read_status(const PipelineOptions& options) {
  const TimePoint deadline = Clock::now() + kStatusMax;
  stream::Backoff backoff(1);
  while (true) {
    Result<StatusReport> report = read_status(options, deadline);
    // A server that is not there is told at once; one that refused for now is asked again.
    if (report || stream::retry_class(report.error()) != stream::RetryClass::later) return report;
    const Duration wait = backoff.next();
    if (Clock::now() + wait >= deadline) return report;
    std::this_thread::sleep_for(wait);
  }
}

}  // namespace cnx::pipeline
