// What both databases say before anything moves: the catalog, the slot, the position, and what the graph remembers.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "apply/position.hpp"
#include "base/result.hpp"
#include "bolt/connection.hpp"
#include "capture/logical/source_state.hpp"
#include "pipeline/options.hpp"
#include "pipeline/table_plan.hpp"
#include "postgres/replication.hpp"
#include "postgres/server.hpp"
#include "postgres/session.hpp"
#include "postgres/slot.hpp"

namespace cnx::pipeline {

struct Ground {
  postgres::ServerInfo server;
  postgres::SystemIdentity system;
  Catalog catalog;
  TablePlan plan;
  std::string catalog_mark;  // Read before the catalog: another one later means that it may be another.
  std::optional<postgres::SlotState> slot;
  std::optional<apply::PositionNode> position;
  std::string graph_identity;
  capture::SourceRecord record;
  ResyncRequest asked;  // By a person.
};

// Where the graph stands, for the judgement of the source.
capture::HeldPosition held_position(const apply::PositionNode& node);
// Pure.
capture::SourceJudgement judge(const Ground& ground);

// `traces`: of what the stream told since the last plan. Blocks until `deadline`. Errors of either side, wrapped with which.
Result<Ground> read_ground(const PipelineOptions& options, const StreamTraces& traces, TimePoint deadline);

Result<bolt::Connection> open_graph(const PipelineOptions& options, TimePoint deadline);
Result<postgres::Session> open_session(const PipelineOptions& options, TimePoint deadline);

}  // namespace cnx::pipeline
