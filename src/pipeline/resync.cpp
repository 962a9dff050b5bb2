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
    if (!plan_.changed && tables.empty()) return true;
    for (const std::string& line : plan_.said) spdlog::warn("{}", line);
    CNX_TRY(bolt::Connection graph, open_graph(options_, soon()));
    graph_.emplace(std::move(graph));
    CNX_TRY(make_constraints(*graph_, *ground_.catalog.model));
    CNX_TRY(apply::StoredPosition start, apply::raise_epoch(*graph_, apply::lane_key(options_.name), soon()));
    owner_ = {.pipeline = options_.name, .epoch = start.epoch};
    for (const GraphForm& form : plan_.outdated) CNX_TRY(remove_form(*graph_, owner_, form));
    // The segments first: a table that is to be copied, and is said to be, has none of an earlier copy.
    CNX_TRY(plan_missing_segments(tables));
    if (plan_.changed) {
      CNX_TRY(apply::write_table_states(*graph_, owner_, plan_.states, options_.mapping.fingerprint, soon()));
    }
    if (tables.empty()) return true;
    if (plan_.waits_for_writers) CNX_TRY(wait_for_writers(options_, context_.stop));
    return copy(tables);
  }

 private:
  Status plan_missing_segments(const std::vector<const postgres::Table*>& tables) {
    CNX_TRY(std::vector<change::Segment> segments, apply::read_segments(*graph_, options_.name, soon()));
    const size_t before = segments.size();
    std::erase_if(segments, [&](const change::Segment& segment) {
      const postgres::TableName name{segment.schema, segment.table};
      return plan_.anew.contains(name) || options_.mapping.find(name) == nullptr;
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
    CNX_TRY(std::vector<change::Segment> segments, apply::read_segments(*graph_, options_.name, soon()));
    for (TableState& state : plan_.states) {
      if (state.state == State::copying) end_copy(state, segments);
    }
    CNX_TRY(apply::write_table_states(*graph_, owner_, plan_.states, options_.mapping.fingerprint, soon()));
    const double seconds = std::chrono::duration<double>(Clock::now() - started).count();
    spdlog::info("read {} rows of {} tables again in {:.1f} s", rounds.copied(), tables.size(), seconds);
    return true;
  }

  // What is left over is removed once the position has passed all that the read saw.
  static void end_copy(TableState& state, const std::vector<change::Segment>& segments) {
    state.state = State::streaming;
    state.reason.clear();
    if (!state.sweep && state.stale_properties.empty()) return;
    for (const change::Segment& segment : segments) {
      if (segment.schema == state.name.schema && segment.table == state.name.name) {
        state.due = std::max(state.due, segment.seen_until);
      }
    }
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
    CNX_TRY(remove_leftovers(context, graph, owner, state));
    state.due = {};
    state.sweep = false;
    state.stale_properties.clear();
    CNX_TRY(apply::write_table_states(graph, owner, plan.states, context.options.mapping.fingerprint, soon()));
  }
  return {};
}

}  // namespace cnx::pipeline
