// Reads rows again from PostgreSQL whose changes cannot be applied without their unchanged TOAST
// columns, because the graph does not have their entities.
#pragma once

#include <vector>

#include "apply/refetched_rows.hpp"
#include "base/result.hpp"
#include "mapping/lacking_rows.hpp"
#include "pipeline/ground.hpp"

namespace cnx::pipeline {

// Of `rows` those whose node the graph lacks, or has as a stub, and all whose relationship alone
// could tell. `graph` is asked, and `at` is where its lane stands. A row that is gone comes without values. Blocks until
// `deadline`; errors of either side.
Result<std::vector<apply::RefetchedRow>> refetch(const PipelineOptions& options,
                                                 const Catalog& catalog, bolt::Connection& graph,
                                                 const std::vector<mapping::LackingRow>& rows,
                                                 change::Position at, TimePoint deadline);

}  // namespace cnx::pipeline
