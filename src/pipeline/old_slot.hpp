// The end of a slot of the pipeline's.
#pragma once

#include "pipeline/pipeline.hpp"
#include "postgres/session.hpp"

namespace cnx::pipeline {

// Drops the pipeline's slot, where there is one; waits until nobody reads it any more. Only while the server process
// `lease_pid` holds the pipeline's lock: ErrorKind::state where it does not any more, or the slot is not ours. Success as well
// where a stop was asked for meanwhile. Blocks for some minutes at most.
Status drop_old_slot(const PipelineOptions& options, int32_t lease_pid, StopRequest& stop);

}  // namespace cnx::pipeline
