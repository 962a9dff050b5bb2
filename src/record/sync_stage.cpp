#include "record/sync_stage.hpp"

#include <algorithm>
#include <iterator>

namespace cnx::record {

using stream::Step;

void SyncQueue::push(std::vector<AppliedRow>&& rows) {
  if (rows.empty()) return;
  {
    std::lock_guard lock(mutex_);
    if (rows_.size() + rows.size() > rows_max_) {
      dropped_ = true;
    } else {
      std::move(rows.begin(), rows.end(), std::back_inserter(rows_));
    }
  }
  if (wake_) wake_();
}

std::vector<AppliedRow> SyncQueue::take() {
  std::lock_guard lock(mutex_);
  return std::exchange(rows_, {});
}

bool SyncQueue::take_dropped() {
  std::lock_guard lock(mutex_);
  return std::exchange(dropped_, false);
}

void SyncQueue::abandon() {
  {
    std::lock_guard lock(mutex_);
    abandoned_ = true;
  }
  if (wake_) wake_();
}

bool SyncQueue::abandoned() const {
  std::lock_guard lock(mutex_);
  return abandoned_;
}

SyncStage::SyncStage(SyncQueue& queue, SyncPort& port, SyncCounters& counters, SyncOptions options,
                     std::function<void(const Error&, Duration)> on_retry)
    : queue_(queue),
      port_(port),
      counters_(counters),
      options_(options),
      on_retry_(std::move(on_retry)),
      backoff_(options.seed, std::chrono::milliseconds(100), options.sweep_interval),
      waiting_(port.tables()) {}

Step SyncStage::step(TimePoint now) {
  if (queue_.abandoned()) return Step::done();
  if (now < retry_at_) return stopping_ ? Step::done() : Step::wait_until(retry_at_);
  // While some of it still waits, more is left in the queue, which is bounded.
  if (!table_with_work()) sort_in(queue_.take());
  if (queue_.take_dropped()) sweep_at_ = std::min(sweep_at_, now + options_.round_interval);
  if (now >= round_at_ && !stopping_) {
    round_at_ = kNever;
    sort_in(std::exchange(locked_, {}));
  }
  const std::optional<size_t> table = table_with_work();
  const bool sweep_due = sweeping_ || now >= sweep_at_;
  const bool sweeps = sweep_due && (!stopping_ || options_.finish_sweep);
  if (!table && !sweeps) return stopping_ ? Step::done() : Step::wait_until(std::min(sweep_at_, round_at_));
  if (!open_) {
    if (Status opened = port_.open(now + options_.call_max); !opened) return lose(opened.error(), now);
    open_ = true;
  }
  return table ? write(*table, now) : sweep(now);
}

void SyncStage::sort_in(std::vector<AppliedRow>&& rows) {
  for (AppliedRow& row : rows) {
    std::optional<size_t> table = port_.table_of(row);
    if (table) waiting_[*table].push_back(std::move(row));
  }
}

std::optional<size_t> SyncStage::table_with_work() const {
  for (size_t table = 0; table < waiting_.size(); ++table) {
    if (!waiting_[table].empty()) return table;
  }
  return std::nullopt;
}

Step SyncStage::write(size_t table, TimePoint now) {
  std::vector<AppliedRow>& waiting = waiting_[table];
  const size_t count = std::min(waiting.size(), options_.rows_at_once);
  const auto first = waiting.end() - static_cast<std::ptrdiff_t>(count);
  std::vector<AppliedRow> rows(std::make_move_iterator(first), std::make_move_iterator(waiting.end()));
  waiting.erase(first, waiting.end());
  Result<std::vector<AppliedRow>> locked = port_.write(table, rows, now + options_.call_max);
  // What was being written is found again by the sweep that follows the failure.
  if (!locked) return lose(locked.error(), now);
  backoff_.reset();
  counters_.written += rows.size() - locked->size();
  keep_locked(std::move(*locked), now);
  return Step::progressed();
}

void SyncStage::keep_locked(std::vector<AppliedRow>&& rows, TimePoint now) {
  if (rows.empty()) return;
  counters_.locked += rows.size();
  // The newest version of a row that was locked in both is the only one that can still be written; the older is passed over.
  if (locked_.size() + rows.size() <= options_.locked_max) std::move(rows.begin(), rows.end(), std::back_inserter(locked_));
  if (round_at_ == kNever && !locked_.empty()) round_at_ = now + options_.round_interval;
}

Step SyncStage::sweep(TimePoint now) {
  if (!sweeping_) {
    sweeping_ = true;
    sweep_table_ = 0;
    sweep_after_.reset();
  }
  if (sweep_table_ >= port_.tables()) {
    sweeping_ = false;
    sweep_at_ = now + options_.sweep_interval;
    return Step::progressed();
  }
  Result<SweptPage> page = port_.sweep(sweep_table_, sweep_after_, now + options_.call_max);
  if (!page) return lose(page.error(), now);
  backoff_.reset();
  sort_in(std::move(page->rows));
  sweep_after_ = std::move(page->next);
  if (!sweep_after_) ++sweep_table_;
  return Step::progressed();
}

// It goes on later, from a new sweep. Nothing here is worth the line's end: an error that a person must cure is said again
// at each sweep.
Step SyncStage::lose(const Error& error, TimePoint now) {
  port_.close();
  open_ = false;
  sweeping_ = false;
  sweep_at_ = TimePoint::min();
  counters_.failures += 1;
  const bool person = stream::retry_class(error) == stream::RetryClass::stop;
  const Duration wait = person ? options_.sweep_interval : backoff_.next();
  retry_at_ = now + wait;
  if (on_retry_) on_retry_(error, wait);
  return stopping_ ? Step::done() : Step::wait_until(retry_at_);
}

}  // namespace cnx::record
