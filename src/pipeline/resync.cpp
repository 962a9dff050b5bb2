#include "pipeline/resync.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>

#include "pipeline/copy.hpp"
#include "pipeline/graph_marks.hpp"
#include "pipeline/sweep.hpp"

namespace cnx::pipeline {
namespace {

using apply::TableState;
using State = TableState::State;

constexpr Duration kStepMax = std::chrono::seconds(30);

TimePoint soon() { return Clock::now() + kStepMax; }

// A transaction that wrote before its table was in the publication is in no stream: the read has to see it.
Status wait_for_writers(const PipelineOptions& options, StopRequest& stop) {
  CNX_TRY(postgres::Session session, open_session(options, soon()));
  CNX_TRY(postgres::Rows now, session.query("SELECT pg_catalog.pg_snapshot_xmax(pg_catalog.pg_current_snapshot())", soon()));
  const std::string target(now.text(0, 0));
  const TimePoint give_up = Clock::now() + options.slot_wait_max;
  for (int i = 0; !stop.asked; ++i) {
    CNX_TRY(postgres::Rows rows,
            session.query("SELECT pg_catalog.pg_snapshot_xmin(pg_catalog.pg_current_snapshot()) >= $1::pg_catalog.xid8",
                          {target}, soon()));
    CNX_TRY(bool ended, rows.boolean(0, 0));
    if (ended) return {};
    if (Clock::now() >= give_up) {
      return fail(Error(ErrorKind::timeout, "transactions that were open before a table was published did not end")
                      .advise("end them (pg_stat_activity shows them by xact_start); the table is then read again"));
    }
    if (i == 25) spdlog::info("waiting for transactions that were open before a table was published");
    pause(stop, std::chrono::milliseconds(200));
  }
  return {};
}

class Resync {
 public:
  explicit Resync(CopyContext& context)
      : context_(context), ground_(context.ground), plan_(ground_.plan), options_(context.options) {}

  Result<bool> run() {
    const std::vector<const postgres::Table*> tables = tables_to_copy(ground_.catalog, plan_.states);
    const bool sweeps = std::any_of(plan_.states.begin(), plan_.states.end(), [](const TableState& s) { return s.sweep; });
    if (!plan_.changed && tables.empty() && !sweeps) return true;
    for (const std::string& line : plan_.said) spdlog::warn("{}", line);
    CNX_TRY(bolt::Connection graph, open_graph(options_, soon()));
    graph_.emplace(std::move(graph));
    CNX_TRY(make_constraints(*graph_, *ground_.catalog.model));
    CNX_TRY(apply::StoredPosition start, apply::raise_epoch(*graph_, apply::lane_key(options_.name), soon()));
    owner_ = {.pipeline = options_.name, .epoch = start.epoch};
    for (const OutdatedForm& outdated : plan_.outdated) CNX_TRY(remove(outdated));
    if (!plan_.outdated.empty()) CNX_TRY(remove_lonely_stubs(*graph_, owner_, *ground_.catalog.model));
    // The segments first: a table that is to be copied, and is said to be, has none of an earlier copy.
    CNX_TRY(plan_missing_segments(tables));
    if (plan_.changed) {
      CNX_TRY(apply::write_table_states(*graph_, owner_, plan_.states, options_.mapping.fingerprint, soon()));
    }
    CNX_TRY(sweep_gone());
    if (tables.empty()) return true;
    if (plan_.waits_for_writers) CNX_TRY(wait_for_writers(options_, context_.stop));
    return copy(tables);
  }

 private:
  Status remove(const OutdatedForm& outdated) {
    CNX_TRY(remove_links(*graph_, owner_, outdated.links));
    if (outdated.nodes) return remove_form(*graph_, owner_, outdated.before);
    return remove_labels(*graph_, owner_, outdated.before, outdated.labels);
  }

  Status plan_missing_segments(const std::vector<const postgres::Table*>& tables) {
    CNX_TRY(std::vector<change::Segment> segments, apply::read_segments(*graph_, options_.name, soon()));
    const size_t before = segments.size();
    std::erase_if(segments, [&](const change::Segment& segment) {
      const postgres::TableName name{segment.schema, segment.table};
      return plan_.anew.contains(name) || ground_.catalog.held.contains(name) || options_.mapping.find(name) == nullptr;
    });
    std::set<postgres::TableName> planned;
    for (const change::Segment& segment : segments) planned.insert({segment.schema, segment.table});
    std::vector<const postgres::Table*> missing;
    for (const postgres::Table* table : tables) {
      if (!planned.contains(table->name)) missing.push_back(table);
    }
    if (missing.empty() && segments.size() == before) return {};
    CNX_TRY(postgres::Session session, open_reader(options_));
    CNX_TRY(TableFiles files, read_files(session, missing));
    CNX_TRY(std::vector<change::Segment> added,
            plan_segments(session, missing, *ground_.catalog.model, files, soon()));
    segments.insert(segments.end(), std::make_move_iterator(added.begin()), std::make_move_iterator(added.end()));
    return apply::replace_segments(*graph_, owner_, segments, soon());
  }

  Result<bool> copy(const std::vector<const postgres::Table*>& tables) {
    const TimePoint started = Clock::now();
    CopyRounds rounds(context_, *graph_, {.owner = owner_, .tables = tables, .clears = false});
    if (context_.stop.asked) return false;
    CNX_TRY(rounds.take_snapshot());
    CNX_TRY(bool all, rounds.run());
    if (!all) return false;
    // Before the stream goes on: its changes must not meet what is left over.
    for (TableState& state : plan_.states) {
      if (state.state != State::copying) continue;
      if (state.sweep) CNX_TRY(sweep_table(context_, *graph_, owner_, state, KeySource{rounds.snapshot(), rounds.files()}));
      CNX_TRY(remove_stale_properties(*graph_, owner_, ground_.catalog, state));
      if (context_.stop.asked) return false;
    }
    CNX_TRY(widen_segments(rounds.seen_until()));
    for (TableState& state : plan_.states) {
      if (state.state == State::copying) end_copy(state);
    }
    CNX_TRY(apply::write_table_states(*graph_, owner_, plan_.states, options_.mapping.fingerprint, soon()));
    const double seconds = std::chrono::duration<double>(Clock::now() - started).count();
    spdlog::info("read {} rows of {} tables again in {:.1f} s", rounds.copied(), tables.size(), seconds);
    return true;
  }

  static void end_copy(TableState& state) {
    state.state = State::streaming;
    state.reason.clear();
    state.stale_properties.clear();
    state.due = {};
    state.sweep = false;
  }

  // The sweep's snapshot may be a later one than the copy's: until the stream is behind it, changes may meet what either left.
  Status widen_segments(change::Lsn seen_until) {
    CNX_TRY(std::vector<change::Segment> segments, apply::read_segments(*graph_, options_.name, soon()));
    bool widened = false;
    for (change::Segment& segment : segments) {
      if (!is_copying({segment.schema, segment.table}) || segment.seen_until >= seen_until) continue;
      segment.seen_until = seen_until;
      widened = true;
    }
    return widened ? apply::replace_segments(*graph_, owner_, segments, soon()) : Status();
  }

  bool is_copying(const postgres::TableName& name) const {
    return std::any_of(plan_.states.begin(), plan_.states.end(), [&](const TableState& state) {
      return state.name == name && state.state == State::copying;
    });
  }

  // Of tables that are held because they are not there: no change of theirs is applied any more.
  Status sweep_gone() {
    bool swept = false;
    for (TableState& state : plan_.states) {
      if (state.state != State::held || !state.sweep) continue;
      CNX_TRY(sweep_table(context_, *graph_, owner_, state, std::nullopt));
      if (context_.stop.asked) return {};
      state.sweep = false;
      swept = true;
    }
    return swept ? apply::write_table_states(*graph_, owner_, plan_.states, options_.mapping.fingerprint, soon()) : Status();
  }

  CopyContext& context_;
  Ground& ground_;
  TablePlan& plan_;
  const PipelineOptions& options_;
  std::optional<bolt::Connection> graph_;
  apply::CopyOwner owner_;
};

}  // namespace

Result<bool> resync_tables(CopyContext& context) { return Resync(context).run(); }

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

Status clean_tables(CopyContext& context, change::Lsn position) {
  TablePlan& plan = context.ground.plan;
  if (!is_due(plan.states, position)) return {};
  CNX_TRY(bolt::Connection graph, open_graph(context.options, soon()));
  CNX_TRY(apply::StoredPosition start, apply::raise_epoch(graph, apply::lane_key(context.options.name), soon()));
  const apply::CopyOwner owner{.pipeline = context.options.name, .epoch = start.epoch};
  for (TableState& state : plan.states) {
    if (context.stop.asked) return {};
    if (state.state == State::copying || state.due == change::Lsn() || state.due > position) continue;
    CNX_TRY(remove_stale_properties(graph, owner, context.ground.catalog, state));
    state.due = {};
    state.stale_properties.clear();
    CNX_TRY(apply::write_table_states(graph, owner, plan.states, context.options.mapping.fingerprint, soon()));
  }
  return {};
}

}  // namespace cnx::pipeline
