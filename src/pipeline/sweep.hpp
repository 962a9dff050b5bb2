// Removes what is left over of a table in the graph: nodes or relationships that none of its rows makes any more, and
// properties that none of its columns does.
#pragma once

#include "apply/table_states.hpp"
#include "pipeline/copy_rounds.hpp"

namespace cnx::pipeline {

// The graph's keys are held against the table's as it is now: what the stream tells later of rows that are gone by then finds
// nothing to do. Nobody else writes meanwhile: between two passes, by the owner. Of a table that is held because it is not
// there, all goes. Blocks; may be repeated.
Status remove_leftovers(CopyContext& context, bolt::Connection& graph, const apply::CopyOwner& owner,
                        const apply::TableState& state);

}  // namespace cnx::pipeline
