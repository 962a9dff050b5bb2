// Takes a pipeline away: first the list of what is there, then its removal. A forgotten slot fills somebody's disk.
#pragma once

#include <optional>
#include <string>

#include "base/result.hpp"
#include "pipeline/graph_marks.hpp"
#include "pipeline/options.hpp"

namespace cnx::pipeline {

struct Remains {
  bool slot = false;
  std::optional<int64_t> slot_active_pid;
  int64_t retained_wal_bytes = 0;
  bool publication = false;
  bool position = false;
  std::optional<OursInGraph> graph;  // Counted where `with_graph`.
  bool nothing() const { return !slot && !publication && !position && (!graph || graph->nodes + graph->relationships == 0); }
};
Result<Remains> find_remains(const PipelineOptions& options, bool with_graph);

// ErrorKind::state while somebody runs the pipeline: the slot is in use.
Result<ClearedGraph> tear_down(const PipelineOptions& options, bool with_graph);

}  // namespace cnx::pipeline
