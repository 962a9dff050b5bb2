// The only place that blocks: one thread a stage calls step() and waits for what the step said.
#pragma once

#include <atomic>
#include <deque>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "pipeline/waker.hpp"
#include "stream/stage.hpp"

namespace cnx::pipeline {

// The supervisor's thread makes it, starts it and joins it.
class Runner {
 public:
  // `supervisor` is woken whenever a stage ends.
  explicit Runner(Waker& supervisor) : supervisor_(supervisor) {}
  ~Runner();

  // Before start(). The stage must outlive the runner. Returns what wakes the stage: for its ports.
  Waker& add(stream::Stage& stage);
  void start();

  // Asks a stage (by the order of add) to take no new work; it ends by itself.
  void stop(size_t stage);
  bool ended(size_t stage) const;
  bool all_ended() const;
  // The first stage's failure in time, if any.
  std::optional<Error> failure() const;
  void join();

 private:
  struct Entry {
    explicit Entry(stream::Stage& s) : stage(&s) {}
    stream::Stage* stage;
    Waker waker;
    std::atomic<bool> stop_asked{false};
    std::atomic<bool> ended{false};
    std::thread thread;
  };

  void run(Entry& entry);

  Waker& supervisor_;
  std::deque<Entry> entries_;
  mutable std::mutex mutex_;
  std::optional<Error> failure_;
};

// Blocks until the waker is woken, the step's descriptor is ready, or its time has come. The waker must be armed.
void wait_for(Waker& waker, const stream::Step& step);

}  // namespace cnx::pipeline
