// What a person may set, as the option table binds it: plain data with the defaults of the code.
#pragma once

#include <string>

#include "base/secret.hpp"
#include "pipeline/pipeline.hpp"
#include "telemetry/log.hpp"
#include "telemetry/options.hpp"

namespace cnx::config {

// A secret as it was given: its text, or the file that holds it and is read again at each use.
struct GivenSecret {
  Secret text;       // As it stands now; also where it came from a file.
  std::string file;  // Empty: no file.

  bool given() const { return !text.empty() || !file.empty(); }
};

struct Settings {
  GivenSecret postgres_url;
  GivenSecret postgres_password;
  GivenSecret neo4j_url;
  std::string neo4j_user;
  GivenSecret neo4j_password;
  GivenSecret neo4j_token;
  std::string neo4j_database;
  std::string neo4j_ca_file;
  std::string mapping_file;  // Empty: the built-in mapping.

  // Its databases and its mapping are made from the above (connections.hpp).
  pipeline::PipelineOptions pipeline;
  pipeline::RunOptions run;
  telemetry::LogOptions log;  // Its pipeline is that above.
  telemetry::TelemetryOptions telemetry;
};

}  // namespace cnx::config
