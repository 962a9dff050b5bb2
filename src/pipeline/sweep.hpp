// Removes what is left over of a table in the graph: nodes or relationships that none of its rows makes any more.
#pragma once

#include "apply/table_states.hpp"
#include "pipeline/copy_rounds.hpp"
#include "pipeline/table_keys.hpp"

namespace cnx::pipeline {

// Both block, and may be repeated. Nobody else writes meanwhile: between two passes, by the owner.

// Holds the graph's keys against the table's, and those of tables beside it (tables_beside): what no row has goes. Of a table
// that is not there any more, all that is not another's. `source`: the snapshot under which the table was copied; none: one
// of its own. With a table beside it that is held nothing is removed, since its rows are not known.
Status sweep_table(CopyContext& context, bolt::Connection& graph, const apply::CopyOwner& owner,
                   const apply::TableState& state, const std::optional<KeySource>& source);

// As for_each_slice of table_keys.hpp, until a stop is asked for. `source`: none is a snapshot of its own.
Status for_each_slice(CopyContext& context, const std::vector<const postgres::Table*>& tables,
                      const std::optional<KeySource>& source, const std::function<Status(const TableKeys&)>& work);

}  // namespace cnx::pipeline
