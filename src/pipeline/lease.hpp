// Who runs the pipeline: an advisory lock on PostgreSQL, on a session of its own that says every second that its process is
// alive. A second instance waits here as a hot standby; one that is killed, or gives no sign of life for long, is followed by it.
// The lock saves two from working against each other; that only one can write is not its doing: the epochs guard that, in the
// graph (apply/position.hpp) and in PostgreSQL (pipeline/source_record.hpp).
#pragma once

#include <condition_variable>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "bolt/connection.hpp"
#include "pipeline/figures.hpp"
#include "pipeline/pipeline.hpp"
#include "postgres/session.hpp"

namespace cnx::pipeline {

// How long a holder has shown no sign of life: by the looks of who waits and by his clock alone. A look after a long time (our
// own process or PostgreSQL stood still) counts as one of ordinary length, so that nobody is blamed for that. One thread.
class HolderSilence {
 public:
  // `sign`: changes with each sign of life, and with the holder. Empty: it is not for our eyes, and nobody is blamed.
  void look(std::string sign, TimePoint now);
  Duration lasted() const { return lasted_; }

 private:
  std::string sign_;
  TimePoint looked_at_{};
  Duration lasted_{};
};

// One thread, but for say_in_step(). Its own thread gives the signs of life.
class Lease {
 public:
  // All must outlive it.
  Lease(const PipelineOptions& options, const RunOptions& run_options, StopRequest& stop, Figures& figures)
      : options_(options), run_options_(run_options), stop_(stop), figures_(figures) {}
  ~Lease() { release(); }
  Lease(const Lease&) = delete;
  Lease& operator=(const Lease&) = delete;

  // Waits until the lock is ours, or a stop is asked for: success both times. What the holder before has left open on our slot is
  // ended. true: it was not ours a moment ago, so that somebody else may have worked in between. ErrorKind::state: this process
  // stood still and another instance has taken over from it; with `once`, that another one is running.
  Result<bool> take();
  // ErrorKind::unavailable where the session is lost, and with it perhaps the lock.
  Status check() const;
  // Asks PostgreSQL whether the lock is ours still.
  Result<bool> is_ours() const;
  // The server process that holds the lock, as pg_locks.pid.
  int32_t backend_pid() const { return pid_; }
  // For `status`, as the session's name: what a walsender reports is shown to few roles, and this writes no log, which a row
  // would, so that the two would chase each other. Any thread.
  void say_in_step(change::Lsn lsn);
  void release();

 private:
  struct Holder {
    std::string pid;
    std::string sign;
  };
  Result<std::optional<Holder>> read_holder(postgres::Session& session);
  Status end_silent(postgres::Session& session, const Holder& holder);
  Status lock();
  Status wait_for_lock(postgres::Session& session);
  void start(postgres::Session session);
  void note_loss(Error error);
  void beat(const std::stop_token& stop);

  const PipelineOptions& options_;
  const RunOptions& run_options_;
  StopRequest& stop_;
  Figures& figures_;
  std::optional<postgres::Session> session_;  // While it beats, its thread's.
  int32_t pid_ = 0;
  bool is_new_ = false;  // Nobody was told of it yet.
  std::string former_pid_;                    // Of the session that we lost; empty: none.

  mutable std::mutex mutex_;
  std::condition_variable_any changed_;
  change::Lsn in_step_;
  std::optional<Error> lost_;
  TimePoint alive_at_{};      // The last sign of life.
  bool stood_still_ = false;  // Before it was lost: so long that somebody else may have taken over.
  std::jthread thread_;  // Last: it ends before what it uses.
};

// SQL that is true where the server process $pid holds the lock of the pipeline $name: what an instance does that was away
// meanwhile is nothing then.
std::string holds_lock_sql(std::string_view name, std::string_view pid);

// Ends the transactions in Neo4j that an instance before has left open: one that was stopped in the middle would hold the
// position's lock until it goes on. As the pipeline's owner, before any of its own. A role that may not is no fault. Blocks.
Status end_former_transactions(bolt::Connection& graph, const PipelineOptions& options);

// Ends the server process that reads the slot for an instance of the same role that is gone or stopped; only while the lock is
// `lease_pid`'s. Other readers are left alone.
Status end_former_reader(postgres::Session& session, const PipelineOptions& options, int32_t lease_pid, TimePoint deadline);
// The same, from the capture's thread, which tries again anyway: an instance that was left behind must not keep the slot until the
// server notices.
void free_slot(postgres::Session& session, const PipelineOptions& options, int32_t lease_pid, TimePoint deadline);

}  // namespace cnx::pipeline
