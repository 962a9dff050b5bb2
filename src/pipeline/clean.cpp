#include "pipeline/clean.hpp"

#include <algorithm>

#include "apply/position.hpp"
#include "pipeline/stale_properties.hpp"
#include "telemetry/log.hpp"

namespace cnx::pipeline {
namespace {

using apply::TableState;
using State = TableState::State;

constexpr Duration kStepMax = std::chrono::seconds(30);

TimePoint soon() { return Clock::now() + kStepMax; }

// Between two passes: what tables that are followed make no more.
class Cleaning {
 public:
  Cleaning(CopyContext& context, ResyncProgress& progress, bolt::Connection& graph, apply::CopyOwner owner)
      : context_(context), progress_(progress), graph_(graph), owner_(std::move(owner)), states_(context.ground.plan.states) {}

  // Says whether a table is to be read again for it.
  Result<bool> run(change::Lsn position) {
    bool again = false;
    for (TableState& state : states_) {
      if (state.state == State::copying || state.due == change::Lsn() || state.due > position) continue;
      CNX_TRY(std::set<postgres::TableName> beside, remove_stale(state));
      if (context_.stop.asked) return again;
      if (state.sweep && state.state == State::streaming) CNX_TRY(look_for_gone_rows(state));
      if (context_.stop.asked) return again;
      again = again || !beside.empty();
      CNX_TRY(apply::write_table_states(graph_, owner_, states_, context_.options.mapping.fingerprint, soon()));
    }
    return again;
  }

 private:
  // The tables that are to be read again for it.
  Result<std::set<postgres::TableName>> remove_stale(TableState& state) {
    CNX_TRY(std::vector<postgres::TableName> found, remove_stale_properties(context_, graph_, owner_, state, std::nullopt));
    std::set<postgres::TableName> beside(found.begin(), found.end());
    if (context_.stop.asked) return beside;
    forget_stale(state);
    if (!beside.empty()) CNX_TRY(read_again(graph_, owner_, beside, states_));
    progress_.begun_anew.insert(beside.begin(), beside.end());
    return beside;
  }

  // The second look removes what the first has found, and then it is looked again: until there is nothing.
  Status look_for_gone_rows(TableState& state) {
    if (auto found = progress_.gone.find(state.name); found != progress_.gone.end()) {
      CNX_TRY(remove_gone_rows(context_, graph_, owner_, state, found->second));
      const bool all = found->second.keys.size() < GoneRows::kMost;
      progress_.gone.erase(found);
      state.sweep = !all;
      if (all) return {};
    }
    CNX_TRY(GoneRows gone, find_gone_rows(context_, graph_, owner_, state));
    state.sweep = !gone.keys.empty();
    if (!state.sweep) return {};
    state.due = gone.until;
    progress_.gone.insert_or_assign(state.name, std::move(gone));
    return {};
  }

  CopyContext& context_;
  ResyncProgress& progress_;
  bolt::Connection& graph_;
  apply::CopyOwner owner_;
  std::vector<TableState>& states_;
};

}  // namespace

void forget_stale(TableState& state) {
  state.stale_properties.clear();
  state.stale_prefixes.clear();
  state.due = {};
}

Status read_again(bolt::Connection& graph, const apply::CopyOwner& owner, const std::set<postgres::TableName>& names,
                  std::vector<TableState>& states) {
  CNX_TRY(std::vector<change::Segment> segments, apply::read_segments(graph, owner.pipeline, soon()));
  std::erase_if(segments, [&](const change::Segment& segment) { return names.contains({segment.schema, segment.table}); });
  CNX_TRY(apply::replace_segments(graph, owner, segments, soon()));
  for (TableState& state : states) {
    if (!names.contains(state.name)) continue;
    state.state = State::copying;
    state.reason = "another table of its label makes a property no more";
    state.sweep = true;
    const std::string name = postgres::to_string(state.name);
    telemetry::log_warning("table_changed", name + " is read again: " + state.reason, {{"table", name}, {"reason", state.reason}});
  }
  return {};
}

bool is_due(const std::vector<TableState>& states, change::Lsn position) {
  return std::any_of(states.begin(), states.end(), [&](const TableState& state) {
    return state.state != State::copying && state.due != change::Lsn() && state.due <= position;
  });
}

change::Lsn due_until(const std::vector<TableState>& states) {
  change::Lsn until;
  for (const TableState& state : states) until = std::max(until, state.due);
  return until;
}

Result<bool> clean_tables(CopyContext& context, ResyncProgress& progress, change::Lsn position) {
  CNX_TRY(bolt::Connection graph, open_graph(context.options, soon()));
  CNX_TRY(apply::StoredPosition start, apply::raise_epoch(graph, apply::lane_key(context.options.name), soon()));
  return Cleaning(context, progress, graph, {.pipeline = context.options.name, .epoch = start.epoch}).run(position);
}

}  // namespace cnx::pipeline
