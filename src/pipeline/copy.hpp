// The copy of the rows that were there before: in segments, by several workers at once, each capture → batch → lane with
// connections of its own. What is done stands in the graph beside the rows; a copy that was stopped or killed goes on there.
#pragma once

#include <functional>

#include "cypher/plan.hpp"
#include "pipeline/ground.hpp"
#include "pipeline/pipeline.hpp"

namespace cnx::pipeline {

struct CopyContext {
  const PipelineOptions& options;
  const RunOptions& run_options;
  StopRequest& stop;
  Ground& ground;
  // Whether this process still holds the pipeline's lock: an error ends the copy.
  std::function<Status()> still_own;
};

// Copies, or goes on copying, until all is in the graph, whose position then is the slot's consistent point; or until a stop
// is asked for, with success as well. Blocks. A new attempt goes on after any error that one may cure.
Status copy_tables(CopyContext context);

// Which source the pipeline's position is of.
apply::Source source_of(const PipelineOptions& options, const postgres::SystemIdentity& system);
// Waits, unless a stop is asked for meanwhile.
void pause(StopRequest& stop, Duration duration);

}  // namespace cnx::pipeline
