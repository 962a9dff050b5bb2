// From settings to what the pipeline is made of: both databases and the mapping. Secrets that came from files are read
// again at each connect.
#pragma once

#include "config/settings.hpp"
#include "config/value.hpp"

namespace cnx::config {

// invalid: no PostgreSQL was named, neither here nor by libpq's own variables.
Result<postgres::ConnectionOptions> postgres_options(const Settings& settings, const Environment& environment);
// invalid: no Neo4j was named, or the URL is wrong, or user, password and token do not go together.
Result<bolt::Options> neo4j_options(const Settings& settings);
// The file's, or the built-in one. All faults of a mapping are in the error's message.
Result<mapping::Mapping> read_mapping(const Settings& settings);

}  // namespace cnx::config
