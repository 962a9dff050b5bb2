// One pipeline, run: from what both databases say, to threads, to the end. The only place where stages meet.
#pragma once

#include <atomic>
#include <string>

#include "base/result.hpp"
#include "pipeline/figures.hpp"
#include "pipeline/ground.hpp"
#include "pipeline/options.hpp"
#include "pipeline/waker.hpp"

namespace cnx::pipeline {

// Asked for from outside, by a signal handler.
struct StopRequest {
  std::atomic<bool> asked{false};
  Waker waker;
  // Async-signal-safe.
  void ask() {
    asked.store(true);
    waker.wake();
  }
};

// The first half of the advisory lock's key that the running instance's session holds, ours alone: "cnx" in ASCII. The second
// is hashtext(pipeline).
inline constexpr int kOwnerLockClass = 0x636E78;

struct RunOptions {
  // Until the LSN read at the start is in the graph, then the end.
  bool once = false;
  // A graph that somebody else filled is taken over by label and key (pipeline/adopt.hpp); else it is refused.
  bool adopt = false;
  // Say in PostgreSQL which rows are in the graph, where the tables have the columns and the role may write them.
  bool write_back = true;
  // So many segments are copied at once, each with two connections of its own; 1 to 16. Two keep Neo4j busy while one of
  // them waits for it.
  size_t copy_workers = 2;
  // Of tables that are read again while the line is up: so long the copy, then so long at most the stream.
  Duration copy_turn = std::chrono::seconds(3);
  // An instance that waits takes over from one that has given no sign of life for so long; from one whose process is gone at once.
  Duration takeover = std::chrono::seconds(10);
  // After a stop is asked for, what is under way may take so long; what is not finished by then is applied at the next
  // start.
  Duration drain_max = std::chrono::seconds(30);
};

// Blocks until it was stopped (or, with `once`, is done): success. Lost connections and refusals that pass are waited out;
// anything else is the error that it ends with. What it does meanwhile is told by the figures.
Status run(const PipelineOptions& options, const RunOptions& run_options, StopRequest& stop, Figures& figures);

}  // namespace cnx::pipeline
