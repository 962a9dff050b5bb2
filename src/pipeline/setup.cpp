#include "pipeline/setup.hpp"

#include <set>

#include "apply/position.hpp"
#include "pipeline/graph_marks.hpp"
#include "pipeline/ground.hpp"
#include "pipeline/schema.hpp"
#include "postgres/quote.hpp"

namespace cnx::pipeline {
namespace {

using postgres::quote_identifier;
using postgres::quote_literal;
using postgres::quote_table;

constexpr Duration kStepMax = std::chrono::seconds(60);
constexpr std::string_view kInsufficientPrivilege = "42501";
// The group that the built-in schema's grants and policies name; the running role is its member.
constexpr std::string_view kEngineRole = "contextnexus_engine";

TimePoint soon() { return Clock::now() + kStepMax; }

class Setup {
 public:
  Setup(const PipelineOptions& options, const SetupOptions& setup, postgres::Session& session)
      : options_(options), setup_(setup), session_(session) {}

  Result<SetupReport> run() {
    CNX_TRY(postgres::ServerInfo server, postgres::read_server(session_, soon()));
    if (server.wal_level != "logical") {
      return fail(Error(ErrorKind::invalid, "PostgreSQL does not write what logical replication needs")
                      .with("wal_level", server.wal_level)
                      .advise("ALTER SYSTEM SET wal_level = logical, then restart PostgreSQL"));
    }
    CNX_TRY(Catalog catalog, read_catalog(session_, options_.mapping, soon()));
    CNX_TRY(engine_schema());
    if (!setup_.role.empty()) CNX_TRY(role());
    CNX_TRY(grants(catalog));
    CNX_TRY(publication(catalog));
    CNX_TRY(graph(catalog, server));
    return std::move(report_);
  }

 private:
  // Runs a step; what the role may not do becomes SQL for somebody who may. `shown` is what a person runs: no secret in it.
  Status step(const std::string& sql, const std::string& done, const std::string& shown) {
    Status ran = session_.execute(sql, soon());
    if (ran) {
      if (!done.empty()) report_.done.push_back(done);
      return {};
    }
    if (ran.error().root().code() != kInsufficientPrivilege) return ran;
    report_.missing.push_back(shown + ";");
    return {};
  }
  Status step(const std::string& sql, const std::string& done) { return step(sql, done, sql); }

  Result<bool> exists(const std::string& sql, const std::string& parameter) {
    CNX_TRY(postgres::Rows rows, session_.query(sql, {parameter}, soon()));
    return !rows.empty();
  }

  Status engine_schema() {
    CNX_TRY(bool there, exists("SELECT FROM pg_catalog.pg_class WHERE oid = pg_catalog.to_regclass($1)",
                               "contextnexus.pipelines"));
    if (there) return {};
    Status installed = install_engine_schema(session_);
    if (!installed && installed.error().root().code() == kInsufficientPrivilege) {
      report_.missing.push_back("-- as a role with CREATEROLE and CREATE on this database: contextnexus init");
      return {};
    }
    if (installed) report_.done.push_back("schema contextnexus made");
    return installed;
  }

  Status role() {
    const std::string role = quote_identifier(setup_.role);
    CNX_TRY(bool there, exists("SELECT FROM pg_catalog.pg_roles WHERE rolname = $1", setup_.role));
    const std::string verb = there ? "ALTER ROLE " : "CREATE ROLE ";
    const std::string attributes = verb + role + " LOGIN REPLICATION";
    if (!there || setup_.role_password) {
      std::string password = setup_.role_password ? " PASSWORD " + quote_literal(setup_.role_password->reveal()) : "";
      std::string shown = attributes + (setup_.role_password ? " PASSWORD '…'" : "");
      CNX_TRY(step(attributes + password, "role " + setup_.role + (there ? " set" : " made") + ": LOGIN REPLICATION", shown));
    } else {
      CNX_TRY(step(attributes, "", attributes));
    }
    return step("GRANT " + quote_identifier(kEngineRole) + " TO " + role,
                "role " + setup_.role + " is a member of " + std::string(kEngineRole));
  }

  Status grants(const Catalog& catalog) {
    const std::string engine = quote_identifier(kEngineRole);
    std::set<std::string> schemas;
    std::string tables;
    for (const postgres::Table& table : catalog.tables) {
      schemas.insert(table.name.schema);
      tables += (tables.empty() ? "" : ", ") + quote_table(table.name);
    }
    for (const std::string& schema : schemas) {
      CNX_TRY(step("GRANT USAGE ON SCHEMA " + quote_identifier(schema) + " TO " + engine, ""));
    }
    CNX_TRY(step("GRANT SELECT ON " + tables + " TO " + engine,
                 std::to_string(catalog.tables.size()) + " tables readable by " + std::string(kEngineRole)));
    CNX_TRY(step("GRANT USAGE ON SCHEMA contextnexus TO " + engine, ""));
    return step("GRANT SELECT, INSERT, UPDATE, DELETE ON contextnexus.pipelines TO " + engine, "");
  }

  Status publication(const Catalog& catalog) {
    postgres::PublicationOptions wanted{.name = options_.publication(), .tables = {}};
    std::string tables;
    for (const postgres::Table& table : catalog.tables) {
      wanted.tables.push_back(table.name);
      tables += (tables.empty() ? "" : ", ") + quote_table(table.name);
    }
    CNX_TRY(std::optional<postgres::Publication> there,
            postgres::read_publication(session_, options_.publication(), soon()));
    Status made = there ? postgres::set_publication(session_, wanted, soon())
                        : postgres::create_publication(session_, wanted, soon());
    const std::string name = quote_identifier(options_.publication());
    if (made) {
      report_.done.push_back("publication " + options_.publication() + (there ? " set" : " made") + ": " +
                             std::to_string(catalog.tables.size()) + " tables");
      return {};
    }
    if (made.error().root().code() != kInsufficientPrivilege) return made;
    report_.missing.push_back(there ? "ALTER PUBLICATION " + name + " SET TABLE " + tables + ";"
                                    : "CREATE PUBLICATION " + name + " FOR TABLE " + tables +
                                          " WITH (publish_via_partition_root = true);");
    return {};
  }

  Status graph(const Catalog& catalog, const postgres::ServerInfo& server) {
    CNX_TRY(bolt::Connection graph, open_graph(options_, soon()));
    CNX_TRY(make_constraints(graph, *catalog.model));
    report_.done.push_back("constraints online in Neo4j: " +
                           std::to_string(all_constraint_texts(*catalog.model).size()));
    apply::Source source{.system_identifier = std::to_string(server.system_identifier.value_or(0)),
                         .timeline = 0,
                         .database = server.database,
                         .slot = options_.slot(),
                         .fingerprint = options_.mapping.fingerprint};
    CNX_TRY(apply::make_position(graph, apply::lane_key(options_.name), source, soon()));
    CNX_TRY(std::string identity, read_graph_identity(graph));
    report_.done.push_back("position node of pipeline " + options_.name + " is in the graph");
    const std::string values = quote_literal(options_.name) + ", " + quote_literal(options_.slot()) + ", " +
                               quote_literal(options_.publication()) + ", " + quote_literal(identity) + ", " +
                               quote_literal(options_.mapping.fingerprint);
    return step("INSERT INTO contextnexus.pipelines (name, slot, publication, neo4j_database_id, fingerprint) VALUES (" +
                    values +
                    ") ON CONFLICT (name) DO UPDATE SET slot = excluded.slot, publication = excluded.publication, "
                    "neo4j_database_id = excluded.neo4j_database_id, fingerprint = excluded.fingerprint, updated_at = now()",
                "pipeline " + options_.name + " bound to this graph");
  }

  const PipelineOptions& options_;
  const SetupOptions& setup_;
  postgres::Session& session_;
  SetupReport report_;
};

}  // namespace

Result<SetupReport> set_up(const PipelineOptions& options, const SetupOptions& setup) {
  CNX_TRY(postgres::check_slot_name(options.name));
  CNX_TRY(postgres::Session session, open_session(options, soon()));
  return Setup(options, setup, session).run();
}

}  // namespace cnx::pipeline
