// Takes properties off a table's nodes or relationships that none of its columns makes any more.
#pragma once

#include <optional>

#include "apply/table_states.hpp"
#include "pipeline/copy_rounds.hpp"
#include "pipeline/table_keys.hpp"

namespace cnx::pipeline {

// Where the rows of a table beside it (tables_beside) make one of them, it stays on what those rows make; with such a table
// held, whose rows are not known, all stay, and the log says so. `source`: the snapshot under which the table was copied;
// none: one of its own. Returns the tables beside it that are to be read again: the graph is older than the snapshot, and where
// the key of a row of theirs changed in between, the property was taken off it. Between two passes, by the owner, while nobody
// else writes. Blocks, may be repeated, and ends early where a stop is asked for.
Result<std::vector<postgres::TableName>> remove_stale_properties(CopyContext& context, bolt::Connection& graph,
                                                                 const apply::CopyOwner& owner, const apply::TableState& state,
                                                                 const std::optional<KeySource>& source);

}  // namespace cnx::pipeline
