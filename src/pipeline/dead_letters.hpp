// The dead letters of a running pipeline (contextnexus.dead_letters, record/dead_letters.hpp): which keys a pass is to pass by, what
// it tells of them, which of them are to be tried again, and when too many of them stop the line.
#pragma once

#include <string>
#include <vector>

#include "apply/refused_row.hpp"
#include "base/result.hpp"
#include "pipeline/audit.hpp"
#include "pipeline/circuit_breaker.hpp"
#include "pipeline/held_rows.hpp"
#include "record/dead_letters.hpp"

namespace cnx::pipeline {

// One thread, the pipeline's. All that takes a session blocks, with deadlines of its own.
class DeadLetters {
 public:
  // Both must outlive it.
  DeadLetters(const PipelineOptions& options, Audit& audit);

  // Before a pass or a copy begins; `source`: of the graph's position, which stands at `reached`. ErrorKind::state where the circuit
  // breaker stopped the line, and what it stopped at is still there.
  Status load(postgres::Session& session, const apply::Source& source, change::Position reached);
  // Which they are, and what becomes of them.
  HeldRows& rows() { return rows_; }
  const HeldRows& rows() const { return rows_; }

  // Rows that were applied, for the circuit breaker.
  void applied(uint64_t rows) { breaker_.applied(rows); }
  // On disk when it returns. ErrorKind::state where they are too many, or fail alike too often: then the line stops.
  Status add(postgres::Session& session, const std::vector<apply::RefusedRow>& rows);
  // As HeldRows::reach; the audit is told of each. Says how many there were.
  Result<size_t> reach(postgres::Session& session, change::Position reached);
  // So many of one batch are enough to know that no row is at fault.
  size_t enough() const { return breaker_.failures_enough(); }

  const HeldCounters& counters() const { return rows_.counters(); }

 private:
  record::NewDeadLetter letter_of(const apply::RefusedRow& row) const;
  Status trip(postgres::Session& session, const apply::RefusedRow& row);

  const PipelineOptions& options_;
  Audit& audit_;
  apply::Source source_;
  HeldRows rows_;
  CircuitBreaker breaker_;
};

}  // namespace cnx::pipeline
