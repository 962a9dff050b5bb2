// The cure of a gap: the graph lacks changes that cannot be read any more, or holds some that were lost. Behind a new slot every
// table is read again and what has no row any more is removed; others' properties and relationships stay.
#pragma once

#include "capture/logical/source_state.hpp"
#include "pipeline/copy_rounds.hpp"

namespace cnx::pipeline {

// Whether that is what is to be done about this state: a person asked for it (contextnexus resync --all), or the configuration
// says so. Pure.
bool is_to_be_read_again(const capture::SourceJudgement& judgement, bool all_asked, const SourceOptions& options);

// Makes the slot and moves the position to its start; what follows is the work of every other table that is read again
// (pipeline/resync.hpp). As the pipeline's owner; may be repeated after a kill. Blocks as the making of a slot does.
Status read_all_again(CopyContext& context, const capture::SourceJudgement& judgement);

// PostgreSQL has failed over, and the slot came along: the position says on which timeline, and in which database, it goes on. As
// the pipeline's owner; blocks until `deadline`.
Status follow_source(const PipelineOptions& options, const postgres::SystemIdentity& system, TimePoint deadline);

}  // namespace cnx::pipeline
