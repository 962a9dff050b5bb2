// Tells PostgreSQL which rows are in the graph, after the commit: what the lane hands over, and by a sweep what was never
// handed over (rows that were copied, a crash, a queue that was full). It holds up nothing: it never fails, its queue drops
// rather than be full, and nothing is confirmed by it.
#pragma once

#include <atomic>
#include <functional>
#include <mutex>
#include <vector>

#include "record/sync_port.hpp"
#include "stream/retry_class.hpp"
#include "stream/stage.hpp"

namespace cnx::record {

// Between the lane's thread and the stage's. Any thread.
class SyncQueue {
 public:
  explicit SyncQueue(size_t rows_max = 50'000) : rows_max_(rows_max) {}
  // Called once, before the threads start.
  void on_readable(std::function<void()> wake) { wake_ = std::move(wake); }
  // Takes the rows, or drops them all where they do not fit: the sweep will find them.
  void push(std::vector<AppliedRow>&& rows);
  std::vector<AppliedRow> take();
  // Whether rows were dropped since it was last asked.
  bool take_dropped();
  // The end, now: the stage gives up what is left.
  void abandon();
  bool abandoned() const;

 private:
  const size_t rows_max_;
  mutable std::mutex mutex_;
  std::vector<AppliedRow> rows_;
  bool dropped_ = false;
  bool abandoned_ = false;
  std::function<void()> wake_;
};

struct SyncCounters {
  std::atomic<uint64_t> written{0};  // Rows handed to PostgreSQL and not found locked.
  std::atomic<uint64_t> locked{0};   // Met a lock, and were left for another round.
  std::atomic<uint64_t> failures{0};
};

struct SyncOptions {
  // Rows of one statement.
  size_t rows_at_once = 500;
  // Rows that were locked wait for the next round; more than this are left to the sweep.
  size_t locked_max = 5'000;
  Duration round_interval = std::chrono::milliseconds(500);
  Duration sweep_interval = std::chrono::seconds(30);
  Duration call_max = std::chrono::seconds(10);
  // After stop(): go on to the end of the sweep under way. For a run that ends by itself.
  bool finish_sweep = false;
  uint64_t seed = 1;
};

class SyncStage final : public stream::Stage {
 public:
  // All must outlive the stage. `on_retry` is told of each failure; may be empty.
  SyncStage(SyncQueue& queue, SyncPort& port, SyncCounters& counters, SyncOptions options,
            std::function<void(const Error&, Duration)> on_retry);

  std::string_view name() const override { return "write-back"; }
  stream::Step step(TimePoint now) override;
  void stop() override { stopping_ = true; }

 private:
  void sort_in(std::vector<AppliedRow>&& rows);
  std::optional<size_t> table_with_work() const;
  stream::Step write(size_t table, TimePoint now);
  stream::Step sweep(TimePoint now);
  void keep_locked(std::vector<AppliedRow>&& rows, TimePoint now);
  stream::Step lose(const Error& error, TimePoint now);

  SyncQueue& queue_;
  SyncPort& port_;
  SyncCounters& counters_;
  SyncOptions options_;
  std::function<void(const Error&, Duration)> on_retry_;
  stream::Backoff backoff_;
  bool open_ = false;
  bool stopping_ = false;
  TimePoint retry_at_ = TimePoint::min();

  std::vector<std::vector<AppliedRow>> waiting_;  // By table.
  std::vector<AppliedRow> locked_;
  TimePoint round_at_ = kNever;  // When the locked rows are tried again.

  TimePoint sweep_at_ = TimePoint::min();  // The first one is due at the start.
  bool sweeping_ = false;
  size_t sweep_table_ = 0;
  std::optional<SweepCursor> sweep_after_;
};

}  // namespace cnx::record
