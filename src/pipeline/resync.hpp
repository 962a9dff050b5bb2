// Tables that are read again while the line is up (design: back-fill and resync are the same thing): what changed in the
// catalog without a message in the stream, or in the mapping. The line stands at its position meanwhile; then the stream
// goes on from there, and of each change it counts what the new read has not seen.
#pragma once

#include "pipeline/copy_rounds.hpp"

namespace cnx::pipeline {

// Puts what ground.plan says into the graph and copies the tables that are to be copied. True: all that was to be done is;
// false: a stop was asked for, or the pipeline was paused. `ground.plan.states` are then as the graph has them. Blocks; a new
// attempt goes on after any error that one may cure.
Result<bool> resync_tables(CopyContext& context);

// Whether some table waits for the position to be at `position`, so that properties of dropped columns can be removed. Pure.
bool is_due(const std::vector<apply::TableState>& states, change::Lsn position);
// The place of the log that the position must reach for all of that; 0/0: none waits.
change::Lsn due_until(const std::vector<apply::TableState>& states);

// Removes what is due. Blocks.
Status clean_tables(CopyContext& context, change::Lsn position);

}  // namespace cnx::pipeline
