#include "apply/lane_stage.hpp"

#include <algorithm>

#include "base/failpoint.hpp"

namespace cnx::apply {

using stream::RetryClass;
using stream::Step;

namespace {

// So often a batch is tried as it is before it is cut smaller.
constexpr size_t kTriesAtOneSize = 4;
// So often it is asked whether an attempt may begin. Only while whoever is told of it has no room, and is slower than the graph.
constexpr Duration kRoomLook = std::chrono::milliseconds(10);

Attempt::Outcome outcome_of(const Error& error, RetryClass retry, bool given_up) {
  using enum Attempt::Outcome;
  if (given_up) return refused;
  if (error.kind() == ErrorKind::unavailable || error.kind() == ErrorKind::timeout) return lost;
  return stream::is_retried(retry) || error.code() == kEntityMissing ? retried : failed;
}

size_t count_kept(const std::vector<MetConflict>& conflicts) {
  return static_cast<size_t>(std::count_if(conflicts.begin(), conflicts.end(), [](const MetConflict& each) { return each.kept; }));
}

// Rows that the graph does not have, since it kept something else.
void mark_kept(std::vector<mapping::AppliedRow>& rows, const std::vector<MetConflict>& conflicts) {
  std::set<std::pair<mapping::TableName, std::string>> kept;
  for (const MetConflict& each : conflicts) {
    if (each.kept) kept.insert({each.table, each.key});
  }
  if (kept.empty()) return;
  for (mapping::AppliedRow& row : rows) {
    std::string key;
    for (const mapping::Key& part : row.key) key += (key.empty() ? "" : ",") + mapping::to_text(part);
    row.conflict = kept.contains({row.table, key});
  }
}

}  // namespace

LaneStage::LaneStage(stream::Queue<Batch>& batches, GraphPort& graph,
                     stream::Acknowledgement& acknowledgement, LaneCounters& counters,
                     LaneOptions options, std::function<void(const Error&, Duration)> on_retry)
    : batches_(batches),
      graph_(graph),
      acknowledgement_(acknowledgement),
      counters_(counters),
      options_(std::move(options)),
      on_retry_(std::move(on_retry)),
      position_(options_.start.lane),
      backoff_(options_.seed) {}

Step LaneStage::step(TimePoint now) {
  if (std::optional<Error> failure = batches_.failure()) return Step::failed(*failure);
  if (must_wait()) return Step::wait_until(now + kRoomLook);
  switch (state_) {
    case State::disconnected:
      return connect(now);
    case State::ready:
      return start_next(now);
    case State::under_way:
      return follow(now);
  }
  return Step::done();
}

bool LaneStage::must_wait() const {
  if (!options_.may_begin || state_ == State::under_way) return false;
  const bool ended = !current_ && !next_ && batches_.drained();
  return !ended && !options_.may_begin();
}

Step LaneStage::connect(TimePoint now) {
  // Ended with nothing in hand: no connection is needed for that.
  if (!current_ && !next_ && batches_.drained()) return Step::done();
  if (now < retry_at_) return Step::wait_until(retry_at_);
  Result<StoredPosition> stored = graph_.open(now + options_.open_max);
  if (!stored) return retry(std::move(stored.error()), now);
  if (stored->epoch != options_.start.epoch) {
    return Step::failed(Error(ErrorKind::state, "another instance has taken over this pipeline")
                            .advise("stop one of the two; the one that took over goes on"));
  }
  counters_.connected = true;
  state_ = State::ready;
  if (!current_) {
    if (same_place(stored->lane, position_)) return Step::progressed();
  } else if (same_place(stored->lane, current_->batch.to)) {
    // The commit was done, only its answer was lost.
    settle_back_off();
    finish(Applied(std::move(current_->reported)), now);
    return Step::progressed();
  } else if (same_place(stored->lane, current_->batch.from)) {
    // A piece may have been done, only its answer lost: it does no harm once more.
    attempt(now);
    return Step::progressed();
  }
  return Step::failed(
      Error(ErrorKind::state, "the position in the graph is not where this pipeline left it")
          .with("graph", stored->lane.position.to_string())
          .with("expected", position_.position.to_string())
          .advise("the graph was restored or changed by hand; start again: the start says what to "
                  "choose"));
}

Step LaneStage::start_next(TimePoint now) {
  if (!next_ && !prepare_next()) {
    return batches_.drained() ? Step::done() : Step::wait_until(kNever);
  }
  current_ = std::move(next_);
  next_.reset();
  current_->begun = now;
  counters_.under_way = true;
  CNX_CHECK(current_->batch.from == position_, "a batch starts where the one before it ended");
  attempt(now);
  return follow(now);
}

void LaneStage::attempt(TimePoint now) {
  ++current_->attempts;
  current_->tried = now;
  submit(now);
}

void LaneStage::tell(Attempt::Outcome outcome, size_t refused, const Error* error, TimePoint now) {
  if (!options_.on_attempt) return;
  options_.on_attempt(current_->batch, {.outcome = outcome,
                                        .number = current_->attempts,
                                        .took = now - current_->tried,
                                        .refused = refused,
                                        .error = error});
}

void LaneStage::submit(TimePoint now) {
  reach("batch_begins");
  graph_.submit(current_->batch, *current_->prepared, current_->part, options_.start.epoch, now);
  state_ = State::under_way;
}

// After a piece: the next one of its step, or of the next step, then the rest of the batch. Says
// whether there was more to do.
bool LaneStage::go_on_in_pieces(const Applied& applied, TimePoint now) {
  Part& part = current_->part;
  if (part.kind != Part::Kind::piece) return false;
  reach("piece_answered");
  if (applied.removed == 0) ++part.step;
  if (part.step == current_->prepared->removal_steps()) part = {.kind = Part::Kind::rest};
  counters_.answers += 1;
  answers_ = 0;
  submit(now);
  return true;
}

Step LaneStage::follow(TimePoint now) {
  Result<std::optional<Applied>> applied = graph_.poll(now);
  count_answers();
  if (!applied) return retry(std::move(applied.error()), now);
  if (*applied) {
    reach("batch_answered");
    settle_back_off();
    if (!go_on_in_pieces(**applied, now)) finish(**applied, now);
    return Step::progressed();
  }
  if (!next_ && prepare_next()) return Step::progressed();
  if (!graph_.wants_write()) reach("batch_sent");
  return Step::wait_until(graph_.deadline()).on(graph_.descriptor(), true, graph_.wants_write());
}

bool LaneStage::prepare_next() {
  std::optional<Batch> batch = batches_.try_pop();
  if (!batch) return false;
  next_.emplace(Work{.batch = std::move(*batch)});
  // What moves the position alone, as an idle advance does, is nobody's change.
  const bool tells = next_->batch.rows > 0 || !next_->batch.audited.empty();
  if (tells) next_->batch.correlation_id = change::correlation_id(options_.source, next_->batch.to.position);
  next_->prepared = graph_.prepare(next_->batch);
  if (options_.on_applied) next_->batch.applied = mapping::applied_rows(next_->batch.mutations, options_.told_tables);
  next_->lacking = mapping::lacking_rows(next_->batch.mutations);
  next_->batch.mutations = {};  // Said in the prepared form; held twice it would double the memory.
  return true;
}

void LaneStage::count_answers() {
  const size_t answers = graph_.answers();
  if (answers <= answers_) return;
  counters_.answers += answers - answers_;
  answers_ = answers;
}

void LaneStage::finish(const Applied& applied, TimePoint now) {
  const Batch& batch = current_->batch;
  position_ = batch.to;
  counters_.batches += 1;
  counters_.rows += batch.rows;
  counters_.transactions += batch.transactions;
  counters_.conflicts += applied.conflicts.size();
  const size_t refused = count_kept(applied.conflicts);
  counters_.refused += refused;
  // Before the position is acknowledged, as the attempt is.
  if (options_.on_conflicts && !applied.conflicts.empty()) options_.on_conflicts(batch, applied.conflicts);
  tell(Attempt::Outcome::applied, refused, nullptr, now);
  // While rows are copied nothing may be confirmed: the position stands at the slot's start.
  if (position_.phase == Phase::stream) {
    acknowledgement_.advance(position_.position);
    reach("batch_acknowledged");
    if (position_.position.ordinal != 0) reach("part_acknowledged");
  }
  if (batch.segment) {
    reach("copy_batch_answered");
    if (batch.segment->done) reach("copy_segment_answered");
  }
  if (options_.on_batch) options_.on_batch(batch, now - current_->begun);
  if (options_.on_applied) {
    mark_kept(current_->batch.applied, applied.conflicts);
    options_.on_applied(std::move(current_->batch.applied));
  }
  current_.reset();
  counters_.under_way = false;
  counters_.answers += 1;
  answers_ = 0;
  state_ = State::ready;
}

Step LaneStage::retry(Error error, TimePoint now) {
  const bool tried = state_ == State::under_way;
  if (current_ && state_ == State::under_way) current_->reported = graph_.reported();
  graph_.close();
  state_ = State::disconnected;
  counters_.connected = false;
  if (current_ && !current_->batch.correlation_id.empty()) {
    Error named = std::move(error).with("correlation_id", current_->batch.correlation_id);
    error = std::move(named);
  }
  if (tried && graph_.refused_together()) {
    current_->part.apart = true;
    tell(Attempt::Outcome::retried, 0, &error, now);
    return Step::progressed();
  }
  if (error.code() == kTooLargeAtOnce && current_->part.kind == Part::Kind::whole) {
    current_->part = {.kind = Part::Kind::piece};
    counters_.removals_in_pieces += 1;
    tell(Attempt::Outcome::retried, 0, &error, now);
    if (on_retry_) on_retry_(error, Duration::zero());
    return Step::progressed();
  }
  if (error.code() == kEntityMissing) lacking_ = std::move(current_->lacking);
  // A refused compare-and-set is no answer by itself: the position read next says whether the batch
  // was applied before, or whose the graph is now.
  const bool position_refused = error.code() == kPositionRefused;
  const RetryClass retry = position_refused ? RetryClass::later : stream::retry_class(error);
  const bool given_up = is_given_up(retry);
  if (tried) tell(outcome_of(error, retry, given_up), 0, &error, now);
  if (given_up) {
    refused_.emplace(RefusedBatch{std::move(current_->batch), graph_.failed_statement(), error});
    current_.reset();
    counters_.under_way = false;
    return Step::failed(std::move(error));
  }
  if (!stream::is_retried(retry)) return Step::failed(std::move(error));
  const bool at_once = retry == RetryClass::at_once && retries_in_a_row_ == 0;
  ++retries_in_a_row_;
  Duration wait = at_once ? Duration::zero() : backoff_.next();
  retry_at_ = now + wait;
  counters_.retries += 1;
  if (on_retry_) on_retry_(error, wait);
  return Step::wait_until(retry_at_);
}

// The batch will not do as it is: whoever runs the pass cuts it smaller, or looks for the row at fault.
bool LaneStage::is_given_up(RetryClass retry) {
  if (!current_) return false;
  switch (retry) {
    case RetryClass::dead_letter:
    case RetryClass::in_pieces:
      return true;
    case RetryClass::smaller:
      return ++current_->refusals >= kTriesAtOneSize && current_->batch.may_be_cut();
    default:
      return false;
  }
}

void LaneStage::settle_back_off() {
  backoff_.reset();
  retries_in_a_row_ = 0;
}

}  // namespace cnx::apply
