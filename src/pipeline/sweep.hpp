// Removes what is left over of a table in the graph: nodes or relationships that none of its rows makes any more, and
// properties that none of its columns does.
#pragma once

#include "apply/table_states.hpp"
#include "pipeline/copy_rounds.hpp"

namespace cnx::pipeline {

// All block, and may be repeated. Nobody else writes meanwhile: between two passes, by the owner.

// Holds the graph's keys against the table's in the session's snapshot, under which the table was copied: what no row has goes.
Status sweep_table(CopyContext& context, bolt::Connection& graph, const apply::CopyOwner& owner,
                   const apply::TableState& state, postgres::Session& snapshot);
// Of a table that is not there any more: all goes.
Status sweep_gone_table(CopyContext& context, bolt::Connection& graph, const apply::CopyOwner& owner,
                        const apply::TableState& state);
Status remove_stale_properties(bolt::Connection& graph, const apply::CopyOwner& owner, const Catalog& catalog,
                               const apply::TableState& state);

}  // namespace cnx::pipeline
