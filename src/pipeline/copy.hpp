// The copy of the rows that were there before the slot was made: the beginning of a pipeline. A copy that was stopped or
// killed goes on where it was.
#pragma once

#include "pipeline/copy_rounds.hpp"

namespace cnx::pipeline {

// Copies, or goes on copying, until all is in the graph, whose position then is the slot's consistent point; or until a stop
// is asked for or the pipeline is paused, with success as well. Blocks. A new attempt goes on after any error that one may cure.
Status copy_tables(CopyContext& context);

// Every change that a copied row showed is behind the position: nothing is held against the segments any more. Only the owner
// of that epoch may say so: another instance may be copying anew. Blocks.
Status forget_copy(const PipelineOptions& options, int64_t epoch);

// Which source the pipeline's position is of.
apply::Source source_of(const PipelineOptions& options, const postgres::SystemIdentity& system);
// Waits, unless a stop is asked for meanwhile.
void pause(StopRequest& stop, Duration duration);

}  // namespace cnx::pipeline
