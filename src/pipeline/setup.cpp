#include "pipeline/setup.hpp"

#include <set>

#include "apply/position.hpp"
#include "cypher/index_texts.hpp"
#include "pipeline/check_conflicts.hpp"
#include "pipeline/graph_indexes.hpp"
#include "pipeline/graph_marks.hpp"
#include "pipeline/ground.hpp"
#include "pipeline/row_filters.hpp"
#include "pipeline/schema.hpp"
#include "postgres/quote.hpp"
#include "record/postgres_audit.hpp"
#include "record/sync_tables.hpp"

namespace cnx::pipeline {
namespace {

using postgres::quote_identifier;
using postgres::quote_literal;
using postgres::quote_table;

constexpr Duration kStepMax = std::chrono::seconds(60);
constexpr std::string_view kInsufficientPrivilege = "42501";
// The group that the built-in schema's grants and policies name; the running role is its member.
constexpr std::string_view kEngineRole = "contextnexus_engine";

TimePoint soon() {
  return Clock::now() + kStepMax;
}

class Setup {
 public:
  Setup(const PipelineOptions& options, const SetupOptions& setup, postgres::Session& session)
      : options_(options), setup_(setup), session_(session) {}

  Result<SetupReport> run() {
    CNX_TRY(refuse_newer_marks());
    CNX_TRY(postgres::ServerInfo server, postgres::read_server(session_, soon()));
    CNX_TRY(Catalog catalog, read_catalog(session_, options_.mapping, soon()));
    CNX_TRY(log_level(server));
    CNX_TRY(engine_schema());
    if (!setup_.role.empty()) CNX_TRY(role());
    CNX_TRY(grants(catalog));
    CNX_TRY(publication(catalog));
    if (setup_.mode == SetupMode::print_sql) {
      report_.sql += "\nCOMMIT;\n";
    } else {
      CNX_TRY(graph(catalog, server));
    }
    return std::move(report_);
  }

 private:
  struct Step {
    std::string sql;
    std::string done;   // For people, once it stands; empty: not worth a line.
    std::string shown;  // What a person runs: no secret in it. Empty: `sql`.
    bool stands = false;
  };

  // Does a step, or says it. What the role at hand may not do becomes SQL for somebody who may.
  Status step(Step step) {
    const std::string shown = (step.shown.empty() ? step.sql : step.shown) + ";";
    if (setup_.mode == SetupMode::print_sql) {
      report_.sql += shown + "\n";
      return {};
    }
    if (setup_.mode == SetupMode::dry_run) {
      if (!step.stands) report_.planned.push_back(shown);
      return {};
    }
    if (!step.stands) {
      Status ran = session_.execute(step.sql, soon());
      if (!ran && ran.error().root().code() != kInsufficientPrivilege) return ran;
      if (!ran) {
        report_.missing.push_back(shown);
        return {};
      }
    }
    if (!step.done.empty()) report_.done.push_back(std::move(step.done));
    return {};
  }

  Result<bool> exists(const std::string& sql, const postgres::Parameters& parameters) {
    CNX_TRY(postgres::Rows rows, session_.query(sql, parameters, soon()));
    return !rows.empty();
  }

  Status log_level(const postgres::ServerInfo& server) {
    if (setup_.mode == SetupMode::print_sql) {
      report_.sql = "-- PostgreSQL's part of `contextnexus init` for the pipeline " +
                    options_.name +
                    ", for a role that may. It may be run again.\n"
                    "-- Then, with the pipeline's own role: contextnexus init (the graph's part), "
                    "check, run.\n";
      if (server.wal_level != "logical") {
        report_.sql +=
            "\n-- Takes effect when PostgreSQL is restarted. RDS: rds.logical_replication = 1; "
            "Cloud SQL: "
            "cloudsql.logical_decoding = on;\n-- Azure: the parameter wal_level; there, leave this "
            "line out.\n"
            "ALTER SYSTEM SET wal_level = logical;\n";
      }
      report_.sql += "\nBEGIN;\n\n";
      return {};
    }
    if (server.wal_level == "logical") return {};
    return fail(
        Error(ErrorKind::invalid, "PostgreSQL does not write what logical replication needs")
            .with("wal_level", server.wal_level)
            .advise("ALTER SYSTEM SET wal_level = logical, then restart PostgreSQL"));
  }

  // What a newer program keeps on either side is left alone, before anything is changed.
  Status refuse_newer_marks() {
    CNX_TRY(refuse_newer_version(session_));
    if (setup_.mode == SetupMode::print_sql) return {};
    CNX_TRY(bolt::Connection graph, open_graph(options_, soon()));
    CNX_TRY(apply::read_position(graph, apply::lane_key(options_.name), soon()));
    return {};
  }

  Status engine_schema() {
    if (setup_.mode == SetupMode::print_sql) {
      report_.sql += engine_schema_sql() + "\n";
      return {};
    }
    CNX_TRY(int version, read_engine_version(session_, soon()));
    if (version == kEngineVersion) return {};
    const bool there = version != 0;
    if (setup_.mode == SetupMode::dry_run) {
      report_.planned.push_back(there ? "the schema contextnexus brought up to date (--print-sql shows it)"
                                      : "the role " + std::string(kEngineRole) +
                                            " and the schema contextnexus (--print-sql shows them)");
      return {};
    }
    Status installed = install_engine_schema(session_);
    if (!installed && installed.error().root().code() == kInsufficientPrivilege) {
      report_.missing.push_back(
          there ? "-- as the role that owns the schema contextnexus: contextnexus init"
                : "-- as a role with CREATEROLE and CREATE on this database: contextnexus init");
      return {};
    }
    if (installed) report_.done.push_back(there ? "schema contextnexus brought up to date" : "schema contextnexus made");
    return installed;
  }

  Status role() {
    const std::string role = quote_identifier(setup_.role);
    // Amazon's service has no REPLICATION for its users, and a group role in its place.
    CNX_TRY(bool rds,
            exists("SELECT FROM pg_catalog.pg_roles WHERE rolname = 'rds_replication'", {}));
    CNX_TRY(bool there,
            exists("SELECT FROM pg_catalog.pg_roles WHERE rolname = $1", {setup_.role}));
    CNX_TRY(bool ready, exists("SELECT FROM pg_catalog.pg_roles WHERE rolname = $1 AND rolcanlogin "
                               "AND (rolreplication OR $2)",
                               {setup_.role, rds ? "true" : "false"}));
    const std::string attributes =
        (there ? "ALTER ROLE " : "CREATE ROLE ") + role + (rds ? " LOGIN" : " LOGIN REPLICATION");
    const std::string made = "role " + setup_.role + (there ? " set" : " made") + ": LOGIN" +
                             (rds ? "" : " REPLICATION");
    if (setup_.mode == SetupMode::print_sql) {
      if (!there)
        report_.sql += "-- Give it a password too: \\password in psql, or ALTER ROLE … PASSWORD.\n";
      CNX_TRY(step({.sql = attributes}));
    } else if (setup_.role_password) {
      CNX_TRY(
          step({.sql = attributes + " PASSWORD " + quote_literal(setup_.role_password->reveal()),
                .done = made,
                .shown = attributes + " PASSWORD '…'"}));
    } else {
      CNX_TRY(step({.sql = attributes, .done = ready ? "" : made, .stands = ready}));
    }
    if (rds) {
      CNX_TRY(bool member, is_member("rds_replication", setup_.role));
      CNX_TRY(step({.sql = "GRANT rds_replication TO " + role, .stands = member}));
    }
    CNX_TRY(bool member, is_member(std::string(kEngineRole), setup_.role));
    return step({.sql = "GRANT " + quote_identifier(kEngineRole) + " TO " + role,
                 .done = "role " + setup_.role + " is a member of " + std::string(kEngineRole),
                 .stands = member});
  }

  Result<bool> is_member(const std::string& group, const std::string& role) {
    return exists(
        "SELECT FROM pg_catalog.pg_auth_members m JOIN pg_catalog.pg_roles g ON g.oid = m.roleid "
        "JOIN pg_catalog.pg_roles r ON r.oid = m.member WHERE g.rolname = $1 AND r.rolname = $2",
        {group, role});
  }

  // One row where the group holds the privilege; none where it does not, or is not there yet.
  Result<bool> holds_on_schema(const std::string& schema) {
    return exists(
        "SELECT FROM pg_catalog.pg_roles r JOIN pg_catalog.pg_namespace n ON n.nspname = $2 "
        "WHERE r.rolname = $1 AND pg_catalog.has_schema_privilege(r.oid, n.oid, 'USAGE')",
        {std::string(kEngineRole), schema});
  }
  Result<bool> holds_on_table(const postgres::TableName& table, const std::string& privilege) {
    return exists(
        "SELECT FROM pg_catalog.pg_roles r CROSS JOIN pg_catalog.pg_class c JOIN "
        "pg_catalog.pg_namespace n "
        "ON n.oid = c.relnamespace WHERE r.rolname = $1 AND n.nspname = $2 AND c.relname = $3 "
        "AND pg_catalog.has_table_privilege(r.oid, c.oid, $4)",
        {std::string(kEngineRole), table.schema, table.name, privilege});
  }

  Status grants(const Catalog& catalog) {
    const std::string engine = quote_identifier(kEngineRole);
    std::set<std::string> schemas;
    std::string tables;
    bool readable = true;
    for (const postgres::Table& table : catalog.tables) {
      schemas.insert(table.name.schema);
      tables += (tables.empty() ? "" : ", ") + quote_table(table.name);
      CNX_TRY(bool holds, holds_on_table(table.name, "SELECT"));
      readable = readable && holds;
    }
    for (const std::string& schema : schemas) {
      CNX_TRY(bool holds, holds_on_schema(schema));
      CNX_TRY(step({.sql = "GRANT USAGE ON SCHEMA " + quote_identifier(schema) + " TO " + engine,
                    .stands = holds}));
    }
    CNX_TRY(step({.sql = "GRANT SELECT ON " + tables + " TO " + engine,
                  .done = std::to_string(catalog.tables.size()) + " tables readable by " +
                          std::string(kEngineRole),
                  .stands = readable}));
    CNX_TRY(policies(catalog));
    CNX_TRY(bool uses, holds_on_schema("contextnexus"));
    CNX_TRY(step({.sql = "GRANT USAGE ON SCHEMA contextnexus TO " + engine, .stands = uses}));
    bool writes = true;
    for (const char* privilege : {"SELECT", "INSERT", "UPDATE", "DELETE"}) {
      for (const char* table : {"pipelines", "write_back", "dead_letters", "conflicts"}) {
        CNX_TRY(bool holds, holds_on_table({"contextnexus", table}, privilege));
        writes = writes && holds;
      }
    }
    CNX_TRY(step({.sql = "GRANT SELECT, INSERT, UPDATE, DELETE ON contextnexus.pipelines, "
                         "contextnexus.write_back, contextnexus.dead_letters, contextnexus.conflicts TO " +
                         engine,
                  .stands = writes}));
    CNX_TRY(audit_grants());
    CNX_TRY(conflict_grants());
    return write_back_grants(catalog);
  }

  // Tables that say what is done about conflicts need not be mapped.
  Status conflict_grants() {
    const std::string engine = quote_identifier(kEngineRole);
    for (const mapping::ConflictLookup& lookup : conflict_lookups(options_.mapping)) {
      CNX_TRY(bool uses, holds_on_schema(lookup.table.schema));
      CNX_TRY(step({.sql = "GRANT USAGE ON SCHEMA " + quote_identifier(lookup.table.schema) + " TO " + engine, .stands = uses}));
      CNX_TRY(bool reads, holds_on_table(lookup.table, "SELECT"));
      CNX_TRY(step({.sql = "GRANT SELECT ON " + quote_table(lookup.table) + " TO " + engine, .stands = reads}));
    }
    return {};
  }

  // It may add to the audit, and make and drop whole days of it by a function of the schema's owner; no more.
  Status audit_grants() {
    const std::string engine = quote_identifier(kEngineRole);
    CNX_TRY(bool reads, holds_on_table({"contextnexus", "audit_log"}, "SELECT"));
    CNX_TRY(bool adds, holds_on_table({"contextnexus", "audit_log"}, "INSERT"));
    CNX_TRY(step({.sql = "GRANT SELECT, INSERT ON contextnexus.audit_log TO " + engine, .stands = reads && adds}));
    CNX_TRY(bool calls, exists("SELECT FROM pg_catalog.pg_roles r WHERE r.rolname = $1 AND pg_catalog.has_function_privilege(r.oid, "
                               "pg_catalog.to_regprocedure($2), 'EXECUTE')",
                               {std::string(kEngineRole), record::kAuditFunction}));
    return step({.sql = std::string("GRANT EXECUTE ON FUNCTION ") + record::kAuditFunction + " TO " + engine, .stands = calls});
  }

  // A table with row-level security hides rows from a role that no policy admits: the engine has to see all of them (R5).
  Status policies(const Catalog& catalog) {
    for (const postgres::Table& table : catalog.tables) {
      if (!table.row_security) continue;
      CNX_TRY(bool stands, exists("SELECT FROM pg_catalog.pg_policy p JOIN pg_catalog.pg_roles r ON r.oid = ANY (p.polroles) "
                                  "WHERE p.polrelid = $1::oid AND p.polpermissive AND p.polcmd IN ('r', '*') AND r.rolname = $2 "
                                  "AND pg_catalog.pg_get_expr(p.polqual, p.polrelid) = 'true'",
                                  {std::to_string(table.oid.value()), std::string(kEngineRole)}));
      const std::string create = "CREATE POLICY " + quote_identifier(kEngineRole) + " ON " + quote_table(table.name) +
                                 " FOR SELECT TO " + quote_identifier(kEngineRole) + " USING (true)";
      // The script may be run again.
      const std::string once = "DO $$ BEGIN IF NOT EXISTS (SELECT FROM pg_catalog.pg_policies WHERE schemaname = " +
                               quote_literal(table.name.schema) + " AND tablename = " + quote_literal(table.name.name) +
                               " AND policyname = " + quote_literal(kEngineRole) + ") THEN " + create + "; END IF; END $$";
      CNX_TRY(step({.sql = setup_.mode == SetupMode::print_sql ? once : create,
                    .done = stands ? "" : "policy by which " + std::string(kEngineRole) + " sees all rows of " +
                                              postgres::to_string(table.name),
                    .stands = stands}));
    }
    return {};
  }

  // What the write-back needs beside: its columns, where a mapped table has them; and the origin.
  Status write_back_grants(const Catalog& catalog) {
    const std::string engine = quote_identifier(kEngineRole);
    size_t tables = 0;
    for (const postgres::Table& table : catalog.tables) {
      std::string columns;
      bool stands = true;
      for (const char* column : record::kSyncColumns) {
        if (table.column(column) == nullptr) continue;
        columns += (columns.empty() ? "" : ", ") + std::string(column);
        CNX_TRY(bool holds, holds_on_column(table.name, column));
        stands = stands && holds;
      }
      if (columns.empty()) continue;
      ++tables;
      CNX_TRY(step({.sql = "GRANT UPDATE (" + columns + ") ON " + quote_table(table.name) + " TO " +
                           engine,
                    .stands = stands}));
    }
    return tables == 0 ? Status() : origin_grant();
  }

  // An aid, and only a superuser may grant it: where that cannot be had, nothing is missing.
  Status origin_grant() {
    const std::string grant =
        "GRANT EXECUTE ON FUNCTION pg_catalog.pg_replication_origin_oid(text), "
        "pg_catalog.pg_replication_origin_create(text), "
        "pg_catalog.pg_replication_origin_session_setup(text) TO " +
        quote_identifier(kEngineRole);
    CNX_TRY(bool stands,
            exists("SELECT FROM pg_catalog.pg_roles r WHERE r.rolname = $1 AND "
                   "pg_catalog.has_function_privilege(r.oid, "
                   "'pg_catalog.pg_replication_origin_session_setup(text)', 'EXECUTE')",
                   {std::string(kEngineRole)}));
    if (stands && setup_.mode != SetupMode::print_sql) return {};
    return step({.sql = "DO $$ BEGIN " + grant +
                        "; EXCEPTION WHEN insufficient_privilege THEN RAISE NOTICE 'no replication "
                        "origin for the write-back: only a superuser may grant it'; END $$"});
  }

  Result<bool> holds_on_column(const postgres::TableName& table, const std::string& column) {
    return exists(
        "SELECT FROM pg_catalog.pg_roles r CROSS JOIN pg_catalog.pg_class c JOIN "
        "pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE r.rolname = $1 AND n.nspname = "
        "$2 AND c.relname = $3 AND pg_catalog.has_column_privilege(r.oid, c.oid, $4, 'UPDATE')",
        {std::string(kEngineRole), table.schema, table.name, column});
  }

  Status publication(const Catalog& catalog) {
    postgres::PublicationOptions wanted{.name = options_.publication(), .tables = {}};
    CNX_TRY(check_filter_columns(catalog.tables));
    for (const postgres::Table& table : catalog.tables) {
      wanted.tables.push_back(table.name);
      if (!table.filter.sql.empty()) wanted.row_filters.emplace(table.name, table.filter.sql);
    }
    CNX_TRY(std::optional<postgres::Publication> there,
            postgres::read_publication(session_, options_.publication(), soon()));
    CNX_TRY(std::string sql, there ? postgres::set_publication_sql(wanted)
                                   : postgres::create_publication_sql(wanted));
    return step({.sql = sql,
                 .done = "publication " + options_.publication() + (there ? " set" : " made") +
                         ": " + std::to_string(catalog.tables.size()) + " tables",
                 .stands = there && publishes_all_of(*there, catalog.tables)});
  }

  Status graph(const Catalog& catalog, const postgres::ServerInfo& server) {
    CNX_TRY(bolt::Connection graph, open_graph(options_, soon()));
    if (setup_.mode == SetupMode::dry_run) return plan_graph(catalog, graph);
    CNX_TRY(make_constraints(graph, *catalog.model));
    report_.done.push_back("constraints online in Neo4j: " +
                           std::to_string(all_constraint_texts(*catalog.model).size()));
    if (const size_t indexes = cypher::indexes(*catalog.model).size(); indexes > 0) {
      report_.done.push_back("indexes online in Neo4j: " + std::to_string(indexes));
    }
    apply::Source source{.system_identifier = std::to_string(server.system_identifier.value_or(0)),
                         .timeline = 0,
                         .database = server.database,
                         .slot = options_.slot(),
                         .fingerprint = options_.mapping.fingerprint};
    CNX_TRY(apply::make_position(graph, apply::lane_key(options_.name), source, soon()));
    CNX_TRY(std::string identity, read_graph_identity(graph));
    report_.done.push_back("position node of pipeline " + options_.name + " is in the graph");
    return bind(identity);
  }

  Status plan_graph(const Catalog& catalog, bolt::Connection& graph) {
    CNX_TRY(std::set<std::string> there, read_constraint_names(graph));
    for (const cypher::Text& text : all_constraint_texts(*catalog.model)) {
      if (!there.contains(text.name)) report_.planned.push_back("in Neo4j: " + text.text + ";");
    }
    CNX_TRY(std::vector<cypher::Index> missing, missing_indexes(graph, *catalog.model));
    for (const cypher::Index& index : missing) report_.planned.push_back("in Neo4j: " + index.text + ";");
    CNX_TRY(std::optional<apply::PositionNode> position,
            apply::read_position(graph, apply::lane_key(options_.name), soon()));
    if (!position)
      report_.planned.push_back("in Neo4j: the position node of pipeline " + options_.name);
    CNX_TRY(std::string identity, read_graph_identity(graph));
    return bind(identity);
  }

  Status bind(const std::string& identity) {
    // A table that is not there yet, or not readable yet, holds nothing.
    Result<bool> bound = exists(
        "SELECT FROM contextnexus.pipelines WHERE name = $1 AND slot = $2 AND publication = $3 "
        "AND neo4j_database_id = $4 AND fingerprint = $5",
        {options_.name, options_.slot(), options_.publication(), identity,
         options_.mapping.fingerprint});
    const std::string values =
        quote_literal(options_.name) + ", " + quote_literal(options_.slot()) + ", " +
        quote_literal(options_.publication()) + ", " + quote_literal(identity) + ", " +
        quote_literal(options_.mapping.fingerprint);
    return step(
        {.sql =
             "INSERT INTO contextnexus.pipelines (name, slot, publication, neo4j_database_id, "
             "fingerprint) VALUES (" +
             values +
             ") ON CONFLICT (name) DO UPDATE SET slot = excluded.slot, publication = "
             "excluded.publication, "
             "neo4j_database_id = excluded.neo4j_database_id, fingerprint = excluded.fingerprint, "
             "updated_at = now()",
         .done = "pipeline " + options_.name + " bound to this graph",
         .stands = bound && *bound});
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
