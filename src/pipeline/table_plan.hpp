// The mapped tables as they are now, held against what the graph remembers of them (apply/table_states.hpp): which are
// followed, which have to be copied anew, which are held and why. What is wrong with one table stops that table alone.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "apply/table_states.hpp"
#include "pipeline/graph_form.hpp"
#include "pipeline/catalog.hpp"
#include "pipeline/resync_request.hpp"
#include "pipeline/table_changes.hpp"
#include "postgres/publication.hpp"

namespace cnx::pipeline {

// What was made of a table's rows as the mapping said before, and is not made any more.
struct OutdatedForm {
  postgres::TableName table;
  GraphForm before;
  bool nodes = false;  // All of it: label or key are others.
  std::set<GraphForm::Link> links;
  std::map<GraphForm::Link, GraphForm::Properties> link_properties;
  std::set<std::string> labels;
};

struct TablePlan {
  Catalog catalog;
  // As they are to be kept, in the mapping's order.
  std::vector<apply::TableState> states;
  // Of tables that the mapping has no more.
  std::vector<apply::TableState> left;
  std::vector<OutdatedForm> outdated;  // To be removed before the copy.
  std::vector<std::string> said;  // For people, one line each: what changed, and what follows from it.
  bool changed = false;           // The graph remembers something else.
  // Of the tables to be copied: those of which nothing that was copied before counts.
  std::set<postgres::TableName> anew;
  // Rows of a table may have gone unpublished until now: the copy waits for every transaction that is open.
  bool waits_for_writers = false;
  // As the tables were read, with those that the plan put into it: what was read later may be of tables that were made again since.
  std::optional<postgres::Publication> publication;
};

struct TablePlanInput {
  const mapping::Mapping& mapping;
  const std::string& publication;
  std::vector<apply::TableState> known;
  std::string position;  // For `since`.
  ResyncRequest asked;   // By a person: read again whatever the catalog says.
  StreamTraces traces = {};
  // Nothing is copied yet: what is wrong with a table is the error.
  bool strict = true;
  // Tables of which too many changes wait behind a dead letter.
  std::vector<postgres::TableName> held_back = {};
};

// Reads the catalog in one transaction. Puts tables into the publication that it lacks, where the role may. Blocks until
// `deadline`.
Result<TablePlan> plan_tables(postgres::Session& session, TablePlanInput input, TimePoint deadline);

// Tables that are in the plan and are to be copied now. They live as long as the catalog.
std::vector<const postgres::Table*> tables_to_copy(const Catalog& catalog, const std::vector<apply::TableState>& states);

}  // namespace cnx::pipeline
