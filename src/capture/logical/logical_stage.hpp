// Reads the slot and hands on its transactions; says to PostgreSQL what the graph holds, whether
// the line is full or not. It owns the replication connection. What it confirms is the acknowledged
// position and nothing else (I1). What it reports as written may be further: so far, all is in the
// graph or no change of ours, which pg_stat_replication.write_lsn shows to everybody.
#pragma once

#include <atomic>
#include <deque>
#include <functional>
#include <optional>

#include "capture/logical/replication_port.hpp"
#include "capture/logical/transaction_reader.hpp"
#include "stream/acknowledgement.hpp"
#include "stream/queue.hpp"
#include "stream/retry_class.hpp"
#include "stream/stage.hpp"

namespace cnx::capture {

struct LogicalCounters {
  std::atomic<uint64_t> rows{0};
  std::atomic<uint64_t> transactions{0};
  std::atomic<uint64_t> wal_end{0};  // The furthest LSN that the server has spoken of.
  std::atomic<uint64_t> confirmed{0};
  std::atomic<uint64_t> in_step{0};  // Up to here all is in the graph or no change of ours.
  std::atomic<uint64_t> reconnects{0};
  std::atomic<uint64_t> bytes{0};      // Of changes.
  std::atomic<uint64_t> heard{0};      // Messages of any kind, also those that say nothing new.
  std::atomic<uint64_t> received{0};   // Those that do: changes, and that the log has gone on.
  std::atomic<uint64_t> handed{0};     // The end of what was handed on whole.
  std::atomic<bool> connected{false};
};

struct LogicalOptions {
  change::Position start;   // What the graph holds,
  change::LastCommit last;  // and the last transaction of it.
  // Somebody waits for this LSN: idle advances up to it are made at once. 0: nobody.
  change::Lsn wanted;
  // An idle slot moves after so long, or so much log, at the latest (I1).
  Duration idle_advance_max = std::chrono::seconds(10);
  uint64_t idle_advance_bytes = 16u << 20;
  Duration open_max = std::chrono::seconds(10);
  uint64_t seed = 1;
  // Transactions from here on are handed on though the graph has them. None: those behind `start` alone.
  std::optional<change::Position> hand_on_from;
  // So far is confirmed, and no further, before the acknowledgement says more. None: up to `start`.
  std::optional<change::Lsn> confirmed;
  // Rows that are the engine's own: they go no further. Called from the stage's thread; may be empty.
  PassesOver passes_over;
  // Changes that the copied rows show already go no further either. Null: there are none; else it must outlive the stage.
  CopiedRows* copied = nullptr;
  // Is told of each transaction with a change of ours. Null: nobody is; else it must outlive the stage.
  ToldTransactions* told = nullptr;
  // Called from the stage's thread; may be empty. Its error is the stage's.
  HearsOf hears_of;
};

class LogicalStage final : public stream::Stage {
 public:
  // All must outlive the stage. `on_retry` is told of each failure that will be tried again; may be
  // empty.
  LogicalStage(ReplicationPort& port, stream::Queue<change::Event>& events,
               const stream::Acknowledgement& acknowledgement, LogicalCounters& counters,
               LogicalOptions options, std::function<void(const Error&, Duration)> on_retry);

  std::string_view name() const override { return "capture"; }
  stream::Step step(TimePoint now) override;
  // No more is read; what was handed on is waited for, confirmed, and then the stage is done.
  void stop() override;

 private:
  stream::Step connect(TimePoint now);
  stream::Step stream(TimePoint now);
  Result<bool> read(TimePoint now);
  Result<bool> take(postgres::StreamMessage&& message, TimePoint now);
  bool is_silent(TimePoint now) const;
  void take_keep_alive(const postgres::KeepAlive& keep_alive, TimePoint now);
  bool hand_on_idle(TimePoint now);
  Status send_due_status(TimePoint now);
  change::Lsn in_step() const;
  TimePoint status_due() const;
  bool push(change::Event&& event);
  stream::Step lose(Error error, TimePoint now);

  ReplicationPort& port_;
  stream::Queue<change::Event>& events_;
  const stream::Acknowledgement& acknowledgement_;
  LogicalCounters& counters_;
  LogicalOptions options_;
  std::function<void(const Error&, Duration)> on_retry_;

  TransactionReader reader_;
  change::Lsn confirmed_;
  // The end of the last whole transaction (or idle advance) that the queue took.
  change::Lsn handed_whole_;
  bool connected_ = false;
  bool stopping_ = false;
  bool closed_ = false;
  stream::Backoff backoff_;
  TimePoint retry_at_ = TimePoint::min();

  std::optional<change::Event> held_;  // Found no room.
  change::Lsn wal_end_;                // From keep-alives, between transactions only.
  TimePoint idle_since_ = TimePoint::min();
  change::Lsn in_step_sent_;           // What the server of this connection was told.
  Duration status_interval_{};
  TimePoint heard_at_ = TimePoint::min();  // Or nothing was listened to.
  TimePoint status_sent_ = TimePoint::min();
  bool reply_due_ = false;
  std::deque<TimePoint> reply_requests_;  // Of the last second.
};

}  // namespace cnx::capture
