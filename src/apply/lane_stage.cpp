#include "apply/lane_stage.hpp"

#include <algorithm>

namespace cnx::apply {

using stream::RetryClass;
using stream::Step;

namespace {

// So often a batch is tried as it is before it is cut smaller.
constexpr size_t kTriesAtOneSize = 4;

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
    submit(now);
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
  submit(now);
  return follow(now);
}

void LaneStage::submit(TimePoint now) {
  graph_.submit(current_->batch, *current_->prepared, current_->part, options_.start.epoch, now);
  state_ = State::under_way;
}

// After a piece: the next one of its step, or of the next step, then the rest of the batch. Says
// whether there was more to do.
bool LaneStage::go_on_in_pieces(const Applied& applied, TimePoint now) {
  Part& part = current_->part;
  if (part.kind != Part::Kind::piece) return false;
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
    settle_back_off();
    if (!go_on_in_pieces(**applied, now)) finish(**applied, now);
    return Step::progressed();
  }
  if (!next_ && prepare_next()) return Step::progressed();
  return Step::wait_until(graph_.deadline()).on(graph_.descriptor(), true, graph_.wants_write());
}

bool LaneStage::prepare_next() {
  std::optional<Batch> batch = batches_.try_pop();
  if (!batch) return false;
  next_.emplace(Work{.batch = std::move(*batch)});
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
  counters_.refused += static_cast<uint64_t>(std::count_if(applied.conflicts.begin(), applied.conflicts.end(), [](const MetConflict& each) { return each.kept; }));
  // While rows are copied nothing may be confirmed: the position stands at the slot's start.
  if (position_.phase == Phase::stream) acknowledgement_.advance(position_.position);
  if (options_.on_batch) options_.on_batch(batch, now - current_->begun);
  if (options_.on_conflicts && !applied.conflicts.empty()) options_.on_conflicts(batch, applied.conflicts);
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
  if (current_ && state_ == State::under_way) current_->reported = graph_.reported();
  graph_.close();
  state_ = State::disconnected;
  counters_.connected = false;
  if (error.code() == kTooLargeAtOnce && current_->part.kind == Part::Kind::whole) {
    current_->part = {.kind = Part::Kind::piece};
    counters_.removals_in_pieces += 1;
    if (on_retry_) on_retry_(error, Duration::zero());
    return Step::progressed();
  }
  if (error.code() == kEntityMissing) lacking_ = std::move(current_->lacking);
  // A refused compare-and-set is no answer by itself: the position read next says whether the batch
  // was applied before, or whose the graph is now.
  const bool position_refused = error.code() == kPositionRefused;
  const RetryClass retry = position_refused ? RetryClass::later : stream::retry_class(error);
  if (is_given_up(retry)) {
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
