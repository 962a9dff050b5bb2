#include "record/audit_stage.hpp"

#include <algorithm>

#include "record/audit_text.hpp"

namespace cnx::record {

using stream::Step;

namespace {

constexpr int64_t kMicrosecondsOfDay = int64_t{86'400} * 1'000'000;

}  // namespace

bool AuditQueue::has_room() const {
  std::lock_guard lock(mutex_);
  return bytes_ < bytes_max_ || abandoned_;
}

void AuditQueue::push(AuditEntry&& entry) {
  bool wake = false;
  {
    std::lock_guard lock(mutex_);
    if (abandoned_) return;
    wake = entries_.empty();
    bytes_ += weight(entry);
    entries_.push_back(std::move(entry));
  }
  if (wake && wake_) wake_();
}

std::vector<AuditEntry> AuditQueue::take(size_t bytes) {
  std::vector<AuditEntry> taken;
  std::lock_guard lock(mutex_);
  size_t sum = 0;
  while (!entries_.empty()) {
    const size_t next = weight(entries_.front());
    if (!taken.empty() && sum + next > bytes) break;
    sum += next;
    taken.push_back(std::move(entries_.front()));
    entries_.pop_front();
  }
  return taken;
}

void AuditQueue::written(const std::vector<AuditEntry>& entries) {
  size_t sum = 0;
  for (const AuditEntry& entry : entries) sum += weight(entry);
  std::lock_guard lock(mutex_);
  bytes_ -= std::min(bytes_, sum);
}

size_t AuditQueue::bytes() const {
  std::lock_guard lock(mutex_);
  return bytes_;
}

bool AuditQueue::empty() const {
  std::lock_guard lock(mutex_);
  return entries_.empty();
}

void AuditQueue::abandon() {
  {
    std::lock_guard lock(mutex_);
    abandoned_ = true;
  }
  if (wake_) wake_();
}

bool AuditQueue::abandoned() const {
  std::lock_guard lock(mutex_);
  return abandoned_;
}

AuditStage::AuditStage(AuditQueue& queue, AuditPort& port, AuditCounters& counters, AuditStageOptions options)
    : queue_(queue),
      port_(port),
      counters_(counters),
      options_(std::move(options)),
      backoff_(options_.seed, std::chrono::milliseconds(200), options_.longest_wait) {}

Step AuditStage::step(TimePoint now) {
  if (queue_.abandoned()) {
    port_.close();
    return Step::done();
  }
  if (now < retry_at_) return Step::wait_until(retry_at_);
  if (entries_.empty()) {
    if (queue_.empty()) {
      write_at_ = kNever;
      if (stopping_) {
        port_.close();
        return Step::done();
      }
      if (!keep_is_due(now)) return Step::wait_until(keep_at_);
    } else {
      if (write_at_ == kNever) write_at_ = now + options_.linger;
      const bool enough = stopping_ || queue_.bytes() >= options_.bytes_at_once;
      if (!enough && now < write_at_) return Step::wait_until(write_at_);
      take();
      write_at_ = kNever;
    }
  }
  // What only says how far the log is has nothing to be written.
  if (line_count_ > 0 || keep_is_due(now)) {
    if (Status prepared = prepare(now); !prepared) return lose(prepared.error(), now);
  }
  if (line_count_ > 0) {
    if (Status written = port_.write(lines_, now + options_.call_max); !written) return lose(written.error(), now);
  }
  settle();
  return Step::progressed();
}

void AuditStage::take() {
  entries_ = queue_.take(options_.bytes_at_once);
  from_day_ = 0;
  to_day_ = -1;
  for (const AuditEntry& entry : entries_) {
    line_count_ += add_lines(lines_, options_.pipeline, entry);
    const int64_t day = day_of(entry);
    from_day_ = to_day_ < from_day_ ? day : std::min(from_day_, day);
    to_day_ = std::max(to_day_, day);
    whole_ = std::max(whole_, entry.whole);
  }
}

bool AuditStage::keep_is_due(TimePoint now) const { return now >= keep_at_; }

Status AuditStage::prepare(TimePoint now) {
  if (!open_) {
    CNX_TRY(port_.open(now + options_.call_max));
    open_ = true;
  }
  const bool known = line_count_ == 0 || (first_day_ <= from_day_ && to_day_ <= last_day_);
  if (known && !keep_is_due(now)) return {};
  const int64_t today = options_.wall_clock() / kMicrosecondsOfDay;
  const int64_t first = line_count_ == 0 ? today : std::min(from_day_, today);
  // Tomorrow's ahead: midnight is no reason to wait.
  const int64_t last = std::max(line_count_ == 0 ? today : to_day_, today + 1);
  CNX_TRY(port_.keep_days(first, last, now + options_.call_max));
  first_day_ = first;
  last_day_ = last;
  keep_at_ = now + options_.keep_interval;
  return {};
}

void AuditStage::settle() {
  counters_.written += line_count_;
  queue_.written(entries_);
  entries_.clear();
  lines_.clear();
  line_count_ = 0;
  if (options_.on_written && whole_ != change::Lsn()) options_.on_written(whole_);
  if (!failing_ || !open_) return;
  failing_ = false;
  backoff_.reset();
  if (options_.tell) options_.tell(nullptr);
}

// Nothing here is worth the line's end.
Step AuditStage::lose(const Error& error, TimePoint now) {
  port_.close();
  open_ = false;
  // Somebody may have taken them away.
  first_day_ = 0;
  last_day_ = -1;
  failing_ = true;
  counters_.failures += 1;
  retry_at_ = now + backoff_.next();
  if (options_.tell) options_.tell(&error);
  return Step::wait_until(retry_at_);
}

}  // namespace cnx::record
