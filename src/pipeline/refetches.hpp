// The rows that were read again because the graph lacked what their UPDATE left out, from one pass to the next.
#pragma once

#include <functional>
#include <vector>

#include "apply/graph_port.hpp"
#include "apply/refetched_rows.hpp"
#include "base/result.hpp"
#include "mapping/lacking_rows.hpp"
#include "pipeline/conflicts.hpp"
#include "pipeline/ground.hpp"

namespace cnx::pipeline {

// One thread.
class Refetches {
 public:
  // Both must outlive it.
  Refetches(const PipelineOptions& options, Conflicts& conflicts) : options_(options), conflicts_(conflicts) {}

  // What the pass that has ended could not apply: the batch wrote nothing, and the next pass starts where it would have, led by
  // the rows as they are now. What else was decided is with `conflicts`. ErrorKind::state where that has happened too often at one
  // position. Blocks; errors of either side.
  Status read(const Catalog& catalog, const std::vector<mapping::LackingRow>& lacking);

  // Of dead letters that are tried again, in the place of whatever was read of the same rows before.
  void add(std::vector<apply::RefetchedRow>&& rows);

  // Where the lane starts: forgets what the position has passed. Rows that an engine before this one read, and whose reads saw more
  // than there is at the position, are read again, so that they lead. `wait_until_seen` blocks until PostgreSQL's snapshots see
  // what the stream has told of. Blocks; errors of either side.
  Status begin(const Catalog& catalog, bolt::Connection& graph, const apply::StoredPosition& start,
               const std::function<Status()>& wait_until_seen);

  // Those that lead the next pass.
  const std::vector<apply::RefetchedRow>& rows() const { return rows_; }
  // A table that is read again whole is newer than rows of it that were.
  void forget(const postgres::TableName& table);

 private:
  // The position has passed what their reads saw.
  void forget_until(change::Lsn position);

  const PipelineOptions& options_;
  Conflicts& conflicts_;
  std::vector<apply::RefetchedRow> rows_;
  change::Position at_;
  int times_ = 0;  // In a row, at that position.
};

}  // namespace cnx::pipeline
