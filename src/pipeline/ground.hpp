// What both databases say before anything moves: the catalog held against the mapping, the slot, the position, and what
// of it stands in the way.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "apply/position.hpp"
#include "base/result.hpp"
#include "bolt/connection.hpp"
#include "cypher/plan.hpp"
#include "mapping/model.hpp"
#include "pipeline/options.hpp"
#include "postgres/catalog.hpp"
#include "postgres/publication.hpp"
#include "postgres/replication.hpp"
#include "postgres/server.hpp"
#include "postgres/session.hpp"
#include "postgres/slot.hpp"

namespace cnx::pipeline {

// The mapping held against the catalog. The options' mapping must outlive it.
struct Catalog {
  std::vector<postgres::Table> tables;  // The mapped ones, in the mapping's order.
  postgres::TypeCatalog types;
  std::unique_ptr<mapping::Model> model;
};
Result<Catalog> read_catalog(postgres::Session& session, const mapping::Mapping& mapping, TimePoint deadline);

// What stands in the way of reading each table whole and of following its changes, named with its cure: ErrorKind::invalid.
Status check_tables(const Catalog& catalog);
// Every mapped table is in the publication, with all operations.
Status check_publication(const Catalog& catalog, const std::optional<postgres::Publication>& publication,
                         const std::string& name);

// Exactly these tables, with the rows that the mapping takes, whole, with all operations: init has nothing to make of it. Pure.
bool publishes_all_of(const postgres::Publication& there, const std::vector<postgres::Table>& tables);

// Binds each table as the catalog describes it, so that every property name is known, and gives them by node table.
Result<std::vector<std::vector<std::string>>> known_properties(Catalog& catalog);

// Which graph contextnexus.pipelines binds the pipeline to; empty where it says nothing.
Result<std::string> read_binding(postgres::Session& session, const std::string& pipeline, TimePoint deadline);

struct Ground {
  postgres::ServerInfo server;
  postgres::SystemIdentity system;
  Catalog catalog;
  std::optional<postgres::Publication> publication;
  std::optional<postgres::SlotState> slot;
  std::optional<apply::PositionNode> position;
  std::string graph_identity;
  // As contextnexus.pipelines has it; empty where it says nothing.
  std::string bound_graph_identity;
};

// Blocks until `deadline`. Errors of either side, wrapped with which.
Result<Ground> read_ground(const PipelineOptions& options, TimePoint deadline);

Result<bolt::Connection> open_graph(const PipelineOptions& options, TimePoint deadline);
Result<postgres::Session> open_session(const PipelineOptions& options, TimePoint deadline);

}  // namespace cnx::pipeline
