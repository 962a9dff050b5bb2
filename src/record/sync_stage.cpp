#include "record/sync_stage.hpp"

#include <algorithm>
#include <iterator>

#include "base/failpoint.hpp"

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

size_t SyncQueue::size() const {
  std::lock_guard lock(mutex_);
  return rows_.size();
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

SyncStage::SyncStage(SyncQueue& queue, SyncPort& port, SyncCounters& counters, SyncOptions options, TellProblem tell)
    : queue_(queue),
      port_(port),
      counters_(counters),
      options_(options),
      tell_(std::move(tell)),
      connection_(stream::Backoff(options.seed, std::chrono::milliseconds(100), options.sweep_interval)) {
  for (size_t table = 0; table < port.tables(); ++table) {
    tables_.emplace_back(stream::Backoff(options.seed + table, std::chrono::milliseconds(500), options.sweep_interval));
  }
}

Step SyncStage::step(TimePoint now) {
  if (queue_.abandoned()) return Step::done();
  if (now < connection_.until) return stopping_ ? Step::done() : Step::wait_until(connection_.until);
  look_at_queue(now);
  const bool has_work = table_to_write(now) || table_to_sweep(now) || record_due(now);
  if (!has_work) return stopping_ ? end(now) : Step::wait_until(next_due(now));
  if (!open_) {
    if (Status opened = port_.open(now + options_.call_max); !opened) return lose(opened.error(), now);
    open_ = true;
    for (Table& table : tables_) table.none_stale = !port_.may_be_stale();
  }
  return work(now);
}

Step SyncStage::work(TimePoint now) {
  if (std::optional<size_t> table = table_to_write(now)) return write(*table, now);
  if (record_due(now)) return record(now);
  if (std::optional<size_t> table = table_to_sweep(now)) return sweep(*table, now);
  return Step::progressed();
}

void SyncStage::look_at_queue(TimePoint now) {
  // While some of it still waits, more is left in the queue, which is bounded.
  if (!table_to_write(now) && has_lingered(now)) {
    take_at_ = kNever;
    sort_in(queue_.take());
  }
  if (queue_.take_dropped()) {
    for (Table& table : tables_) {
      table.lost = true;
      table.sweep_at = std::min(table.sweep_at, now + options_.round_interval);
    }
  }
  if (now >= round_at_ && !stopping_) {
    round_at_ = kNever;
    sort_in(std::exchange(locked_, {}));
  }
}

bool SyncStage::has_lingered(TimePoint now) {
  const size_t rows = queue_.size();
  if (rows > 0 && take_at_ == kNever) take_at_ = now + options_.linger;
  return stopping_ || rows >= options_.rows_at_once || now >= take_at_;
}

// Those of a table that is left alone are let go: the sweep that follows finds them.
void SyncStage::sort_in(std::vector<AppliedRow>&& rows) {
  for (AppliedRow& row : rows) {
    std::optional<size_t> table = port_.table_of(row);
    if (table && !tables_[*table].trouble.shunned) tables_[*table].waiting.push_back(std::move(row));
  }
}

std::optional<size_t> SyncStage::table_to_write(TimePoint now) const {
  for (size_t table = 0; table < tables_.size(); ++table) {
    if (!tables_[table].waiting.empty() && now >= tables_[table].trouble.until) return table;
  }
  return std::nullopt;
}

std::optional<size_t> SyncStage::table_to_sweep(TimePoint now) const {
  if (stopping_ && !options_.finish_sweep) return std::nullopt;
  for (size_t table = 0; table < tables_.size(); ++table) {
    const Table& one = tables_[table];
    if ((one.sweeping || now >= one.sweep_at) && now >= one.trouble.until) return table;
  }
  return std::nullopt;
}

TimePoint SyncStage::next_due(TimePoint now) const {
  TimePoint due = std::min(round_at_, take_at_);
  for (const Table& table : tables_) due = std::min(due, std::max(table.sweep_at, table.trouble.until));
  if (unrecorded_) due = std::min(due, record_at_);
  return std::max(due, now);
}

Step SyncStage::write(size_t table, TimePoint now) {
  std::vector<AppliedRow>& waiting = tables_[table].waiting;
  const size_t count = std::min(waiting.size(), options_.rows_at_once);
  const auto first = waiting.end() - static_cast<std::ptrdiff_t>(count);
  std::vector<AppliedRow> rows(std::make_move_iterator(first), std::make_move_iterator(waiting.end()));
  waiting.erase(first, waiting.end());
  reach("before_write_back");
  Result<std::vector<AppliedRow>> locked = port_.write(table, rows, now + options_.call_max);
  reach("after_write_back");
  // What was being written is found again by the sweep that follows the failure.
  if (!locked) return set_aside(table, locked.error(), true, now);
  const uint64_t written = rows.size() - locked->size();
  counters_.written += written;
  ledger_.written += written;
  unrecorded_ = true;
  recover(connection_, {});
  recover(tables_[table].trouble, port_.table_name(table));
  keep_locked(table, std::move(*locked), now);
  return Step::progressed();
}

void SyncStage::keep_locked(size_t table, std::vector<AppliedRow>&& rows, TimePoint now) {
  if (rows.empty()) return;
  counters_.locked += rows.size();
  ledger_.locked += rows.size();
  tables_[table].met_locked = true;
  // The newest version of a row that was locked in both is the only one that can still be written; the older is passed over.
  if (locked_.size() + rows.size() <= options_.locked_max) {
    std::move(rows.begin(), rows.end(), std::back_inserter(locked_));
  } else {
    tables_[table].lost = true;
  }
  if (round_at_ == kNever && !locked_.empty()) round_at_ = now + options_.round_interval;
}

Step SyncStage::sweep(size_t number, TimePoint now) {
  Table& table = tables_[number];
  if (!table.sweeping) {
    table.sweeping = true;
    table.sought = table.lost ? Sought::unsynced : Sought::pending;
    table.lost = false;
    table.after.reset();
  }
  Result<SweptPage> page = port_.sweep(number, table.sought, table.after, now + options_.call_max);
  if (!page) return set_aside(number, page.error(), false, now);
  recover(connection_, {});
  table.trouble.shunned = false;
  if (!table.trouble.writing) recover(table.trouble, port_.table_name(number));
  std::move(page->rows.begin(), page->rows.end(), std::back_inserter(table.waiting));
  table.after = std::move(page->next);
  if (table.after) return Step::progressed();
  end_sweep(table, now);
  if (Status settled = settle_stale(now); !settled) return lose(settled.error(), now);
  return Step::progressed();
}

void SyncStage::end_sweep(Table& table, TimePoint now) {
  if (table.sought != Sought::stale && !table.none_stale) {
    table.sought = Sought::stale;
    table.met_locked = false;
    return;
  }
  // The last page's rows may still meet a lock; a later sweep then finds nothing of them, or them.
  if (table.sought == Sought::stale) table.none_stale = !table.met_locked && table.waiting.empty();
  table.sweeping = false;
  table.sweep_at = now + (table.none_stale ? options_.sweep_interval : options_.round_interval);
}

Status SyncStage::settle_stale(TimePoint now) {
  if (!port_.may_be_stale()) return {};
  const bool left = std::any_of(tables_.begin(), tables_.end(), [](const Table& table) { return !table.none_stale; });
  return left ? Status() : port_.forget_stale(now + options_.call_max);
}

// Nothing here is worth the line's end: an error that a person must cure is tried again at each sweep, and shown meanwhile.
Step SyncStage::set_aside(size_t number, const Error& error, bool writing, TimePoint now) {
  if (error.kind() != ErrorKind::server || stream::retry_class(error) == stream::RetryClass::reconnect) return lose(error, now);
  Table& table = tables_[number];
  table.waiting.clear();
  table.sweeping = false;
  table.lost = true;
  table.sweep_at = TimePoint::min();
  table.trouble.until = now + table.trouble.backoff.next();
  table.trouble.writing = writing;
  table.trouble.shunned = true;
  tell(table.trouble, port_.table_name(number), error);
  return Step::progressed();
}

Step SyncStage::lose(const Error& error, TimePoint now) {
  port_.close();
  open_ = false;
  for (Table& table : tables_) {
    table.sweeping = false;
    table.lost = true;
    table.sweep_at = TimePoint::min();
  }
  connection_.until = now + connection_.backoff.next();
  tell(connection_, {}, error);
  return stopping_ ? Step::done() : Step::wait_until(connection_.until);
}

void SyncStage::tell(Trouble& trouble, const std::string& table, const Error& error) {
  counters_.failures += 1;
  ledger_.failures += 1;
  unrecorded_ = true;
  std::string text = error.describe();
  if (trouble.told == text) return;
  trouble.told = std::move(text);
  record_at_ = TimePoint::min();
  if (tell_) tell_(table, &error);
}

void SyncStage::recover(Trouble& trouble, const std::string& table) {
  trouble.until = TimePoint::min();
  trouble.writing = false;
  trouble.shunned = false;
  if (trouble.told.empty()) return;
  trouble.told.clear();
  trouble.backoff.reset();
  unrecorded_ = true;
  record_at_ = TimePoint::min();
  if (tell_) tell_(table, nullptr);
}

// The first that there is; a connection's before a table's.
std::string SyncStage::problem() const {
  if (!connection_.told.empty()) return connection_.told;
  for (size_t table = 0; table < tables_.size(); ++table) {
    if (!tables_[table].trouble.told.empty()) return port_.table_name(table) + ": " + tables_[table].trouble.told;
  }
  return {};
}

bool SyncStage::record_due(TimePoint now) const { return unrecorded_ && now >= record_at_; }

Step SyncStage::record(TimePoint now) {
  ledger_.problem = problem();
  record_at_ = now + options_.record_interval;
  Status recorded = port_.record(ledger_, now + options_.call_max);
  if (!recorded && recorded.error().kind() != ErrorKind::server) return lose(recorded.error(), now);
  // Where the ledger itself may not be written, the figures are let go: it is a convenience.
  ledger_ = {};
  unrecorded_ = false;
  return Step::progressed();
}

Step SyncStage::end(TimePoint now) {
  if (!unrecorded_ || !open_) return Step::done();
  record_at_ = now;
  Step recorded = record(now);
  return recorded.kind == Step::Kind::progressed ? Step::done() : recorded;
}

}  // namespace cnx::record
