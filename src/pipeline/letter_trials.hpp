// Dead letters that are to be tried again, and conflicts for which PostgreSQL's row was chosen: their rows are read as they are
// now, and lead a pass that begins between two transactions.
#pragma once

#include <functional>
#include <optional>

#include "apply/batch.hpp"
#include "bolt/connection.hpp"
#include "pipeline/conflicts.hpp"
#include "pipeline/dead_letters.hpp"
#include "pipeline/refetches.hpp"

namespace cnx::pipeline {

// One thread, the pipeline's. All blocks, with deadlines of its own.
class LetterTrials {
 public:
  // All must outlive it.
  LetterTrials(const PipelineOptions& options, DeadLetters& letters, Conflicts& conflicts, Refetches& refetches)
      : options_(options), letters_(letters), conflicts_(conflicts), refetches_(refetches) {}

  // Before a copy begins, with the graph at `reached`; as DeadLetters::load().
  Status load(postgres::Session& session, const apply::Source& source, change::Position reached);
  // Of tables that are read anew, or are in the mapping no more.
  Status forget(postgres::Session& session, const TablePlan& plan);
  // As HeldRows, of both.
  std::vector<apply::DeadKey> keys(bool tries) const;
  void hear(const std::vector<apply::DeadNote>& notes);
  bool endings_are_written() const;
  // Those that were heard of, at once; where there are none, nothing is done.
  Status write_endings(postgres::Session& session);

  // For the pass that begins at `at`. `wait_until_seen` comes before a read: it has to show all that is in the graph. How far the
  // position must come for what is tried; 0/0: nothing is.
  Result<change::Lsn> begin(postgres::Session& session, bolt::Connection& graph, const Ground& ground, const apply::LanePosition& at,
                            const std::function<Status()>& wait_until_seen);
  // The pass has ended at `reached`. Says whether there are others to be tried.
  Result<bool> end(postgres::Session& session, change::Position reached);
  // Whether the pass is to end for what became of them: some are to be tried, or hold too much back.
  Result<bool> watch(postgres::Session& session, change::Position reached);

 private:
  Result<bool> reach(postgres::Session& session, change::Position reached);

  const PipelineOptions& options_;
  DeadLetters& letters_;
  Conflicts& conflicts_;
  Refetches& refetches_;
  // From there on, between two transactions, there are letters to be tried again.
  std::optional<change::Position> wait_;
};

}  // namespace cnx::pipeline
