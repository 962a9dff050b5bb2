// What the preflight says of key changes: which rows follow, and which stay at the key that they name.
#pragma once

#include "mapping/model.hpp"
#include "pipeline/findings.hpp"

namespace cnx::pipeline {

// An ok each way: the graph shows what the rows say. Nothing where no row names another.
void judge_references(Findings& findings, const mapping::Model& model);

}  // namespace cnx::pipeline
