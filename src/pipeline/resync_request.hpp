// What a person asked for by `contextnexus resync`: tables to be read again, or all of them behind a new slot where the graph
// lacks changes. Kept in contextnexus.pipelines until a run has begun with it; a running one hears of it by NOTIFY.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "pipeline/options.hpp"
#include "postgres/quote.hpp"
#include "postgres/session.hpp"

namespace cnx::pipeline {

struct ResyncRequest {
  std::set<std::string> tables;  // "schema"."table", each quoted; or *.
  std::string text;              // As PostgreSQL has it; empty: nothing is asked for.

  bool empty() const { return text.empty(); }
  bool all() const { return tables.contains("*"); }
  bool asks(const postgres::TableName& table) const { return all() || tables.contains(postgres::quote_table(table)); }
};

// Both block until `deadline`; kinds as Session.
Result<ResyncRequest> read_request(postgres::Session& session, const std::string& pipeline, TimePoint deadline);
// A run has begun with it. One that was made meanwhile stays.
Status end_request(postgres::Session& session, const std::string& pipeline, const ResyncRequest& request, TimePoint deadline);

// Asks for it, beside what is asked for already, and tells the running engine. Empty: all tables. ErrorKind::invalid: no such
// pipeline, or a table that the mapping does not have. Needs PostgreSQL alone. Blocks.
Status request_resync(const PipelineOptions& options, const std::vector<std::string>& tables);

}  // namespace cnx::pipeline
