#include "pipeline/status.hpp"

#include "apply/segments.hpp"
#include "capture/logical/source_check.hpp"
#include "pipeline/ground.hpp"

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

}  // namespace

Result<StatusReport> read_status(const PipelineOptions& options) {
  TimePoint deadline = Clock::now() + kStatusMax;
  StatusReport report;
  report.pipeline = options.name;
  report.slot = options.slot();
  CNX_TRY(postgres::Session session, open_session(options, deadline));
  CNX_TRY(std::optional<postgres::SlotState> slot, postgres::read_slot(session, options.slot(), deadline));
  CNX_TRY(postgres::Rows now, session.query("SELECT pg_catalog.pg_current_wal_flush_lsn(), "
                                            "(extract(epoch FROM pg_catalog.clock_timestamp()) * 1000000)::bigint, "
                                            "pg_catalog.current_database(), s.system_identifier, c.timeline_id "
                                            "FROM pg_catalog.pg_control_system() s, pg_catalog.pg_control_checkpoint() c",
                                            deadline));
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
    return report;
  }
  CNX_TRY(std::vector<change::Segment> segments, apply::read_segments(graph, options.name, deadline));
  report.consistent = lane.phase == apply::Phase::stream && !lane.partial && segments.empty();
  if (!segments.empty()) report.copy = copy_state(segments);
  if (lane.position.lsn < wal_end) {
    report.lag_bytes = static_cast<int64_t>(wal_end.value() - lane.position.lsn.value());
    if (node->commit_microseconds > 0) {
      report.lag_seconds = static_cast<double>(now_microseconds - node->commit_microseconds) / 1e6;
    }
  }
  if (lane.phase == apply::Phase::snapshot) {
    report.state = "copying";
    return report;
  }
  report.state = report.running ? "streaming" : "stopped";
  capture::HeldPosition held{.position = lane.position,
                             .system_identifier = node->source.system_identifier,
                             .timeline = node->source.timeline,
                             .database = node->source.database,
                             .slot = node->source.slot};
  if (Status fits = capture::check_source(held, system, slot); !fits) set_problem(report, fits.error());
  return report;
}

}  // namespace cnx::pipeline
