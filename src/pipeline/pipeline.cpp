#include "pipeline/pipeline.hpp"

#include <fmt/format.h>

#include "apply/segments.hpp"
#include "apply/source_moves.hpp"
#include "capture/logical/logical_stage.hpp"
#include "capture/logical/slot_connection.hpp"
#include "capture/snapshot/snapshot_stage.hpp"
#include "pipeline/audit.hpp"
#include "pipeline/catalog_watch.hpp"
#include "pipeline/clean.hpp"
#include "pipeline/copy.hpp"
#include "pipeline/graph_marks.hpp"
#include "pipeline/pass.hpp"
#include "pipeline/old_slot.hpp"
#include "pipeline/ownership.hpp"
#include "pipeline/read_again.hpp"
#include "pipeline/letter_trials.hpp"
#include "pipeline/refetches.hpp"
#include "pipeline/refusals.hpp"
#include "pipeline/resync.hpp"
#include "pipeline/source_record.hpp"
#include "pipeline/source_view.hpp"
#include "record/ledger.hpp"
#include "record/own_updates.hpp"
#include "telemetry/log.hpp"

namespace cnx::pipeline {
namespace {

using telemetry::Activity;

constexpr Duration kGroundMax = std::chrono::seconds(30);

class Run {
 public:
  Run(const PipelineOptions& options, const RunOptions& run_options, StopRequest& stop, Figures& figures)
      : options_(options),
        run_options_(run_options),
        stop_(stop),
        figures_(figures),
        backoff_(1, std::chrono::milliseconds(200)),
        ownership_(options, run_options, stop, figures, [this] { return held_now(); }),
        audit_(options, figures),
        conflicts_(options, figures, audit_),
        refetches_(options, conflicts_),
        letters_(options, audit_),
        refusals_(options, letters_),
        trials_(options, letters_, conflicts_, refetches_),
        catalog_watch_(options, ground_) {}

  // Until it was stopped, or is done: what a new attempt may cure is tried again.
  Status run() {
    for (int attempt = 1; !stop_.asked; ++attempt) {
      Status ended = this->attempt();
      if (ended) return {};
      if (stop_.asked) {
        telemetry::log_info("stopped", "stopped: " + ended.error().describe(), telemetry::fields_of(ended.error()));
        return {};
      }
      if (refusal_.any()) {
        ended = settle();
        if (ended) {
          attempt = 0;  // It is another batch from here on.
          continue;
        }
      }
      if (ended.error().code() == apply::kEntityMissing) {
        Status read = read_again();
        if (read) continue;
        ended = std::move(read);
      }
      has_gone_another_way_ = ended.error().code() == capture::kGoneAnotherWay;
      if (has_gone_another_way_ || ended.error().code() == apply::kTableChanged || ended.error().code() == capture::kFailedOver) continue;
      ended = explain(std::move(ended.error()));
      const bool enough = run_options_.once && attempt >= kOnceAttempts;
      if (enough || !may_try_again(ended.error())) return fail(stream::advised(std::move(ended.error())));
      Duration wait = backoff_.next();
      figures_.retry(Side::start, "starting again", ended.error(), wait);
      pause(stop_, wait);
    }
    return {};
  }

 private:
  // Start-up as a story: nobody else is at it, what is there, does it fit together, copy what was there before, then
  // follow the changes.
  Status attempt() {
    is_owner_ = false;
    figures_.set(Activity::starting);
    CNX_TRY(own());
    figures_.set(Activity::starting);
    is_owner_ = true;
    while (!stop_.asked) {
      CNX_TRY(ownership_.wait_while_paused());
      if (stop_.asked) return {};
      Status ended = work();
      if (!ended || !ownership_.paused()) return ended;
    }
    return {};
  }

  // What does not fit may be the source's doing: that is asked, and then it has its name.
  Status explain(Error error) {
    if (error.code() == kGiveUpSlot) {
      telemetry::log_warning("slot_given_up", fmt::format("the slot {}: {}", options_.slot(), error.message()), {{"slot", options_.slot()}});
      CNX_TRY(record_given_up(ownership_.session(), options_.name, error.message(), Clock::now() + kGroundMax));
      CNX_TRY(drop_old_slot(options_, ownership_.lease().backend_pid(), stop_));
    }
    if (error.kind() != ErrorKind::state || !is_owner_) return fail(std::move(error));
    // Whoever took over from us has changed the graph: whether we come back is said where the lock is asked for.
    Result<bool> ours = ownership_.lease().is_ours();
    if (ours && !*ours) return fail(ErrorKind::unavailable, "the pipeline's lock is lost: " + error.describe());
    Result<SourceView> view = view_source(options_, Clock::now() + kGroundMax);
    if (view) CNX_TRY(capture::to_status(view->judgement));
    return fail(std::move(error));
  }

  bool may_try_again(const Error& error) const {
    if (stream::is_retried(stream::retry_class(error))) return true;
    // A secret is being changed: on the server first, and then where it is read.
    if (was_let_in_ && stream::is_login_refused(error)) return true;
    if (std::optional<capture::SourceState> state = capture::source_state_of(error)) {
      return options_.source.gap_action == "resync" && capture::is_gap(*state);
    }
    return false;
  }

  // Until it was stopped, is done, or was paused.
  Status work() {
    while (true) {
      CNX_TRY(look());
      if (stop_.asked) return {};
      if (wanted_ == change::Lsn()) wanted_ = ground_.system.wal_end;
      audit_.use({ground_.position->source.system_identifier, ground_.position->source.database});
      CNX_TRY(trials_.forget(ownership_.session(), ground_.plan));
      CNX_TRY(trials_.load(ownership_.session(), ground_.position->source, ground_.position->stored.lane.position));
      CopyContext context = copy_context();
      const KeepRefusal keep{context, *this};
      if (ground_.position->stored.lane.phase != apply::Phase::stream) {
        figures_.set(Activity::copying);
        CNX_TRY(copy_tables(context));
        if (ended_early()) return {};
        // A copy from the beginning is all that was asked for.
        CNX_TRY(ownership_.end_request(ground_.asked));
        CNX_TRY(look());
        if (stop_.asked) return {};
      }
      const TimePoint began = Clock::now();
      Result<ResyncTurn> turn = resync_tables(context, resync_, told_);
      turn_took_ = Clock::now() - began;
      forget_begun_anew();
      CNX_TRY(turn_, std::move(turn));
      catalog_watch_.forget_traces();
      CNX_TRY(ownership_.end_request(ground_.asked));
      if (turn_ == ResyncTurn::stopped || ended_early()) return {};
      figures_.count(ground_.plan.states);
      CNX_TRY(look_again_, clean(context, ground_.position->stored.lane.position.lsn));
      if (look_again_) continue;
      CNX_TRY(change::Position reached, follow());
      if (ended_early()) return {};
      CNX_TRY(bool again, clean(context, reached.lsn));
      look_again_ = look_again_ || again;
      if (turn_ == ResyncTurn::done && !look_again_) return {};
    }
  }

  Result<bool> clean(CopyContext& context, change::Lsn reached) {
    CNX_TRY(bool may, may_clean(reached));
    if (!may) return false;
    Result<bool> again = clean_tables(context, resync_, reached);
    forget_begun_anew();
    return again;
  }

  // A row that is in the graph already and not visible yet would be taken for one that went.
  Result<bool> may_clean(change::Lsn reached) {
    if (!is_due(ground_.plan.states, reached)) return false;
    return shows_all(resync_, told_, ownership_.session(), Clock::now() + kGroundMax);
  }

  // A row of them that was read before is older than what is copied.
  void forget_begun_anew() {
    for (const postgres::TableName& name : resync_.begun_anew) refetches_.forget(name);
  }

  // Between two turns of a copy: until the stream has caught up with what there was, or has had as long as the copy. A copy that
  // waits for others leaves it all of that time.
  bool turn_is_over(change::Lsn reached, TimePoint began) const {
    if (turn_ == ResyncTurn::done) return false;
    return (turn_ == ResyncTurn::more && reached >= ground_.system.wal_end) ||
           Clock::now() >= began + std::max(run_options_.copy_turn, turn_took_);
  }

  bool ended_early() const { return stop_.asked || ownership_.paused(); }

  Status own() {
    CNX_TRY(bool anew, ownership_.take());
    if (anew) {
      record_.forget();
      is_alone_ = false;
      reached_.reset();
      audit_.forget();
    }
    if (stop_.asked) return {};
    // What another process was told of may not be visible yet.
    resync_ = {};
    CNX_TRY(resync_.writers_until, next_transaction(ownership_.session(), Clock::now() + kGroundMax));
    return {};
  }

  Status end_former_owner() {
    if (is_alone_) return {};
    CNX_TRY(bolt::Connection graph, open_graph(options_, Clock::now() + kGroundMax));
    CNX_TRY(end_former_transactions(graph, options_));
    is_alone_ = true;
    return {};
  }

  // Where the graph stands, while it is known: not before a start has looked, nor while rows are copied for the first time.
  std::optional<capture::HeldPosition> held_now() const {
    if (!ground_.position || (following_ == nullptr && !reached_)) return std::nullopt;
    capture::HeldPosition held = held_position(*ground_.position);
    held.position = following_ != nullptr ? following_->position() : *reached_;
    held.epoch = std::max(held.epoch, record_.epoch());
    return held;
  }

  // Until both sides fit, or it is for a person to choose.
  Status look() {
    CNX_TRY(end_former_owner());
    while (true) {
      reached_.reset();
      CNX_TRY(ground_, read_ground(options_, catalog_watch_.traces(), Clock::now() + kGroundMax));
      was_let_in_ = true;
      plan_.emplace(*ground_.catalog.model);
      ownership_.use(ground_.system);
      CNX_TRY(bool moved, settle_source());
      if (stop_.asked) return {};
      if (moved) continue;
      if (ground_.position->stored.lane.phase == apply::Phase::stream) reached_ = ground_.position->stored.lane.position;
      return check_ground();
    }
  }

  // Whether the position was moved: to a slot behind a gap, or to another timeline.
  Result<bool> settle_source() {
    const capture::SourceJudgement judgement = has_gone_another_way_ ? capture::gone_another_way() : judge(ground_);
    has_gone_another_way_ = false;
    all_asked_ = all_asked_ || ground_.asked.all();
    if (is_to_be_read_again(judgement, all_asked_, options_.source)) {
      CopyContext context = copy_context();
      CNX_TRY(read_all_again(context, judgement));
      // What the slot begins behind may not be visible to a read yet.
      CNX_TRY(resync_.writers_until, next_transaction(ownership_.session(), Clock::now() + kGroundMax));
      CNX_TRY(ownership_.end_request(ground_.asked));
      all_asked_ = false;
      record_.forget();
      return true;
    }
    CNX_TRY(capture::to_status(judgement));
    if (judgement.state != capture::SourceState::failed_over) return false;
    CNX_TRY(follow_source(options_, ground_.system, Clock::now() + kGroundMax));
    const std::string position = ground_.position->stored.lane.position.to_string();
    telemetry::log_warning("failed_over", fmt::format("{}: going on there from {}", judgement.happened, position), {{"position", position}});
    return true;
  }

  Status check_ground() {
    CNX_TRY(check_tables(ground_.catalog));
    CNX_TRY(check_publication(ground_.catalog, ground_.plan.publication, options_.publication()));
    // Of a copy that is not done the mapping stays; later what differs is synced anew.
    if (ground_.position->stored.lane.phase == apply::Phase::snapshot &&
        ground_.position->source.fingerprint != options_.mapping.fingerprint) {
      return fail(Error(ErrorKind::state, "the graph was built with another mapping")
                      .advise("run with that mapping; or contextnexus drop --graph, then init and run build it with this one"));
    }
    return {};
  }

  CopyContext copy_context() {
    return {.options = options_,
            .run_options = run_options_,
            .stop = stop_,
            .ground = ground_,
            .owner = ownership_.session(),
            .lease_pid = ownership_.lease().backend_pid(),
            .paused_or_lost = [this] { return ownership_.paused_or_lost(); },
            .figures = figures_,
            .audit = audit_,
            .dead = trials_.keys(false),
            .narrowing = refusals_.of_copy()};
  }

  // What a copy was refused outlives it, however it ended.
  struct KeepRefusal {
    CopyContext& context;
    Run& run;
    ~KeepRefusal() {
      run.letters_.applied(context.rows_applied);
      if (context.refusal.any()) {
        run.refusal_ = std::move(context.refusal);
      } else if (context.rows_applied > 0) {
        run.refusals_.end_copy();
      }
    }
  };

  Status settle() {
    Status settled = refusals_.settle(std::exchange(refusal_, {}), ground_.catalog, *plan_, ownership_.session());
    if (!settled && settled.error().code() == apply::kEntityMissing) lacking_ = refusals_.take_lacking();
    return settled;
  }

  Result<bool> catalog_changed() {
    CNX_TRY(bool changed, catalog_watch_.changed(ownership_.session()));
    if (!catalog_watch_.has_asked()) return changed;
    // So that only those are remembered that are not visible yet.
    CNX_TRY(are_seen(told_, ownership_.session(), Clock::now() + kGroundMax));
    return changed;
  }

  // Until it was stopped, is done, was paused, or something has to be looked into: where the graph stands then.
  Result<change::Position> follow() {
    TimePoint deadline = Clock::now() + kGroundMax;
    apply::StoredPosition start;
    std::vector<change::Segment> segments;
    change::Lsn tried_until;
    {
      CNX_TRY(bolt::Connection graph, open_graph(options_, deadline));
      CNX_TRY(make_constraints(graph, *ground_.catalog.model));
      // What the graph held a moment ago is no start: a transaction of an instance that was killed may
      // have been done since.
      CNX_TRY(start, apply::raise_epoch(graph, apply::lane_key(options_.name), deadline, ground_.record.epoch.value_or(0)));
      const apply::CopyOwner owner{.pipeline = options_.name, .epoch = start.epoch};
      const apply::Source& known = ground_.position->source;
      if (known.database_oid != ground_.system.database_oid || known.database != ground_.system.database) {
        CNX_TRY(apply::follow_source(graph, owner, source_of(options_, ground_.system), deadline));
      }
      CNX_TRY(record_.begin(ownership_.session(), graph, owner, deadline));
      CNX_TRY(segments, apply::read_segments(graph, options_.name, deadline));
      CNX_TRY(refetches_.begin(ground_.catalog, graph, start, [this] { return wait_until_told_is_seen(); }));
      CNX_TRY(tried_until, trials_.begin(ownership_.session(), graph, ground_, start.lane, [this] { return wait_until_told_is_seen(); }));
    }
    CNX_TRY(capture::CopiedRows copied, capture::CopiedRows::make(segments));
    bool consistent = segments.empty();
    std::vector<record::SyncTable> sync_tables;
    if (run_options_.write_back) {
      CNX_TRY(sync_tables, write_back_tables(ownership_.session(), ground_.catalog, Clock::now() + kGroundMax));
    }
    figures_.begin_stream(start.lane.position.lsn, ground_.position->commit_microseconds);
    figures_.consistent = consistent;
    Pass pass(options_, *ground_.catalog.model, ground_.catalog.types, *plan_, start, stop_, figures_,
              {.audit = audit_,
               .sync_tables = sync_tables,
               .recorded_epoch = record_.epoch(),
               .refetched = refetches_.rows(),
               .held = ground_.catalog.held,
               .expects = [this](const change::Relation& relation) { return catalog_watch_.expects(relation); },
               .trials = trials_,
               .owner = ownership_.session(),
               .narrowing = refusals_.of_stream(),
               .on_conflicts = [this](const apply::Batch& batch, const auto& met) { conflicts_.tell(batch, met); }});
    capture::SlotConnection slot({.connection = options_.postgres,
                                  .source = held_position(*ground_.position),
                                  .publication = options_.publication(),
                                  .free_slot = [this, lease = ownership_.lease().backend_pid()](
                                                   postgres::Session& session,
                                                   TimePoint until) { free_slot(session, options_, lease, until); }});
    capture::LogicalOptions logical = options_.logical;
    logical.start = start.lane.position;
    logical.last = start.last;
    // Until the position has passed what the copy saw, the graph is not consistent: somebody waits for that.
    logical.wanted = consistent ? change::Lsn() : copied.open() ? ground_.system.wal_end : copied.seen_until();
    if (run_options_.once) logical.wanted = std::max(wanted_, logical.wanted);
    logical.wanted = std::max({logical.wanted, due_until(ground_.plan.states), tried_until});
    logical.copied = &copied;
    logical.told = &told_;
    audit_.listen(logical, ownership_.session(), ground_.slot ? ground_.slot->confirmed_flush.value_or(change::Lsn()) : change::Lsn());
    CNX_TRY(catalog_watch_.begin_pass());
    logical.hears_of = [this](const change::Relation& relation, const change::Relation* before, change::Lsn at) {
      return catalog_watch_.hears_of(relation, before, at);
    };
    record::OwnUpdates own_updates(sync_tables, record::origin_name(options_.name));
    if (!sync_tables.empty()) {
      logical.passes_over = [&](const change::RowChange& row, std::string_view origin) {
        return own_updates.contains(row, origin);
      };
    }
    const TimePoint began = Clock::now();
    capture::LogicalStage stage(slot, pass.events(), pass.acknowledgement(), figures_.capture, logical,
                                tell_retry(figures_, Side::source, "PostgreSQL"));
    // Of each of a copy's turns nobody wants to read.
    const auto level = turn_ == ResyncTurn::done ? telemetry::Level::info : telemetry::Level::debug;
    telemetry::log({level, "following", fmt::format("following {} from {}", options_.slot(), start.lane.position.to_string()),
                    {{"slot", options_.slot()}, {"position", start.lane.position.to_string()}}});
    figures_.set(turn_ == ResyncTurn::more ? Activity::copying : Activity::streaming);
    const uint64_t rows_before = figures_.lane.rows, transactions_before = figures_.lane.transactions;
    const uint64_t refused_before = figures_.lane.refused;
    const stream::Acknowledgement& acknowledgement = pass.acknowledgement();
    following_ = &acknowledgement;
    reached_.reset();
    Status ran = pass.run(stage, run_options_, [&]() -> Result<bool> {
      CNX_TRY(bool paused, ownership_.paused_or_lost());
      ownership_.lease().say_in_step(change::Lsn(figures_.capture.in_step));
      if (!consistent && turn_ == ResyncTurn::done && acknowledgement.position() >= change::Position{copied.seen_until(), 0}) {
        CNX_TRY(forget_copy(options_, start.epoch));
        consistent = true;
        figures_.consistent = true;
        all_asked_ = false;
      }
      CNX_TRY(bool changed, catalog_changed());
      const change::Position reached = acknowledgement.position();
      CNX_TRY(bool cleans, may_clean(reached.lsn));
      CNX_TRY(bool letters, trials_.watch(ownership_.session(), reached));
      const bool news = ownership_.take_letter_news();
      look_again_ = look_again_ || changed || letters || news || ownership_.resync_asked() || cleans;
      if (paused || look_again_ || turn_is_over(reached.lsn, began)) return true;
      const bool all = turn_ == ResyncTurn::done && reached >= change::Position{logical.wanted, 0};
      return run_options_.once && all && !is_due(ground_.plan.states, reached.lsn);
    });
    following_ = nullptr;
    letters_.applied(figures_.lane.rows - rows_before);
    if (!ran) {
      lacking_ = pass.lacking();
      refusal_ = pass.take_refusal();
      catalog_watch_.end_pass(pass.unexpected());
      return fail(std::move(ran.error()));
    }
    const std::string position = acknowledgement.position().to_string();
    const uint64_t rows = figures_.lane.rows - rows_before, transactions = figures_.lane.transactions - transactions_before;
    const uint64_t refused = figures_.lane.refused - refused_before;
    telemetry::log({level, "followed",
                    fmt::format("at {}: {} rows of {} transactions applied, {} conflicts in which the graph kept what it had", position,
                                rows, transactions, refused),
                    {{"position", position}, {"rows", rows}, {"transactions", transactions}, {"refused", refused}}});
    reached_ = acknowledgement.position();
    CNX_TRY(bool more, trials_.end(ownership_.session(), *reached_));
    look_again_ = look_again_ || more;
    if (ended_early() || run_options_.once) {
      CNX_TRY(record_.end(ownership_.session(), options_.name, reached_->lsn, Clock::now() + kGroundMax));
    }
    return *reached_;
  }

  Status read_again() {
    CNX_TRY(wait_until_told_is_seen());
    CNX_TRY(refetches_.read(ground_.catalog, std::exchange(lacking_, {})));
    return conflicts_.carry_out(ownership_.session(), letters_);
  }

  Status wait_until_told_is_seen() { return wait_until_seen(told_, ownership_.session(), stop_); }

  // `run --once` is for scripts: it waits for a database that is starting, not for ever.
  static constexpr int kOnceAttempts = 10;

  const PipelineOptions& options_;
  const RunOptions& run_options_;
  StopRequest& stop_;
  Figures& figures_;
  stream::Backoff backoff_;
  Ownership ownership_;
  bool is_owner_ = false;       // Of the pipeline, since this attempt began.
  bool is_alone_ = false;       // Nothing is open in Neo4j of an owner before.
  OwnerRecord record_;
  Ground ground_;
  const stream::Acknowledgement* following_ = nullptr;  // Of the pass that is under way.
  std::optional<change::Position> reached_;             // By the last one, while nobody moves it.
  std::vector<mapping::LackingRow> lacking_;         // Of the pass that has ended.
  Audit audit_;
  Conflicts conflicts_;
  Refetches refetches_;
  DeadLetters letters_;
  Refusals refusals_;
  PassRefusal refusal_;  // Of the pass that has ended.
  LetterTrials trials_;
  CatalogWatch catalog_watch_;
  bool look_again_ = false;
  bool has_gone_another_way_ = false;  // PostgreSQL, as the stream has shown.
  bool all_asked_ = false;             // All tables to be read again, by a person, and they are not all yet.
  bool was_let_in_ = false;  // By both servers, since the process began.
  ResyncProgress resync_;
  capture::ToldTransactions told_;  // By the stream, to this process.
  ResyncTurn turn_ = ResyncTurn::done;
  Duration turn_took_{};
  std::optional<cypher::Plan> plan_;
  change::Lsn wanted_;
};

}  // namespace

Status run(const PipelineOptions& options, const RunOptions& run_options, StopRequest& stop, Figures& figures) {
  return Run(options, run_options, stop, figures).run();
}

}  // namespace cnx::pipeline
