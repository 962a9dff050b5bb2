// What both databases say of a pipeline, read from outside: it needs no running engine, and cannot be fooled by one.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "pipeline/options.hpp"
#include "pipeline/pause.hpp"
#include "pipeline/source_look.hpp"

namespace cnx::pipeline {

struct StatusReport {
  std::string pipeline;
  // not_initialised, initialised, copying, streaming, stopped, paused, or broken: `source_state`, `problem` and `advice` say why.
  // Stopped with a problem: by the circuit breaker.
  std::string state;
  std::string source_state;  // capture/logical/source_state.hpp: "fits", "slot_lost", …
  std::string problem;
  std::string advice;
  // Of the log: changes that the graph may lack, or holds and PostgreSQL does not any more; none where that is not so.
  std::optional<capture::LogRange> missing;
  std::optional<capture::LogRange> surplus;
  // What is worth a look though the line goes on.
  std::vector<SourceWarning> warnings;
  bool running = false;            // Somebody reads the slot.
  std::string position;            // In the graph: "X/Y" or "X/Y+n".
  uint64_t position_lsn = 0;
  uint64_t ordinal = 0;
  bool partial = false;            // Inside a transaction that is applied in pieces.
  // The graph is what PostgreSQL was at the position. Not before the copy is done, and the position has passed all that
  // the copy saw.
  bool consistent = false;
  // Of a copy that is not done, or not yet behind the position.
  struct CopyState {
    uint64_t rows = 0;
    uint64_t estimate = 0;
    size_t segments = 0;
    size_t segments_done = 0;
  };
  std::optional<CopyState> copy;
  int64_t epoch = 0;
  // All that is committed is in the graph, or no change of its. The running engine says so by what it reports as written;
  // the position follows lazily where nothing of ours moves it.
  bool in_step = false;
  std::string confirmed;           // Of the slot.
  std::string wal_end;             // How far PostgreSQL has flushed.
  int64_t lag_bytes = 0;           // Log that the graph does not have yet.
  // At most: from the commit of the newest transaction in the graph until now, where the log goes on behind it (with whatever
  // is in it); 0 where it does not.
  double lag_seconds = 0;
  int64_t retained_wal_bytes = 0;
  std::string wal_status;
  std::string system_identifier;
  int64_t timeline = 0;
  std::string database;
  std::string slot;
  PauseState pause;
  bool resync_asked = false;       // By `contextnexus resync`, and no run has begun with it.

  // Of the tables that say whether their rows are in the graph; no value where there are none.
  struct WriteBack {
    int64_t written = 0;   // Rows, since the pipeline was made.
    int64_t pending = 0;   // Rows not known to be in the graph: an estimate, since it moves.
    bool pending_at_least = false;
    int64_t skipped = 0;   // Met a lock, and were done in a later round.
    int64_t failures = 0;
    std::string problem;   // What it cannot write now, and why; empty: nothing.
    std::string last_error;
    std::string last_error_at;
  };
  std::optional<WriteBack> write_back;

  // Rows that the graph refused: while one is open, it is not in step.
  struct DeadLetters {
    int64_t open = 0;
    int64_t retrying = 0;      // Asked for.
    int64_t held_changes = 0;  // That came behind them.
  };
  DeadLetters dead_letters;

  // Rows that somebody changed in the graph, and that wait for a person: neither while one of them does.
  struct Conflicts {
    int64_t open = 0;
    int64_t resolving = 0;     // PostgreSQL's row was chosen, and is to be written.
    int64_t held_changes = 0;
  };
  Conflicts conflicts;

  // Tables that are not simply followed: being read again, held, or with something left over to be removed.
  struct Table {
    std::string name;    // schema.table
    std::string state;   // copying, held, cleaning.
    std::string reason;
    std::string advice;
    std::string since;   // A position.
  };
  std::vector<Table> tables;
};

Result<StatusReport> read_status(const PipelineOptions& options);

}  // namespace cnx::pipeline
