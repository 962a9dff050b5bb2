#include "pipeline/resync.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/failpoint.hpp"
#include "pipeline/clean.hpp"
#include "pipeline/copy.hpp"
#include "pipeline/graph_marks.hpp"
#include "pipeline/stale_properties.hpp"
#include "pipeline/sweep.hpp"
#include "telemetry/log.hpp"

namespace cnx::pipeline {
namespace {

using apply::TableState;
using State = TableState::State;

constexpr Duration kStepMax = std::chrono::seconds(30);
// Of transactions that end at once, nobody need take turns.
constexpr int kLooks = 20;
constexpr Duration kLookAgain = std::chrono::milliseconds(25);

TimePoint soon() { return Clock::now() + kStepMax; }

class Resync {
 public:
  Resync(CopyContext& context, ResyncProgress& progress, capture::ToldTransactions& told)
      : context_(context), progress_(progress), told_(told), ground_(context.ground), plan_(ground_.plan), options_(context.options) {}

  Result<ResyncTurn> run() {
    progress_.begun_anew = plan_.anew;
    const std::vector<const postgres::Table*> tables = tables_to_copy(ground_.catalog, plan_.states);
    const bool sweeps = std::any_of(plan_.states.begin(), plan_.states.end(),
                                    [](const TableState& state) { return state.sweep && state.state == State::held; });
    if (!plan_.changed && tables.empty() && !sweeps) return ResyncTurn::done;
    for (const std::string& line : plan_.said) telemetry::log_warning("table_changed", line);
    CNX_TRY(bolt::Connection graph, open_graph(options_, soon()));
    graph_.emplace(std::move(graph));
    CNX_TRY(make_constraints(*graph_, *ground_.catalog.model));
    CNX_TRY(apply::StoredPosition start, apply::raise_epoch(*graph_, apply::lane_key(options_.name), soon()));
    owner_ = {.pipeline = options_.name, .epoch = start.epoch};
    for (const OutdatedForm& outdated : plan_.outdated) CNX_TRY(remove(outdated));
    if (!plan_.outdated.empty()) CNX_TRY(remove_lonely_stubs(*graph_, owner_, *ground_.catalog.model));
    // The segments first: a table that is to be copied, and is said to be, has none of an earlier copy.
    CNX_TRY(plan_missing_segments(tables));
    reach("resync_segments_planned");
    if (plan_.changed) {
      CNX_TRY(apply::write_table_states(*graph_, owner_, plan_.states, options_.mapping.fingerprint, soon()));
    }
    CNX_TRY(sweep_gone());
    if (context_.stop.asked) return ResyncTurn::stopped;
    if (tables.empty()) return ResyncTurn::done;
    CNX_TRY(bool all_seen, writers_ended());
    if (!all_seen) return context_.stop.asked ? ResyncTurn::stopped : ResyncTurn::waiting;
    return copy(tables);
  }

 private:
  Status remove(const OutdatedForm& outdated) {
    CNX_TRY(remove_links(*graph_, owner_, outdated.links));
    CNX_TRY(remove_link_properties(*graph_, owner_, outdated.link_properties));
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

  // A transaction that wrote before its table was in the publication is in no stream, and one that the stream told of a moment
  // ago may not be visible yet: the next read has to see both.
  Result<bool> writers_ended() {
    CNX_TRY(postgres::Session session, open_session(options_, soon()));
    if (plan_.waits_for_writers) {
      CNX_TRY(progress_.writers_until, next_transaction(session, soon()));
    }
    for (int look = 0; look < kLooks && !context_.stop.asked; ++look) {
      if (look > 0) pause(context_.stop, kLookAgain);
      CNX_TRY(bool shown, shows_all(progress_, told_, session, soon()));
      if (shown) {
        progress_.waits_since = kNever;
        return true;
      }
    }
    if (progress_.waits_since == kNever) {
      progress_.waits_since = Clock::now();
      telemetry::log_info("resync_waits", "what is to be read again waits for transactions that were open before");
    } else if (Clock::now() - progress_.waits_since > options_.slot_wait_max) {
      telemetry::log_warning("resync_waits",
                             "tables are still not read again: transactions that were open before do not end; pg_stat_activity shows "
                             "them by xact_start");
      progress_.waits_since = Clock::now();
    }
    return false;
  }

  struct Turn {
    std::vector<const postgres::Table*> tables;
    std::optional<Duration> length;
  };

  // A table without an order starts over each time: such ones come first, until they are done.
  Result<Turn> next_turn(const std::vector<const postgres::Table*>& tables) {
    CNX_TRY(std::vector<change::Segment> segments, apply::read_segments(*graph_, options_.name, soon()));
    Turn turn;
    for (const postgres::Table* table : tables) {
      const bool open = std::any_of(segments.begin(), segments.end(), [&](const change::Segment& segment) {
        return !segment.done && !segment.ordered() && segment.schema == table->name.schema && segment.table == table->name.name;
      });
      if (open) turn.tables.push_back(table);
    }
    if (turn.tables.empty()) turn = {.tables = tables, .length = context_.run_options.copy_turn};
    return turn;
  }

  Result<ResyncTurn> copy(const std::vector<const postgres::Table*>& tables) {
    if (progress_.started == kNever) progress_.started = Clock::now();
    CNX_TRY(Turn turn, next_turn(tables));
    CopyRounds rounds(context_, *graph_, {.owner = owner_, .tables = turn.tables, .clears = false, .turn = turn.length});
    if (context_.stop.asked) return ResyncTurn::stopped;
    Status taken = rounds.take_snapshot();
    Result<bool> all = false;
    if (taken) all = rounds.run();
    progress_.begun_anew.insert(rounds.begun_anew().begin(), rounds.begun_anew().end());
    if (!taken) return fail(std::move(taken.error()));
    if (!all) return fail(std::move(all.error()));
    progress_.copied += rounds.copied();
    if (rounds.ended_early()) return ResyncTurn::stopped;
    if (!*all || turn.tables.size() < tables.size()) return ResyncTurn::more;
    std::set<postgres::TableName> beside;
    CNX_TRY(bool finished, finish(rounds, beside));
    if (!finished) return ResyncTurn::stopped;
    const double seconds = std::chrono::duration<double>(Clock::now() - progress_.started).count();
    telemetry::log_info("resync_done", fmt::format("read {} rows of {} tables again in {:.1f} s", progress_.copied, tables.size(), seconds),
                        {{"rows", progress_.copied}, {"tables", tables.size()}, {"seconds", seconds}});
    progress_.copied = 0;
    progress_.started = kNever;
    return beside.empty() ? ResyncTurn::done : ResyncTurn::more;
  }

  // All rows are in the graph. What is left over goes before the stream goes on: its changes must not meet it under the table's
  // new form. `beside`: tables that are to be read again for it. False: a stop was asked for.
  Result<bool> finish(CopyRounds& rounds, std::set<postgres::TableName>& beside) {
    for (TableState& state : plan_.states) {
      if (state.state != State::copying) continue;
      const KeySource source{rounds.snapshot(), rounds.files()};
      if (state.sweep) CNX_TRY(sweep_table(context_, *graph_, owner_, state, source));
      CNX_TRY(std::vector<postgres::TableName> names, remove_stale_properties(context_, *graph_, owner_, state, source));
      beside.insert(names.begin(), names.end());
      if (context_.stop.asked) return false;
    }
    reach("resync_swept");
    CNX_TRY(widen_segments(rounds.seen_until()));
    for (TableState& state : plan_.states) {
      if (state.state == State::copying) end_copy(state);
    }
    if (!beside.empty()) CNX_TRY(read_again(*graph_, owner_, beside, plan_.states));
    progress_.begun_anew.insert(beside.begin(), beside.end());
    CNX_TRY(apply::write_table_states(*graph_, owner_, plan_.states, options_.mapping.fingerprint, soon()));
    reach("resync_written");
    return true;
  }

  static void end_copy(TableState& state) {
    state.state = State::streaming;
    state.reason.clear();
    forget_stale(state);
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
  ResyncProgress& progress_;
  capture::ToldTransactions& told_;
  Ground& ground_;
  TablePlan& plan_;
  const PipelineOptions& options_;
  std::optional<bolt::Connection> graph_;
  apply::CopyOwner owner_;
};

}  // namespace

Result<std::string> next_transaction(postgres::Session& session, TimePoint deadline) {
  CNX_TRY(postgres::Rows now, session.query("SELECT pg_catalog.pg_snapshot_xmax(pg_catalog.pg_current_snapshot())", deadline));
  return std::string(now.text(0, 0));
}

Result<bool> are_seen(capture::ToldTransactions& told, postgres::Session& session, TimePoint deadline) {
  CNX_TRY(postgres::Rows rows, session.query("SELECT pg_catalog.pg_current_snapshot()::text", deadline));
  CNX_TRY(change::PgSnapshot now, change::PgSnapshot::parse(rows.text(0, 0)));
  return told.are_seen_by(now);
}

Status wait_until_seen(capture::ToldTransactions& told, postgres::Session& session, StopRequest& stop) {
  constexpr int kMostLooks = 100;
  for (int look = 0; look < kMostLooks && !stop.asked; ++look) {
    if (look > 0) pause(stop, std::chrono::milliseconds(20));
    CNX_TRY(bool seen, are_seen(told, session, soon()));
    if (seen) return {};
  }
  return fail(Error(ErrorKind::unavailable, "a transaction that the stream has told of is not visible yet")
                  .advise("it waits for a synchronous standby, perhaps (pg_stat_activity: wait_event SyncRep)"));
}

Result<bool> shows_all(ResyncProgress& progress, capture::ToldTransactions& told, postgres::Session& session, TimePoint deadline) {
  if (!progress.writers_until.empty()) {
    CNX_TRY(postgres::Rows rows,
            session.query("SELECT pg_catalog.pg_snapshot_xmin(pg_catalog.pg_current_snapshot()) >= $1::pg_catalog.xid8",
                          {progress.writers_until}, deadline));
    CNX_TRY(bool ended, rows.boolean(0, 0));
    if (!ended) return false;
    progress.writers_until.clear();
  }
  return are_seen(told, session, deadline);
}

Result<ResyncTurn> resync_tables(CopyContext& context, ResyncProgress& progress, capture::ToldTransactions& told) {
  return Resync(context, progress, told).run();
}

}  // namespace cnx::pipeline
