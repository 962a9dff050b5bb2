#include "pipeline/check.hpp"

#include <set>

#include "apply/position.hpp"
#include "bolt/connection.hpp"
#include "bolt/writer.hpp"
#include "cypher/quote.hpp"
#include "mapping/model.hpp"
#include "pipeline/check_audit.hpp"
#include "pipeline/check_conflicts.hpp"
#include "pipeline/check_graph.hpp"
#include "pipeline/check_server.hpp"
#include "pipeline/check_tables.hpp"
#include "pipeline/findings.hpp"
#include "pipeline/graph_keys.hpp"
#include "pipeline/graph_marks.hpp"
#include "pipeline/ground.hpp"
#include "pipeline/row_filters.hpp"
#include "pipeline/schema.hpp"
#include "pipeline/source_look.hpp"

namespace cnx::pipeline {
namespace {

constexpr Duration kSideMax = std::chrono::seconds(20);

// Tables are judged by their policies; the trial reads them as the copy will.
Result<postgres::Session> open_as_the_copy(postgres::ConnectionOptions options, TimePoint deadline) {
  options.row_security_on = true;
  return postgres::Session::open(options, deadline);
}

// Each mapped table by itself. The tables that exist.
Result<std::vector<postgres::Table>> check_readable(Findings& findings, postgres::Session& session,
                                                    const mapping::Mapping& mapping, const postgres::ServerInfo& server,
                                                    TimePoint deadline) {
  CNX_TRY(std::vector<postgres::Table> tables, postgres::read_tables(session, mapping.table_names(), deadline));
  try_reading(findings, session, tables, server, deadline);
  CNX_TRY(auto refused, read_row_filters(session, mapping, tables, deadline));
  for (const auto& [table, error] : refused) {
    findings.fault(FindingKind::mapping_refused, "mapping", error, "correct the mapping");
  }
  judge_tables(findings, mapping, tables, server);
  return tables;
}

// Each side fills in what it could find out; what needs both is judged at the end.
class Check {
 public:
  explicit Check(const PipelineOptions& options) : options_(options) {}

  CheckReport run() {
    findings_.side("PostgreSQL");
    if (Status looked = postgresql(); !looked) {
      findings_.fault(FindingKind::catalog_unread, "reading the catalog", looked.error(), "");
    }
    findings_.side("Neo4j");
    if (Status looked = neo4j(); !looked) findings_.fault(FindingKind::graph_unread, "reading the graph", looked.error(), "");
    findings_.side("pipeline");
    if (postgres_looked_ && graph_looked_) fit();
    return {findings_.take()};
  }

 private:
  Status postgresql() {
    const TimePoint deadline = Clock::now() + kSideMax;
    Result<postgres::Session> session = open_as_the_copy(options_.postgres, deadline);
    if (!session) {
      const bool encoding = session.error().root().kind() == ErrorKind::unsupported;
      findings_.fault(encoding ? FindingKind::encoding : FindingKind::postgresql_unreachable,
                      "connection", session.error(),
                      "is the URL right, and does the server accept connections?");
      return {};
    }
    CNX_TRY(server_, postgres::read_server(*session, deadline));
    CNX_TRY(ServerFigures figures, read_figures(*session, deadline));
    CNX_TRY(slot_, postgres::read_slot(*session, options_.slot(), deadline));
    findings_.ok("connection", "database " + server_.database);
    judge_server(findings_, server_);
    judge_failover(findings_, server_, options_.slot_failover);
    judge_role(findings_, server_);
    judge_slot(findings_, server_, slot_, options_.slot());
    system_ = try_replication(findings_, options_.postgres, server_, figures, *session,
                              slot_.has_value());
    judge_pooling(findings_, figures, system_.has_value());
    judge_senders(findings_, server_, figures, system_.has_value());
    judge_log_kept(findings_, server_, figures);
    CNX_TRY(tables(*session, deadline));
    CNX_TRY(check_audit(findings_, *session, options_.audit, deadline));
    CNX_TRY(check_conflicts(findings_, *session, options_.mapping, deadline));
    Status known = check_engine_version(*session, deadline);
    look_ = known ? look_at_source(*session, options_, deadline) : fail(known.error());
    if (look_) judge_source_warnings(findings_, source_warnings(*look_, options_.source));
    postgres_looked_ = true;
    return {};
  }

  Status tables(postgres::Session& session, TimePoint deadline) {
    CNX_TRY(std::vector<postgres::Table> tables, check_readable(findings_, session, options_.mapping, server_, deadline));
    CNX_TRY(postgres::TypeCatalog types, postgres::read_types(session, deadline));
    CNX_TRY(std::optional<postgres::Publication> publication,
            postgres::read_publication(session, options_.publication(), deadline));
    judge_publication(findings_, options_.mapping, tables, publication, options_.publication());
    findings_.side("mapping");
    judge_mapping(findings_, options_.mapping, tables, types);
    findings_.side("PostgreSQL");
    if (auto model = mapping::Model::make(options_.mapping, tables)) model_ = std::move(*model);
    if (!model_) return {};
    CNX_TRY(record::SyncTables sync, record::find_sync_tables(session, tables, *model_, deadline));
    judge_write_back(findings_, sync);
    return {};
  }

  Status neo4j() {
    const TimePoint deadline = Clock::now() + kSideMax;
    Result<bolt::Connection> graph = bolt::open_writer(options_.neo4j, deadline);
    if (!graph) {
      findings_.fault(FindingKind::neo4j_unreachable, "connection", graph.error(),
                      "is the URL right, and does the server accept connections?");
      return {};
    }
    findings_.ok("connection", graph->server().address);
    check_graph(findings_, *graph, model_.get());
    CNX_TRY(graph_identity_, read_graph_identity(*graph));
    CNX_TRY(position_, apply::read_position(*graph, apply::lane_key(options_.name), deadline));
    CNX_TRY(read_log_end(deadline));
    if (model_) {
      CNX_TRY(foreign_label_, find_filled_label(*graph, deadline));
      CNX_TRY(find_keyless(*graph, deadline));
    }
    graph_looked_ = true;
    return {};
  }

  // A running pipeline moves its position: the log's end is asked once more behind it.
  Status read_log_end(TimePoint deadline) {
    if (!system_ || !position_ || server_.in_recovery) return {};
    CNX_TRY(postgres::Session session, postgres::Session::open(options_.postgres, deadline));
    CNX_TRY(postgres::Rows rows, session.query("SELECT pg_catalog.pg_current_wal_flush_lsn()", deadline));
    CNX_TRY(system_->wal_end, rows.lsn(0, 0));
    return {};
  }

  // The first mapped label that has nodes already.
  Result<std::string> find_filled_label(bolt::Connection& graph, TimePoint deadline) {
    for (const mapping::NodeTable& table : model_->nodes()) {
      CNX_TRY(bolt::QueryResult rows,
              graph.query("CYPHER 5 MATCH (n:" + cypher::quote(table.node->label) + ") WHERE n." +
                              cypher::quote(table.key_property) + " IS NOT NULL RETURN 1 LIMIT 1",
                          {}, deadline));
      if (!rows.records.empty()) return table.node->label;
    }
    return std::string();
  }

  // Only before the first copy: afterwards nodes without a key are somebody's own.
  Status find_keyless(bolt::Connection& graph, TimePoint deadline) {
    if (position_ && position_->stored.lane.phase != apply::Phase::initial) return {};
    std::set<std::pair<std::string, std::string>> seen;
    for (const mapping::NodeTable& table : model_->nodes()) {
      if (!seen.insert({table.node->label, table.key_property}).second) continue;
      CNX_TRY(Keyless found, count_keyless(graph, table, deadline));
      if (found.without == 0) continue;
      findings_.warning(FindingKind::graph_keys, "label " + table.node->label,
                        std::to_string(found.without) + " of " + std::to_string(found.looked_at) + " nodes looked at have no " +
                            (table.integer_key ? "number" : "text") + " in " + table.key_property + ": no row finds them",
                        "where they are rows' nodes, give them the key as the mapping has it (docs/adopting-a-graph.md): else run makes "
                        "others beside them");
    }
    return {};
  }

  void fit() {
    const std::string what = "pipeline " + options_.name;
    if (!look_) {
      findings_.fault(FindingKind::engine_schema, what, look_.error(),
                      "GRANT contextnexus_engine TO the role; or contextnexus init --role");
      return;
    }
    // Without a replication connection the timeline is not known; that is a fault already.
    const bool streams = position_ && position_->stored.lane.phase == apply::Phase::stream;
    if (streams && !system_) return;
    const capture::SourceJudgement judgement = judge(streams);
    if (Status fits = capture::to_status(judgement); !fits) {
      findings_.fault(finding_of(judgement.state), what, fits.error(), "");
      return;
    }
    fit_phase(what);
  }

  void fit_phase(const std::string& what) {
    const apply::LanePosition& lane = position_->stored.lane;
    if (lane.phase == apply::Phase::initial) {
      if (foreign_label_.empty()) {
        findings_.ok(what, "initialised: run copies the tables first");
      } else {
        findings_.fault(
            FindingKind::graph_filled, what, "the graph has nodes of the label " + foreign_label_ + " that it did not write",
            "contextnexus run --adopt takes them over by label and key; contextnexus drop --graph removes the nodes of the mapped "
            "labels; others stay");
      }
      return;
    }
    if (position_->source.fingerprint != options_.mapping.fingerprint) {
      findings_.warning(FindingKind::other_mapping, what, "the graph was built with another mapping",
                        "contextnexus init for tables that are new in it; run reads again what it says otherwise");
    }
    if (lane.phase == apply::Phase::snapshot) {
      findings_.ok(what, "copying; a copy that was interrupted starts again");
      return;
    }
    findings_.ok(what, "the graph's position " + lane.position.to_string() + " fits the slot");
  }

  capture::SourceJudgement judge(bool streams) const {
    capture::SourceFacts facts{.streams = streams,
                               .graph_identity = graph_identity_,
                               .record = look_->record,
                               .server_version = server_.version,
                               .slot = slot_};
    if (position_) facts.held = held_position(*position_);
    if (system_) facts.system = *system_;
    return capture::judge_source(facts);
  }

  static FindingKind finding_of(capture::SourceState state) {
    switch (state) {
      case capture::SourceState::not_initialised:
        return FindingKind::not_initialised;
      case capture::SourceState::graph_emptied:
        return FindingKind::position_gone;
      case capture::SourceState::graph_replaced:
        return FindingKind::other_graph;
      default:
        return FindingKind::position_unfit;
    }
  }

  const PipelineOptions& options_;
  Findings findings_;

  bool postgres_looked_ = false;
  postgres::ServerInfo server_;
  std::optional<postgres::SystemIdentity> system_;
  std::optional<postgres::SlotState> slot_;
  Result<SourceLook> look_ = SourceLook();
  std::unique_ptr<mapping::Model> model_;

  bool graph_looked_ = false;
  std::string graph_identity_;
  std::optional<apply::PositionNode> position_;
  std::string foreign_label_;
};

}  // namespace

CheckReport check_pipeline(const PipelineOptions& options) {
  return Check(options).run();
}

Result<CheckReport> check_mapping(const postgres::ConnectionOptions& options, const mapping::Mapping& mapping) {
  const TimePoint deadline = Clock::now() + kSideMax;
  Result<postgres::Session> session = open_as_the_copy(options, deadline);
  if (!session) return fail(std::move(session.error()).wrap("connecting to PostgreSQL"));
  CNX_TRY(postgres::ServerInfo server, postgres::read_server(*session, deadline));
  Findings findings;
  findings.side("PostgreSQL");
  CNX_TRY(std::vector<postgres::Table> tables, check_readable(findings, *session, mapping, server, deadline));
  CNX_TRY(postgres::TypeCatalog types, postgres::read_types(*session, deadline));
  findings.side("mapping");
  judge_mapping(findings, mapping, tables, types);
  return CheckReport{findings.take()};
}

}  // namespace cnx::pipeline
