// The copy in the graph: its segments, `(:ContextNexusSegment {key: "<pipeline>/<number>"})`, and its lanes, position
// nodes of their own (`"<pipeline>/copy/<number>"`), each led by the same compare-and-set as the stream's. The pipeline's
// position stays in phase snapshot until all segments are done; only its owner, by epoch, changes any of this.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "apply/position.hpp"
#include "bolt/connection.hpp"
#include "change/segment.hpp"

namespace cnx::apply {

std::string copy_lane_key(std::string_view pipeline, size_t number);

// Whose copy it is. A call by anybody else but the owner of that epoch is ErrorKind::state, and changes nothing.
struct CopyOwner {
  std::string pipeline;
  int64_t epoch = 0;
};

// All block until `deadline`. Errors: those of the connection.

// The beginning: phase snapshot, a position that promises nothing until the copy is whole, and these segments alone, in
// one transaction.
Status start_copy(bolt::Connection& connection, const CopyOwner& owner, const Source& source,
                  change::Lsn consistent_point, const std::vector<change::Segment>& segments, TimePoint deadline);
// By number. ErrorKind::state for a node that is not as this program writes it.
Result<std::vector<change::Segment>> read_segments(bolt::Connection& connection, std::string_view pipeline,
                                                   TimePoint deadline);
// These in the place of what is there, in one transaction.
Status replace_segments(bolt::Connection& connection, const CopyOwner& owner,
                        const std::vector<change::Segment>& segments, TimePoint deadline);
// Ends the lanes of whoever copied before, after what they had under way, and makes so many anew.
Status make_copy_lanes(bolt::Connection& connection, const CopyOwner& owner, size_t lanes, TimePoint deadline);
// All segments are done: the position moves to the slot's consistent point, phase stream, and the lanes go. ErrorKind::state
// where a segment is not.
Status end_copy(bolt::Connection& connection, const CopyOwner& owner, change::Lsn consistent_point, TimePoint deadline);
// There is no more pipeline: segments and lanes of the copy go, whoever asks.
Status remove_copy(bolt::Connection& connection, std::string_view pipeline, TimePoint deadline);

// Runs a statement behind the check of who owns the copy, which `WITH p` ends: the position node is `p`, and $lane, $epoch,
// $pipeline and $prefix are taken.
Result<bolt::QueryResult> run_owned(bolt::Connection& connection, const CopyOwner& owner, std::string_view statement,
                                    const bolt::Map& parameters, TimePoint deadline);

// Behind the position, in a transaction of a copy's lane.
std::string_view segment_progress_text();
Bytes segment_progress_parameters(const SegmentProgress& progress, size_t rows);

}  // namespace cnx::apply
