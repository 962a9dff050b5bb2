// Writes the audit: what lanes and others hand over goes into PostgreSQL in batches. It never fails: what cannot be written is
// kept and tried again, and meanwhile the queue fills.
#pragma once

#include <atomic>
#include <deque>
#include <functional>
#include <mutex>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "record/audit_entry.hpp"
#include "stream/retry_class.hpp"
#include "stream/stage.hpp"

namespace cnx::record {

// Between whoever has something to tell and the stage's thread. Any thread. Bounded by what is asked before an attempt begins
// (has_room), not by what is told after it: an attempt that was made is not forgotten.
class AuditQueue {
 public:
  explicit AuditQueue(size_t bytes_max) : bytes_max_(bytes_max) {}
  // Called once, before the threads start.
  void on_readable(std::function<void()> wake) { wake_ = std::move(wake); }
  bool has_room() const;
  void push(AuditEntry&& entry);
  // The oldest, of `bytes` at most but one at least; they count until they were written.
  std::vector<AuditEntry> take(size_t bytes);
  void written(const std::vector<AuditEntry>& entries);
  size_t bytes() const;
  bool empty() const;
  // The end, now: the stage gives up what is left.
  void abandon();
  bool abandoned() const;

 private:
  const size_t bytes_max_;
  mutable std::mutex mutex_;
  std::deque<AuditEntry> entries_;
  size_t bytes_ = 0;
  bool abandoned_ = false;
  std::function<void()> wake_;
};

// What the stage needs of PostgreSQL. One thread. Each call blocks until `deadline` at most; after an error it is closed and
// opened again.
class AuditPort {
 public:
  virtual ~AuditPort() = default;
  virtual Status open(TimePoint deadline) = 0;
  virtual void close() = 0;
  // Partitions for these days of UTC, counted from 1970-01-01; old ones go.
  virtual Status keep_days(int64_t first, int64_t last, TimePoint deadline) = 0;
  // The lines of a COPY (audit_text.hpp), all or none. On disk when it returns.
  virtual Status write(std::string_view lines, TimePoint deadline) = 0;
};

struct AuditCounters {
  std::atomic<uint64_t> written{0};   // Lines.
  std::atomic<uint64_t> dropped{0};   // Entries that found no room, where the level lets them go.
  std::atomic<uint64_t> failures{0};
};

struct AuditStageOptions {
  std::string pipeline;
  // So long what comes first waits for company: each write is a commit of its own.
  Duration linger = std::chrono::milliseconds(30);
  size_t bytes_at_once = size_t{4} << 20;
  // Old partitions are looked for so often, and the next day's is made.
  Duration keep_interval = std::chrono::hours(1);
  Duration call_max = std::chrono::seconds(10);
  Duration longest_wait = std::chrono::seconds(30);
  uint64_t seed = 1;
  // Told of each failure, and (with none) of the first success after some; from the stage's thread. May be empty.
  std::function<void(const Error*)> tell;
  // Told how far all is written. May be empty.
  std::function<void(change::Lsn)> on_written;
  // Microseconds since 1970: the wall clock.
  std::function<int64_t()> wall_clock;
};

class AuditStage final : public stream::Stage {
 public:
  // All must outlive the stage.
  AuditStage(AuditQueue& queue, AuditPort& port, AuditCounters& counters, AuditStageOptions options);

  std::string_view name() const override { return "audit"; }
  stream::Step step(TimePoint now) override;
  // Ends once all is written.
  void stop() override { stopping_ = true; }

 private:
  void take();
  bool keep_is_due(TimePoint now) const;
  Status prepare(TimePoint now);
  stream::Step lose(const Error& error, TimePoint now);
  void settle();

  AuditQueue& queue_;
  AuditPort& port_;
  AuditCounters& counters_;
  AuditStageOptions options_;
  bool open_ = false;
  bool stopping_ = false;
  bool failing_ = false;
  stream::Backoff backoff_;
  TimePoint retry_at_ = TimePoint::min();
  TimePoint write_at_ = kNever;  // What waits is written then.
  TimePoint keep_at_ = TimePoint::min();
  // Days that have a partition; none while the first is beyond the last.
  int64_t first_day_ = 0;
  int64_t last_day_ = -1;
  // In hand: taken from the queue, and not written yet.
  std::vector<AuditEntry> entries_;
  std::string lines_;
  size_t line_count_ = 0;
  int64_t from_day_ = 0;
  int64_t to_day_ = 0;
  change::Lsn whole_;
};

}  // namespace cnx::record
