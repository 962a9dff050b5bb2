#include "pipeline/copy.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/failpoint.hpp"
#include "pipeline/adopt.hpp"
#include "pipeline/graph_marks.hpp"
#include "pipeline/old_slot.hpp"
#include "pipeline/runner.hpp"
#include "pipeline/slot_wait.hpp"
#include "pipeline/source_record.hpp"
#include "pipeline/table_plan.hpp"
#include "record/ledger.hpp"
#include "telemetry/log.hpp"

namespace cnx::pipeline {
namespace {

constexpr Duration kStepMax = std::chrono::seconds(30);

TimePoint soon() { return Clock::now() + kStepMax; }

std::vector<const postgres::Table*> all_tables(const Catalog& catalog) {
  std::vector<const postgres::Table*> tables;
  for (const postgres::Table& table : catalog.tables) tables.push_back(&table);
  return tables;
}

// Kept as the tables' reason, so that a copy that goes on after a kill clears nothing either.
constexpr const char* kAdopting = "the graph that was there is taken over";

bool is_adopting(const std::vector<apply::TableState>& states) {
  return std::any_of(states.begin(), states.end(),
                     [](const apply::TableState& state) { return state.reason == kAdopting; });
}

class Copy {
 public:
  explicit Copy(CopyContext& context) : context_(context), options_(context_.options), ground_(context_.ground) {}

  // From the beginning, or from where it was; then in rounds, one snapshot each: a table that was rewritten while it was
  // read is left to the next.
  Status run() {
    CNX_TRY(bolt::Connection graph, open_graph(options_, soon()));
    graph_.emplace(std::move(graph));
    CNX_TRY(make_constraints(*graph_, *ground_.catalog.model));
    // First of all: an instance that is still copying writes no more.
    CNX_TRY(apply::StoredPosition start, apply::raise_epoch(*graph_, apply::lane_key(options_.name), soon()));
    owner_ = {.pipeline = options_.name, .epoch = start.epoch};
    CNX_TRY(apply::make_copy_lanes(*graph_, owner_, context_.run_options.copy_workers, soon()));
    reach("copy_lanes_made");
    adopts_ = context_.run_options.adopt || is_adopting(ground_.plan.states);
    rounds_.emplace(context_, *graph_,
                    CopyRounds::Options{.owner = owner_, .tables = all_tables(ground_.catalog), .clears = !adopts_});
    CNX_TRY(bool goes_on, may_go_on());
    const TimePoint started = Clock::now();
    if (goes_on) {
      CNX_TRY(rounds_->take_snapshot());
    } else {
      CNX_TRY(begin());
    }
    if (context_.stop.asked) return {};
    CNX_TRY(bool all, rounds_->run());
    return all ? end(started) : Status();
  }

 private:
  // The copy in the graph belongs to the slot that is there, and nothing that follows it was lost.
  Result<bool> may_go_on() {
    if (ground_.position->stored.lane.phase != apply::Phase::snapshot) {
      CNX_TRY(refuse_filled_graph());
      return false;
    }
    consistent_point_ = ground_.position->consistent_point;
    capture::HeldPosition held = held_position(*ground_.position);
    held.position = {consistent_point_, 0};
    const Status fits = capture::to_status(capture::judge_source({.held = held,
                                                                  .system = ground_.system,
                                                                  .server_version = ground_.server.version,
                                                                  .slot = ground_.slot}));
    if (fits && ground_.plan.anew.empty() && ground_.plan.left.empty()) {
      CNX_TRY(rounds_->read_segments());
      telemetry::log_info("copy_continued", fmt::format("the copy goes on: {} rows are in the graph", rounds_->rows_in_graph()),
                          {{"rows", rounds_->rows_in_graph()}});
      return true;
    }
    if (adopts_) {
      const std::string why = fits ? "tables changed" : fits.error().describe();
      telemetry::log_warning("copy_restarted", fmt::format("the copy over an adopted graph cannot go on ({}); it starts again", why),
                             {{"reason", why}});
      return false;
    }
    const std::string why = !fits                       ? fits.error().describe()
                            : ground_.plan.said.empty() ? "it is of other tables"
                                                        : ground_.plan.said.front();
    telemetry::log_warning("copy_restarted",
                           fmt::format("a copy did not come to its end and cannot go on ({}); it starts again from an empty graph", why),
                           {{"reason", why}});
    CNX_TRY(auto names, known_properties(ground_.catalog));
    CNX_TRY(clear_ours(*graph_, *ground_.catalog.model, names));
    return false;
  }

  Status refuse_filled_graph() {
    if (adopts_) return {};
    CNX_TRY(OursInGraph ours, count_ours(*graph_, *ground_.catalog.model));
    if (ours.nodes == 0) return {};
    return fail(Error(ErrorKind::state, "the graph already has nodes of the mapped labels, and this pipeline did not write them")
                    .with("nodes", std::to_string(ours.nodes))
                    .advise("contextnexus run --adopt takes them over by label and key; contextnexus drop --graph removes them; "
                            "nodes of other labels stay"));
  }

  Status begin() {
    CNX_TRY(drop_old_slot(options_, context_.lease_pid, context_.stop));
    if (context_.stop.asked) return {};
    CNX_TRY(postgres::Session session, open_reader(options_));
    CNX_TRY(TableFiles files, read_files(session, all_tables(ground_.catalog)));
    CNX_TRY(std::vector<change::Segment> segments,
            plan_segments(session, all_tables(ground_.catalog), *ground_.catalog.model, files, soon()));
    // The slot first; its exported snapshot lives as long as this connection stays idle.
    CNX_TRY(postgres::ReplicationStream exporter, postgres::ReplicationStream::open(options_.postgres, soon()));
    context_.figures.set(telemetry::Activity::waiting, "PostgreSQL makes the slot once all transactions that are open have ended");
    CNX_TRY(postgres::CreatedSlot slot, make_slot(exporter, options_, context_.stop));
    reach("copy_slot_made");
    context_.figures.set(telemetry::Activity::copying);
    consistent_point_ = slot.consistent_point;
    CNX_TRY(apply::start_copy(*graph_, owner_, source_of(options_, ground_.system), consistent_point_, segments, soon()));
    reach("copy_started");
    if (adopts_) {
      for (apply::TableState& state : ground_.plan.states) state.reason = kAdopting;
    }
    CNX_TRY(apply::write_table_states(*graph_, owner_, ground_.plan.states, options_.mapping.fingerprint, soon()));
    CNX_TRY(record::mark_filled(context_.owner, options_.name, soon()));
    CNX_TRY(forget_record(context_.owner, options_.name, soon()));
    reach("copy_recorded");
    rounds_->use_slot_snapshot(slot.snapshot_name, std::move(exporter));
    telemetry::log_info("copy_begun",
                        fmt::format("copying {} tables as of {}", ground_.catalog.tables.size(), consistent_point_.to_string()),
                        {{"tables", ground_.catalog.tables.size()}, {"position", consistent_point_.to_string()}});
    return rounds_->read_segments();
  }

  Status end(TimePoint started) {
    if (adopts_) CNX_TRY(mark_unmatched(context_, *graph_, owner_));
    for (apply::TableState& state : ground_.plan.states) {
      state.state = apply::TableState::State::streaming;
      state.reason.clear();
    }
    CNX_TRY(apply::write_table_states(*graph_, owner_, ground_.plan.states, options_.mapping.fingerprint, soon()));
    reach("copy_ending");
    CNX_TRY(apply::end_copy(*graph_, owner_, consistent_point_, soon()));
    reach("copy_ended");
    const double seconds = std::chrono::duration<double>(Clock::now() - started).count();
    telemetry::log_info("copy_done",
                        fmt::format("copied {} rows in {:.1f} s, {} with what was copied before", rounds_->copied(), seconds,
                                    rounds_->rows_in_graph()),
                        {{"rows", rounds_->copied()}, {"rows_in_all", rounds_->rows_in_graph()}, {"seconds", seconds}});
    return {};
  }

  CopyContext& context_;
  const PipelineOptions& options_;
  Ground& ground_;
  std::optional<bolt::Connection> graph_;
  apply::CopyOwner owner_;
  change::Lsn consistent_point_;
  std::optional<CopyRounds> rounds_;
  bool adopts_ = false;  // What the graph has stays, and rows are written over it.
};

}  // namespace

apply::Source source_of(const PipelineOptions& options, const postgres::SystemIdentity& system) {
  return {.system_identifier = std::to_string(system.system_identifier),
          .timeline = system.timeline,
          .database = system.database,
          .database_oid = system.database_oid,
          .slot = options.slot(),
          .fingerprint = options.mapping.fingerprint};
}

void pause(StopRequest& stop, Duration duration) {
  stop.waker.arm();
  if (!stop.asked) wait_for(stop.waker, stream::Step::wait_until(Clock::now() + duration));
  stop.waker.disarm();
}

Status forget_copy(const PipelineOptions& options, int64_t epoch) {
  CNX_TRY(bolt::Connection graph, open_graph(options, soon()));
  CNX_TRY(apply::replace_segments(graph, {.pipeline = options.name, .epoch = epoch}, {}, soon()));
  reach("copy_forgotten");
  telemetry::log_info("consistent", "the graph is consistent: all that the copy saw is behind the position");
  return {};
}

Status copy_tables(CopyContext& context) { return Copy(context).run(); }

}  // namespace cnx::pipeline
