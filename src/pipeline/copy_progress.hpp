// How far a copy is, for a person: one line that is rewritten on a terminal, else a line of the log now and then.
#pragma once

#include <cstdint>
#include <string>

#include "base/clock.hpp"

namespace cnx::pipeline {

struct CopyFigures {
  uint64_t rows = 0;      // In the graph.
  uint64_t estimate = 0;  // Of all; PostgreSQL's statistics may be wrong.
  size_t segments = 0;
  size_t segments_done = 0;
  double rows_per_second = 0;  // Since this process went on with it.
};

// "[######----]  61 %  1,234,567 of about 2,000,000 rows  45,000 rows/s  17 s left  (9 of 20 segments)". Pure.
std::string progress_text(const CopyFigures& figures);

// One thread.
class CopyProgress {
 public:
  // `on_terminal`: standard error is one.
  CopyProgress(bool on_terminal, TimePoint now) : on_terminal_(on_terminal), shown_(now) {}
  // Shows the figures if it is time to.
  void show(const CopyFigures& figures, TimePoint now);
  // The line is at its end: what follows goes below it.
  void end();

 private:
  bool on_terminal_;
  bool open_ = false;
  TimePoint shown_;
};

bool standard_error_is_a_terminal();

}  // namespace cnx::pipeline
