// The statements of one table with when each is sent, in the order of cypher/plan.
#pragma once

#include <vector>

#include "mapping/binding.hpp"
#include "pipeline/explain.hpp"

namespace cnx::pipeline {

// Pure; the columns are those of the binding. Texts that are not there (no user's statement, no foreign key) are left out.
std::vector<ExplainedStatement> node_statements(const mapping::Binding& binding);
std::vector<ExplainedStatement> relationship_statements(const mapping::Binding& binding);

}  // namespace cnx::pipeline
