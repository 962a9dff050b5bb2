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
  postgres::Session& owner;  // Which holds the pipeline's lock.
  // Whether the pipeline was paused meanwhile, which ends the copy for now; an error, that the lock is lost, ends it too.
  std::function<Result<bool>()> paused_or_lost;
};

// Copies, or goes on copying, until all is in the graph, whose position then is the slot's consistent point; or until a stop
// is asked for or the pipeline is paused, with success as well. Blocks. A new attempt goes on after any error that one may cure.
Status copy_tables(CopyContext context);

// Which source the pipeline's position is of.
apply::Source source_of(const PipelineOptions& options, const postgres::SystemIdentity& system);
// Waits, unless a stop is asked for meanwhile.
void pause(StopRequest& stop, Duration duration);

}  // namespace cnx::pipeline
