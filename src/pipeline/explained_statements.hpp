// The statements of one table with when each is sent, in the order of cypher/plan.
#pragma once

#include <vector>

#include "cypher/texts.hpp"
#include "pipeline/explain.hpp"

namespace cnx::pipeline {

// Pure. Texts that are not there (no user's statement, no foreign key) are left out.
std::vector<ExplainedStatement> node_statements(const cypher::NodeTexts& texts);
std::vector<ExplainedStatement> relationship_statements(const cypher::RelationshipTexts& texts);

}  // namespace cnx::pipeline
