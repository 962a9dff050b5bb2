// The preflight's part about Neo4j: its version, its constraints, and whether we may write.
#pragma once

#include <set>
#include <string>

#include "bolt/connection.hpp"
#include "mapping/model.hpp"
#include "pipeline/findings.hpp"

namespace cnx::pipeline {

// "Neo4j/5.26.28", "Neo4j/5.27-aura", "Neo4j/2026.09.0" to (5, 26) …; (0, 0): not understood. Pure.
std::pair<int, int> graph_version(std::string_view agent);
void judge_graph_version(Findings& findings, std::string_view agent, const std::string& edition);

// Edition, rights by a write that is rolled back, and, where the model is there, its constraints.
void check_graph(Findings& findings, bolt::Connection& graph, const mapping::Model* model);

}  // namespace cnx::pipeline
