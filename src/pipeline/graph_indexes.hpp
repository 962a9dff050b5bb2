// The indexes that a mapping asks for: made, awaited and dropped beside the constraints (graph_marks.hpp). Set-up work: everything
// blocks, by statement, until a deadline of its own.
#pragma once

#include <vector>

#include "base/result.hpp"
#include "bolt/connection.hpp"
#include "cypher/index_texts.hpp"
#include "mapping/model.hpp"

namespace cnx::pipeline {

// Those of the mapping's that the graph does not have. An index of somebody else's for the same is one that it has.
Result<std::vector<cypher::Index>> missing_indexes(bolt::Connection& connection, const mapping::Model& model);

// Makes those that are missing; the caller awaits them. One of ours with another definition for the same properties (a vector's
// other dimensions) goes first, since Neo4j holds one of a kind.
Status make_indexes(bolt::Connection& connection, const mapping::Model& model);
Status drop_indexes(bolt::Connection& connection, const mapping::Model& model);

}  // namespace cnx::pipeline
