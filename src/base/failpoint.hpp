// Named places where a test ends the process, as a crash there would: each lies between two steps that both have to survive it.
//
// CNX_FAILPOINT=NAME kills the process (SIGKILL) where NAME is reached, NAME:3 the third time, NAME:1:stop stops it there (SIGSTOP).
// Only where the build has CNX_FAILPOINTS (the dev and sanitizer presets); in a release reach() does nothing.
#pragma once

#include <array>
#include <cstddef>
#include <string_view>

namespace cnx {

// Each is reached in one place of the sources. In the order of a change's way, then of a copy's, then what is done beside them.
constexpr std::array kFailpoints = std::to_array<std::string_view>({
    "transaction_read",         // from the slot, and nobody else knows of it
    "transaction_handed_on",    // to the batch
    "idle_handed_on",           // nothing of ours came: the log's end is on its way to the graph
    "batch_cut",                // and waits for room
    "batch_handed_on",          // to the lane
    "batch_begins",             // nothing of it is sent
    "batch_sent",               // BEGIN to COMMIT; what became of it is not known
    "batch_answered",           // the graph holds it, and only the graph
    "piece_answered",           // of a removal that goes in pieces
    "part_acknowledged",        // of a transaction that goes in pieces
    "batch_acknowledged",       // and not yet confirmed to PostgreSQL
    "before_confirming",        // to PostgreSQL
    "after_confirming",
    "before_write_back",        // to the rows in PostgreSQL
    "after_write_back",
    "lock_taken",               // of the pipeline, by a start
    "epoch_raised",             // in the graph, and not yet in PostgreSQL
    "owner_recorded",           // in PostgreSQL, and the graph does not know that it is
    "copy_lanes_made",          // the former owner's are gone
    "copy_slot_made",           // and the graph knows of no copy
    "copy_started",             // the graph knows of it, PostgreSQL's record does not
    "copy_recorded",            // in both
    "copy_snapshot_taken",      // by a copy that goes on
    "copy_segments_written",    // of that one
    "copy_batch_answered",      // rows of a segment
    "copy_segment_answered",    // the last rows of one
    "copy_ending",              // all segments are done, the phase is still the copy's
    "copy_ended",
    "copy_forgotten",           // the graph is consistent
    "resync_slot_dropped",      // what the graph lacks is in no slot
    "resync_slot_made",         // the position still names the old one
    "resync_position_moved",
    "resync_segments_planned",  // tables are not yet said to be copied
    "resync_swept",             // what has no row any more is gone, the table still counts as copied
    "resync_written",
    "row_read_again",           // whose node the graph lacked
    "dead_letter_written",      // in PostgreSQL, and the row not yet passed
});

// A name of the list, or it does not compile.
struct FailpointName {
  consteval FailpointName(const char* name) : index(0) {
    while (kFailpoints[index] != name) ++index;
  }
  size_t index;
};

// Any thread.
void reach(FailpointName point);

}  // namespace cnx
