#include "pipeline/resync_request.hpp"

#include "pipeline/ground.hpp"
#include "pipeline/schema.hpp"

namespace cnx::pipeline {
namespace {

constexpr Duration kStepMax = std::chrono::seconds(30);
constexpr std::string_view kAll = "*";

TimePoint soon() { return Clock::now() + kStepMax; }

// "schema.table", or "table" where the mapping has one such only.
Result<postgres::TableName> find_mapped(const mapping::Mapping& mapping, const std::string& word) {
  std::vector<postgres::TableName> found;
  for (const postgres::TableName& name : mapping.table_names()) {
    if (postgres::to_string(name) == word || name.name == word) found.push_back(name);
  }
  if (found.size() == 1) return found.front();
  return fail(Error(ErrorKind::invalid, found.empty() ? "the mapping has no such table" : "more than one schema has such a table")
                  .with("table", word)
                  .advise(found.empty() ? "contextnexus map lists the tables" : "write schema.table"));
}

}  // namespace

Result<ResyncRequest> read_request(postgres::Session& session, const std::string& pipeline, TimePoint deadline) {
  ResyncRequest request;
  CNX_TRY(int version, read_engine_version(session, deadline));
  if (version < kEngineVersion) return request;
  CNX_TRY(postgres::Rows rows, session.query("SELECT resync FROM contextnexus.pipelines WHERE name = $1 AND resync IS NOT NULL",
                                             {pipeline}, deadline));
  if (rows.empty()) return request;
  request.text = std::string(rows.text(0, 0));
  CNX_TRY(std::vector<std::string> tables, rows.texts(0, 0));
  request.tables = {tables.begin(), tables.end()};
  return request;
}

Status end_request(postgres::Session& session, const std::string& pipeline, const ResyncRequest& request, TimePoint deadline) {
  if (request.empty()) return {};
  return session.execute("UPDATE contextnexus.pipelines SET resync = NULL WHERE name = $1 AND resync = $2::text[]",
                         {pipeline, request.text}, deadline);
}

Status request_resync(const PipelineOptions& options, const std::vector<std::string>& tables) {
  std::vector<std::string> quoted;
  for (const std::string& word : tables) {
    CNX_TRY(postgres::TableName name, find_mapped(options.mapping, word));
    quoted.push_back(postgres::quote_table(name));
  }
  if (quoted.empty()) quoted.emplace_back(kAll);
  CNX_TRY(postgres::Session session, open_session(options, soon()));
  CNX_TRY(check_engine_version(session, soon()));
  CNX_TRY(postgres::Rows rows,
          session.query("UPDATE contextnexus.pipelines SET resync = coalesce(resync, '{}') || $2::text[] WHERE name = $1 "
                        "RETURNING pg_catalog.pg_notify('contextnexus_pipelines', name)",
                        {options.name, postgres::array_text(quoted)}, soon()));
  if (!rows.empty()) return {};
  return fail(Error(ErrorKind::invalid, "this database knows no pipeline of that name")
                  .with("pipeline", options.name)
                  .advise("contextnexus init makes one; --pipeline names another"));
}

}  // namespace cnx::pipeline
