// The dead letters of a running pipeline (contextnexus.dead_letters, record/dead_letters.hpp): which keys a pass is to pass by, what
// it tells of them, which of them are to be tried again, and when too many of them stop the line.
#pragma once

#include <algorithm>
#include <atomic>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "apply/dead_rows.hpp"
#include "apply/refused_row.hpp"
#include "base/result.hpp"
#include "mapping/lacking_rows.hpp"
#include "pipeline/audit.hpp"
#include "pipeline/circuit_breaker.hpp"
#include "pipeline/ground.hpp"
#include "record/dead_letters.hpp"

namespace cnx::pipeline {

// For whoever shows figures. Any thread.
struct DeadLetterCounters {
  std::atomic<uint64_t> made{0};  // By this process.
  std::atomic<uint64_t> open{0};  // With those to be tried again.
  std::atomic<uint64_t> retrying{0};  // Of those: to be tried again.
  std::atomic<uint64_t> held_changes{0};
};

// One thread, the pipeline's; hear() is any thread's. All that takes a session blocks, with deadlines of its own.
class DeadLetters {
 public:
  // Both must outlive it.
  DeadLetters(const PipelineOptions& options, Audit& audit);

  // Before a pass or a copy begins; `source`: of the graph's position, which stands at `reached`. ErrorKind::state where the circuit
  // breaker stopped the line, and what it stopped at is still there.
  Status load(postgres::Session& session, const apply::Source& source, change::Position reached);
  // These are read anew, or are in the mapping no more.
  Status forget(postgres::Session& session, const TablePlan& plan);

  // Which a pass passes by: open ones, and those to be tried again as well where it does not try them.
  std::vector<apply::DeadKey> keys(bool tries) const;
  // The next rows to be tried again with the graph at `at`: not too many at a time, and none of a table that is not followed now.
  std::vector<mapping::LackingRow> to_try(const Catalog& catalog, change::Lsn at);
  // Where the graph has to be for the next of the others; none: there are none.
  std::optional<change::Lsn> next_try(change::Lsn at) const;
  // They were too much together.
  void try_fewer() { tried_at_once_ = std::max<size_t>(tried_at_once_ / 4, 1); }
  // They lead the pass that begins at `at`.
  void trying(change::Position at) { tried_at_ = at; }
  // The graph is at `reached`: beyond where rows were read again, they are in it, and letters that ended before are closed. Says whether
  // there are others to be tried there.
  Result<bool> reach(postgres::Session& session, change::Position reached);

  // What a pass found of dead keys.
  void hear(std::vector<apply::DeadNote>&& notes);
  // Writes it, once a second at most unless it is the last. Says whether so much is held behind some letter that its table is to be
  // held.
  Result<bool> write_news(postgres::Session& session, bool last);

  // Rows that were applied, for the circuit breaker.
  void applied(uint64_t rows) { breaker_.applied(rows); }
  // On disk when it returns. ErrorKind::state where they are too many, or fail alike too often: then the line stops.
  Status add(postgres::Session& session, const std::vector<apply::RefusedRow>& rows);
  // So many of one batch are enough to know that no row is at fault.
  size_t enough() const { return breaker_.failures_enough(); }

  const DeadLetterCounters& counters() const { return counters_; }

 private:
  struct News {
    uint64_t held = 0;
    change::Position held_until;
    std::optional<change::Position> ended;
  };
  record::OpenLetter* find(const mapping::RowKey& key);
  Status close_ended(postgres::Session& session, change::Position reached);
  record::NewDeadLetter letter_of(const apply::RefusedRow& row) const;
  void show() const;
  Status trip(postgres::Session& session, const apply::RefusedRow& row);

  const PipelineOptions& options_;
  Audit& audit_;
  apply::Source source_;
  std::vector<record::OpenLetter> letters_;
  size_t tried_at_once_ = 100;  // They lead one batch.
  std::vector<int64_t> tried_;
  std::optional<change::Position> tried_at_;
  CircuitBreaker breaker_;
  mutable DeadLetterCounters counters_;

  std::mutex mutex_;
  std::vector<apply::DeadNote> heard_;
  TimePoint written_at_ = TimePoint::min() + std::chrono::hours(1);
};

}  // namespace cnx::pipeline
