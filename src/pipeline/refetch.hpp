// Reads rows again from PostgreSQL whose changes cannot be applied without their unchanged TOAST
// columns, because the graph does not have their entities, or that met a conflict which is decided outside.
#pragma once

#include <string>
#include <vector>

#include "apply/refetched_rows.hpp"
#include "base/result.hpp"
#include "mapping/lacking_rows.hpp"
#include "pipeline/ground.hpp"

namespace cnx::pipeline {

class Conflicts;

// "t.a = $1 AND t.b = $2": the key's row of what `alias` names, with the key's values as the first parameters.
std::string key_condition(const mapping::RowKey& key, const std::string& alias);

// Of `rows` those whose node the graph lacks, or has as a stub, all whose relationship alone could tell, and those that meet a
// conflict there, as `conflicts` decides about them. `graph` is asked, and `at` is where its lane stands. A row that is gone comes
// without values. Blocks until `deadline`; errors of either side, and of the decision.
Result<std::vector<apply::RefetchedRow>> refetch(const PipelineOptions& options,
                                                 const Catalog& catalog, bolt::Connection& graph,
                                                 const std::vector<mapping::LackingRow>& rows,
                                                 change::Position at, Conflicts& conflicts, TimePoint deadline);

}  // namespace cnx::pipeline
