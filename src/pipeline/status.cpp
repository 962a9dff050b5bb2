#include "pipeline/status.hpp"

#include <thread>

#include "apply/table_states.hpp"
#include "pipeline/ground.hpp"
#include "pipeline/pipeline.hpp"
#include "pipeline/resync_request.hpp"
#include "pipeline/schema.hpp"
#include "pipeline/source_view.hpp"
#include "record/conflicts.hpp"
#include "record/dead_letters.hpp"
#include "record/ledger.hpp"
#include "stream/retry_class.hpp"

namespace cnx::pipeline {
namespace {

constexpr Duration kStatusMax = std::chrono::seconds(15);

void set_source(StatusReport& report, const SourceView& view) {
  const capture::SourceJudgement& judgement = view.judgement;
  report.source_state = std::string(to_string(judgement.state));
  report.missing = judgement.missing;
  report.surplus = judgement.surplus;
  if (judgement.may_go_on()) return;
  report.state = "broken";
  report.problem = judgement.happened;
  report.advice = judgement.advice;
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
    "SELECT (extract(epoch FROM pg_catalog.clock_timestamp()) * 1000000)::bigint, "
    "coalesce((SELECT max(substring(a.application_name FROM 'in step with ([0-9A-F]+/[0-9A-F]+)$')::pg_catalog.pg_lsn) "
    "FROM pg_catalog.pg_stat_activity a JOIN pg_catalog.pg_locks l ON l.pid = a.pid WHERE l.locktype = 'advisory' AND l.granted "
    "AND a.datname = pg_catalog.current_database() AND l.database = a.datid AND l.classid::pg_catalog.int8 = $2::pg_catalog.int8 "
    "AND l.objid::pg_catalog.int8 = pg_catalog.hashtext($1)::pg_catalog.int8 & 4294967295), '0/0')";

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

Status read_conflicts(StatusReport& report, postgres::Session& session, TimePoint deadline) {
  CNX_TRY(postgres::Rows known, session.query("SELECT pg_catalog.to_regclass('contextnexus.conflicts') IS NOT NULL", deadline));
  CNX_TRY(bool exists, known.boolean(0, 0));
  if (!exists) return {};
  Result<record::ConflictFigures> figures = record::read_conflict_figures(session, report.pipeline, deadline);
  // Who may not read them is shown the rest.
  if (!figures && figures.error().kind() == ErrorKind::server) return {};
  if (!figures) return fail(std::move(figures.error()));
  report.conflicts = {.open = figures->open, .resolving = figures->resolving, .held_changes = figures->held_changes};
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
  CNX_TRY(ResyncRequest asked, read_request(session, options.name, deadline));
  report.resync_asked = !asked.empty();
  CNX_TRY(read_write_back(report, session, options, deadline));
  CNX_TRY(read_dead_letters(report, session, deadline));
  CNX_TRY(read_conflicts(report, session, deadline));
  CNX_TRY(bolt::Connection graph, open_graph(options, deadline));
  CNX_TRY(SourceView view, view_source(session, graph, options, deadline));
  // The log's end is from before the position and what the engine says of itself: what they have passed was all there was.
  const change::Lsn wal_end = view.look.wal_end;
  CNX_TRY(postgres::Rows now, session.query(kNow, {options.name, std::to_string(kOwnerLockClass)}, deadline));
  CNX_TRY(int64_t now_microseconds, now.integer(0, 0));
  CNX_TRY(change::Lsn in_step, now.lsn(0, 1));
  report.wal_end = wal_end.to_string();
  report.warnings = source_warnings(view.look, options.source);
  if (const std::optional<postgres::SlotState>& slot = view.look.slot) {
    report.running = slot->active;
    if (slot->confirmed_flush) report.confirmed = slot->confirmed_flush->to_string();
    report.retained_wal_bytes = slot->retained_wal_bytes.value_or(0);
    report.wal_status = slot->wal_status;
  }
  const std::optional<apply::PositionNode>& node = view.position;
  if (!node) {
    set_source(report, view);
    if (view.judgement.state == capture::SourceState::not_initialised) {
      report.state = "not_initialised";
      report.problem.clear();
    }
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
    set_source(report, view);
    return report;
  }
  CNX_TRY(std::vector<change::Segment> segments, apply::read_segments(graph, options.name, deadline));
  report.consistent = lane.phase == apply::Phase::stream && !lane.partial && segments.empty();
  if (!segments.empty()) report.copy = copy_state(segments);
  const change::Lsn reached = lane.partial ? lane.position.lsn : std::max(lane.position.lsn, in_step);
  CNX_TRY(std::vector<apply::TableState> states, apply::read_table_states(graph, options.name, deadline));
  if (lane.phase == apply::Phase::stream) report.tables = unsettled(states);
  report.consistent = report.consistent && report.tables.empty() && report.dead_letters.open + report.dead_letters.retrying == 0 &&
                      report.conflicts.open + report.conflicts.resolving == 0;
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
    set_source(report, view);
    return report;
  }
  report.state = report.running ? "streaming" : "stopped";
  set_paused_state(report);
  set_source(report, view);
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
