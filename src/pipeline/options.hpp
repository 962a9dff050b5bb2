// What a pipeline is made of: two databases, a mapping, a name.
#pragma once

#include <string>

#include "bolt/options.hpp"
#include "mapping/rules.hpp"
#include "postgres/options.hpp"

namespace cnx::pipeline {

struct PipelineOptions {
  // [a-z0-9_]{1,63}: it is also the name of the slot and of the publication. Default: the product's.
  std::string name = "contextnexus";
  postgres::ConnectionOptions postgres;
  bolt::Options neo4j;
  mapping::Mapping mapping;

  const std::string& slot() const { return name; }
  const std::string& publication() const { return name; }
};

}  // namespace cnx::pipeline
