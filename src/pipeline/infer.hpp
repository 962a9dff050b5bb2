// A mapping file from a live catalog: reads it, infers, writes the text, and makes sure that the
// text is one that this program accepts. Touches no file and no graph.
#pragma once

#include <string>
#include <vector>

#include "base/result.hpp"
#include "mapping/infer.hpp"
#include "postgres/options.hpp"

namespace cnx::pipeline {

struct InferredMapping {
  mapping::Inferred inferred;
  std::string text;
};

// `schemas` as postgres::list_tables. ErrorKind::invalid: no such schema, or nothing in them that a
// mapping could name. Blocks until PostgreSQL answered.
Result<InferredMapping> infer_mapping(const postgres::ConnectionOptions& options,
                                      const std::vector<std::string>& schemas);

}  // namespace cnx::pipeline
