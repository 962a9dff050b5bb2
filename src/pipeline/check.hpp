// The preflight: tries what a pipeline will do and names each thing that stands in the way, with
// its cure. Nothing stays of what it tries: a slot that is temporary, a write that is rolled back.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "pipeline/finding_kinds.hpp"
#include "pipeline/options.hpp"

namespace cnx::pipeline {

enum class Grade {
  ok,
  warning,  // The pipeline runs; something of it will be missed, or costs more than it has to.
  fault,    // It does not start, or would stop, or would not keep its promise.
};
// "ok", "warning", "fault".
std::string_view to_string(Grade grade);

struct Finding {
  Grade grade = Grade::ok;
  // Which of the kinds that finding_kinds.hpp lists; none where all is well.
  std::optional<FindingKind> kind;
  std::string side;    // "PostgreSQL", "Neo4j", "mapping" or "pipeline".
  std::string what;    // What was looked at: "wal_level", "table public.tags".
  std::string figure;  // What was found.
  std::string cure;    // A person's next step; empty where all is well.
};

struct CheckReport {
  std::vector<Finding>
      findings;  // In the order of the row's way: PostgreSQL, mapping, Neo4j, both.
  size_t count(Grade grade) const;
};

// Blocks, for a minute at most. A database that cannot be reached is a fault like any other, and
// what does not need it is looked at all the same.
CheckReport check_pipeline(const PipelineOptions& options);

// Only whether the mapping fits the tables and their columns, and whether these tables can be read and followed. An error where
// PostgreSQL cannot be asked. Blocks, for a minute at most.
Result<CheckReport> check_mapping(const postgres::ConnectionOptions& options, const mapping::Mapping& mapping);

}  // namespace cnx::pipeline
