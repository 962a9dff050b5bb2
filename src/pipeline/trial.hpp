// Whether mutations can be applied to the graph as it stands: tried in a transaction that is rolled back.
#pragma once

#include "apply/neo4j_graph.hpp"
#include "apply/refused_row.hpp"
#include "pipeline/options.hpp"

namespace cnx::pipeline {

// One thread. Blocks, with deadlines of its own.
class Trial {
 public:
  // `plan` must outlive it.
  Trial(const PipelineOptions& options, const cypher::Plan& plan);

  // The refusal that is of some row's own data; nothing: they can. Any other failure is the error.
  Result<std::optional<apply::Refusal>> run(mapping::Mutations&& mutations);

 private:
  Result<apply::Applied> wait();

  apply::Neo4jGraph graph_;
  bool open_ = false;
};

}  // namespace cnx::pipeline
