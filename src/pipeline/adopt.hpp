// A graph that somebody else filled (a sink, a script) is taken over by label and key: the copy writes its rows over what is
// there, others' properties and relationships stay, and what has no row is told.
#pragma once

#include "pipeline/copy_rounds.hpp"

namespace cnx::pipeline {

// Of each mapped label: nodes that have the key and no row. They stay as they are, marked as stubs (`_cnx_stub`), so that the
// row that comes later fills them and no sweep takes them; so many are listed by their element ids. Relationships of mapped
// types without a row stay too, and are counted. To be called between the copy and the stream, by the copy's owner. Blocks; may
// be repeated.
Status mark_unmatched(CopyContext& context, bolt::Connection& graph, const apply::CopyOwner& owner);

}  // namespace cnx::pipeline
