#include "pipeline/copy.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>

#include "capture/logical/source_check.hpp"
#include "pipeline/adopt.hpp"
#include "pipeline/graph_marks.hpp"
#include "pipeline/runner.hpp"
#include "pipeline/slot_wait.hpp"
#include "pipeline/table_plan.hpp"
#include "record/ledger.hpp"

namespace cnx::pipeline {
namespace {

constexpr Duration kStepMax = std::chrono::seconds(30);
// A walsender of ours that was killed is noticed by PostgreSQL within wal_sender_timeout.
constexpr Duration kSlotReleaseMax = std::chrono::minutes(2);

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
    const capture::HeldPosition held{.position = {consistent_point_, 0},
                                     .system_identifier = ground_.position->source.system_identifier,
                                     .timeline = ground_.position->source.timeline,
                                     .database = ground_.position->source.database,
                                     .slot = ground_.position->source.slot};
    Status fits = capture::check_source(held, ground_.system, ground_.slot);
    if (fits && ground_.plan.anew.empty() && ground_.plan.left.empty()) {
      CNX_TRY(rounds_->read_segments());
      spdlog::info("the copy goes on: {} rows are in the graph", rounds_->rows_in_graph());
      return true;
    }
    if (adopts_) {
      spdlog::warn("the copy over an adopted graph cannot go on ({}); it starts again", fits ? "tables changed" : fits.error().describe());
      return false;
    }
    spdlog::warn("a copy did not come to its end and cannot go on ({}); it starts again from an empty graph",
                 !fits                      ? fits.error().describe()
                 : ground_.plan.said.empty() ? "it is of other tables"
                                            : ground_.plan.said.front());
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
    CNX_TRY(drop_old_slot());
    if (context_.stop.asked) return {};
    CNX_TRY(postgres::Session session, open_reader(options_));
    CNX_TRY(TableFiles files, read_files(session, all_tables(ground_.catalog)));
    CNX_TRY(std::vector<change::Segment> segments,
            plan_segments(session, all_tables(ground_.catalog), *ground_.catalog.model, files, soon()));
    // The slot first; its exported snapshot lives as long as this connection stays idle.
    CNX_TRY(postgres::ReplicationStream exporter, postgres::ReplicationStream::open(options_.postgres, soon()));
    CNX_TRY(postgres::CreatedSlot slot, make_slot(exporter, options_, context_.stop));
    consistent_point_ = slot.consistent_point;
    CNX_TRY(apply::start_copy(*graph_, owner_, source_of(options_, ground_.system), consistent_point_, segments, soon()));
    if (adopts_) {
      for (apply::TableState& state : ground_.plan.states) state.reason = kAdopting;
    }
    CNX_TRY(apply::write_table_states(*graph_, owner_, ground_.plan.states, options_.mapping.fingerprint, soon()));
    CNX_TRY(record::mark_filled(context_.owner, options_.name, soon()));
    rounds_->use_slot_snapshot(slot.snapshot_name, std::move(exporter));
    spdlog::info("copying {} tables as of {}", ground_.catalog.tables.size(), consistent_point_.to_string());
    return rounds_->read_segments();
  }

  Status drop_old_slot() {
    TimePoint deadline = Clock::now() + kSlotReleaseMax;
    CNX_TRY(postgres::Session session, open_session(options_, deadline));
    while (!context_.stop.asked) {
      CNX_TRY(std::optional<postgres::SlotState> slot, postgres::read_slot(session, options_.slot(), deadline));
      if (!slot) return {};
      if (slot->plugin != "pgoutput" || slot->database != ground_.server.database) {
        return fail(Error(ErrorKind::state, "a slot of the pipeline's name is there, and it is not ours")
                        .with("slot", slot->name)
                        .advise("choose another pipeline name, or drop that slot"));
      }
      Status dropped = postgres::drop_slot(session, options_.slot(), deadline);
      if (dropped) return {};
      if (!stream::is_retried(stream::retry_class(dropped.error())) || Clock::now() >= deadline) return dropped;
      CNX_TRY(end_unfinished_slot(session, options_.slot(), deadline));
      pause(context_.stop, std::chrono::milliseconds(200));
    }
    return {};
  }

  Status end(TimePoint started) {
    if (adopts_) CNX_TRY(mark_unmatched(context_, *graph_, owner_));
    for (apply::TableState& state : ground_.plan.states) {
      state.state = apply::TableState::State::streaming;
      state.reason.clear();
    }
    CNX_TRY(apply::write_table_states(*graph_, owner_, ground_.plan.states, options_.mapping.fingerprint, soon()));
    CNX_TRY(apply::end_copy(*graph_, owner_, consistent_point_, soon()));
    const double seconds = std::chrono::duration<double>(Clock::now() - started).count();
    spdlog::info("copied {} rows in {:.1f} s, {} with what was copied before", rounds_->copied(), seconds,
                 rounds_->rows_in_graph());
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
          .slot = options.slot(),
          .fingerprint = options.mapping.fingerprint};
}

void pause(StopRequest& stop, Duration duration) {
  stop.waker.arm();
  if (!stop.asked) wait_for(stop.waker, stream::Step::wait_until(Clock::now() + duration));
  stop.waker.disarm();
}

Status copy_tables(CopyContext& context) { return Copy(context).run(); }

}  // namespace cnx::pipeline
