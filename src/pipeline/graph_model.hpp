// The graph that a mapping makes of a database, as a whole: labels with their properties, and what leads from which to which.
#pragma once

#include <string>
#include <vector>

#include "base/result.hpp"
#include "mapping/rules.hpp"
#include "pipeline/explain.hpp"
#include "postgres/options.hpp"

namespace cnx::pipeline {

struct GraphModel {
  struct Node {
    std::string label;
    std::vector<std::string> more_labels;  // Also those that a value chooses.
    std::vector<std::string> tables;       // Whose rows it is: "public.orders".
    std::string key_property;
    std::vector<ExplainedProperty> properties;
  };
  struct Relationship {
    std::string type;
    size_t start = 0;  // Among `nodes`.
    size_t end = 0;
    std::vector<std::string> made_by;  // "public.orders (customer_id)": a foreign key; "public.links": its rows.
    std::vector<ExplainedProperty> properties;
  };
  std::string name;                    // The mapping's.
  std::vector<Node> nodes;             // Each label once, in the mapping's order.
  std::vector<Relationship> relationships;  // Each type between two labels once.
  std::vector<std::string> unmapped;   // Tables that the mapping names as `graph: none`.
};

// ErrorKind::invalid: the mapping does not fit the catalog. Blocks until PostgreSQL answered.
Result<GraphModel> read_graph_model(const postgres::ConnectionOptions& options, const mapping::Mapping& mapping);

}  // namespace cnx::pipeline
