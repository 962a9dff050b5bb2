// What tables that are followed make no more, properties of dropped columns and rows that went without a message, is removed once
// the position is where nothing of the stream is about it any more.
#pragma once

#include "pipeline/resync.hpp"

namespace cnx::pipeline {

// Whether some table waits for the position to be at `position`, so that what it makes no more can be removed. Pure.
bool is_due(const std::vector<apply::TableState>& states, change::Lsn position);
// The place of the log that the position must reach for all of that; 0/0: none waits.
change::Lsn due_until(const std::vector<apply::TableState>& states);

// Removes what is due, by reads that must show all that is in the graph (shows_all of resync.hpp). Says whether a table is to be
// read again for it (in `progress` as begun anew): the catalog is to be looked at. Blocks.
Result<bool> clean_tables(CopyContext& context, ResyncProgress& progress, change::Lsn position);

// Nothing is stale any more. The state is still to be written.
void forget_stale(apply::TableState& state);
// Tables from whose rows something was taken together with another's: nothing counts that was copied of them before. The states
// are still to be written. Blocks.
Status read_again(bolt::Connection& graph, const apply::CopyOwner& owner, const std::set<postgres::TableName>& names,
                  std::vector<apply::TableState>& states);

}  // namespace cnx::pipeline
