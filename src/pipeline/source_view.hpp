// The source and the graph as an outsider sees them, also while the pipeline runs: for `status`, and to name what ended a run.
#pragma once

#include <optional>
#include <string>

#include "apply/position.hpp"
#include "pipeline/source_look.hpp"

namespace cnx::pipeline {

struct SourceView {
  SourceLook look;
  postgres::SystemIdentity system;
  std::optional<apply::PositionNode> position;
  capture::SourceJudgement judgement;
};
// Both block until `deadline`. Errors of either side.
Result<SourceView> view_source(postgres::Session& session, bolt::Connection& graph, const PipelineOptions& options,
                               TimePoint deadline);
Result<SourceView> view_source(const PipelineOptions& options, TimePoint deadline);

}  // namespace cnx::pipeline
