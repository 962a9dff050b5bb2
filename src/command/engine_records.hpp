// What the verbs about the engine's records in PostgreSQL have in common: dead letters, conflicts, the audit.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "command/verb.hpp"
#include "pipeline/options.hpp"
#include "postgres/session.hpp"

namespace cnx::command {

struct EngineRecords {
  pipeline::PipelineOptions options;
  postgres::Session session;
};

// PostgreSQL alone is needed. ErrorKind as pipeline::check_engine_version() where its tables are of another version. Blocks until
// `deadline`.
Result<EngineRecords> open_engine_records(const ConnectionFlags& flags, TimePoint deadline);

std::string joined(const std::vector<std::string>& words, const char* between = ",");

// What is no UTF-8 is replaced.
std::string pretty(const nlohmann::ordered_json& json);

}  // namespace cnx::command
