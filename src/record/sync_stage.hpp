// Tells PostgreSQL which rows are in the graph, after the commit: what the lane hands over, and by a sweep what was never
// handed over (rows that were copied, a crash, a queue that was full). It holds up nothing: it never fails, its queue drops
// rather than be full, and nothing is confirmed by it. A table that cannot be written is left alone for a while, and the
// others go on.
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
  size_t size() const;
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
  // Fewer wait so long for others: who reads the graph after a commit has the machine to himself meanwhile.
  Duration linger = std::chrono::milliseconds(10);
  // Rows that were locked wait for the next round; more than this are left to the sweep.
  size_t locked_max = 5'000;
  Duration round_interval = std::chrono::milliseconds(500);
  Duration sweep_interval = std::chrono::seconds(30);
  // The ledger is written so often at most, and at once where a problem comes or goes.
  Duration record_interval = std::chrono::seconds(5);
  Duration call_max = std::chrono::seconds(10);
  // After stop(): go on to the end of the sweep under way. For a run that ends by itself.
  bool finish_sweep = false;
  uint64_t seed = 1;
};

// Told once when a problem comes, and once (with no error) when it is over. `table` is empty where it is all of them.
using TellProblem = std::function<void(const std::string& table, const Error* error)>;

class SyncStage final : public stream::Stage {
 public:
  // All must outlive the stage. `tell` may be empty; it is called from the stage's thread.
  SyncStage(SyncQueue& queue, SyncPort& port, SyncCounters& counters, SyncOptions options, TellProblem tell);

  std::string_view name() const override { return "write-back"; }
  stream::Step step(TimePoint now) override;
  void stop() override { stopping_ = true; }

 private:
  // What stands in the way of one table, or of all of them.
  struct Trouble {
    explicit Trouble(stream::Backoff waits) : backoff(waits) {}
    stream::Backoff backoff;
    TimePoint until = TimePoint::min();
    std::string told;       // Empty: none.
    bool writing = false;   // It was met by a write: only a write shows that it is over.
    bool shunned = false;   // What is handed over is let go meanwhile: a sweep finds it.
  };
  struct Table {
    explicit Table(stream::Backoff backoff) : trouble(backoff) {}
    std::vector<AppliedRow> waiting;
    Trouble trouble;
    TimePoint sweep_at = TimePoint::min();  // The first one is due at the start.
    bool sweeping = false;
    Sought sought = Sought::unsynced;
    bool lost = true;           // What was handed over before may be lost: the next sweep looks at all that is not synced.
    std::optional<SweepCursor> after;
    bool none_stale = false;    // The sweep for stale rows has come to its end.
    bool met_locked = false;    // And some of them were locked: once more.
  };

  void sort_in(std::vector<AppliedRow>&& rows);
  void look_at_queue(TimePoint now);
  bool has_lingered(TimePoint now);
  std::optional<size_t> table_to_write(TimePoint now) const;
  std::optional<size_t> table_to_sweep(TimePoint now) const;
  TimePoint next_due(TimePoint now) const;
  stream::Step work(TimePoint now);
  stream::Step write(size_t table, TimePoint now);
  stream::Step sweep(size_t table, TimePoint now);
  void end_sweep(Table& table, TimePoint now);
  Status settle_stale(TimePoint now);
  void keep_locked(size_t table, std::vector<AppliedRow>&& rows, TimePoint now);
  stream::Step set_aside(size_t table, const Error& error, bool writing, TimePoint now);
  stream::Step lose(const Error& error, TimePoint now);
  void tell(Trouble& trouble, const std::string& table, const Error& error);
  void recover(Trouble& trouble, const std::string& table);
  std::string problem() const;
  bool record_due(TimePoint now) const;
  stream::Step record(TimePoint now);
  stream::Step end(TimePoint now);

  SyncQueue& queue_;
  SyncPort& port_;
  SyncCounters& counters_;
  SyncOptions options_;
  TellProblem tell_;
  bool open_ = false;
  bool stopping_ = false;
  Trouble connection_;

  std::vector<Table> tables_;
  TimePoint take_at_ = kNever;  // When what is in the queue has lingered.
  std::vector<AppliedRow> locked_;
  TimePoint round_at_ = kNever;  // When the locked rows are tried again.
  SyncLedger ledger_;
  bool unrecorded_ = false;
  TimePoint record_at_ = TimePoint::min();
};

}  // namespace cnx::record
