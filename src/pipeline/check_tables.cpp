#include "pipeline/check_tables.hpp"

#include <algorithm>
#include <set>

#include "capture/snapshot/snapshot_stage.hpp"
#include "mapping/binding.hpp"
#include "mapping/catalog_check.hpp"
#include "mapping/model.hpp"
#include "pipeline/check_references.hpp"
#include "pipeline/row_filters.hpp"

namespace cnx::pipeline {
namespace {

std::string name_of(const postgres::Table& table) {
  return "table " + postgres::to_string(table.name);
}

const std::vector<std::string>& key_of(const mapping::TableRule& rule) {
  if (const auto* node = std::get_if<mapping::NodeRule>(&rule.form)) return node->key;
  return std::get<mapping::RelationshipRule>(rule.form).key;
}

std::string list(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : ", ") + word;
  return text;
}

bool contains(const std::vector<std::string>& columns, const std::string& column) {
  return std::find(columns.begin(), columns.end(), column) != columns.end();
}

std::string count_text(size_t count, const char* what) {
  return std::to_string(count) + " " + what;
}

void judge_kind(Findings& findings, const postgres::Table& table,
                const std::vector<postgres::Table>& tables) {
  if (table.kind != postgres::TableKind::table && table.kind != postgres::TableKind::partitioned) {
    findings.fault(FindingKind::table_kind, name_of(table), "a view or a foreign table: it has no changes of its own",
                   "map the tables that it reads");
  }
  if (!table.persistent) {
    findings.fault(FindingKind::table_unlogged, name_of(table), "unlogged or temporary: its changes are not in the log",
                   "ALTER TABLE " + postgres::quote_table(table.name) + " SET LOGGED");
  }
  for (const postgres::Table& other : tables) {
    if (table.partition_root && other.oid == *table.partition_root) {
      findings.fault(FindingKind::partition_mapped, name_of(table),
                     "a partition of " + postgres::to_string(other.name) + ", which is mapped too",
                     "map the partitioned table alone: its changes come under its name");
    }
  }
}

void judge_row_security(Findings& findings, const postgres::Table& table, const std::string& role) {
  if (!table.row_security_applies || postgres::may_read_all_rows_with_row_security(table)) return;
  findings.fault(FindingKind::row_security, name_of(table), "row-level security hides rows from " + role,
                 "CREATE POLICY contextnexus_engine ON " + postgres::quote_table(table.name) +
                     " FOR SELECT TO " + postgres::quote_identifier(role) +
                     " USING (true); and no restrictive policy may apply to it");
}

// What somebody changed in the graph beside the version shows against the row as it was.
void judge_detection(Findings& findings, const postgres::Table& table, const mapping::ConflictRule& conflict) {
  if (!conflict.detects_changes || table.replica_identity == change::ReplicaIdentity::full) return;
  findings.warning(FindingKind::replica_identity, name_of(table),
                   "`detect: changed` needs the row as it was, which PostgreSQL does not tell: only newer versions are found",
                   "ALTER TABLE " + postgres::quote_table(table.name) + " REPLICA IDENTITY FULL");
}

// Why the identity that there is does not do: the key of the table first.
std::string identity_fault(const postgres::Table& table) {
  if (table.replica_identity == change::ReplicaIdentity::nothing) return "REPLICA IDENTITY NOTHING";
  const postgres::TableKey* primary = table.primary_key();
  if (table.replica_identity == change::ReplicaIdentity::primary_key) {
    if (primary == nullptr) return "no primary key";
    if (!primary->immediate) return "the primary key is DEFERRABLE, which is no replica identity";
  }
  return "the replica identity is another key";
}

// The stream's old row must hold the key that the graph knows.
void judge_identity(Findings& findings, const postgres::Table& table,
                    const std::vector<std::string>& key) {
  const std::vector<std::string> identity = table.identity_columns();
  std::vector<std::string> missing;
  for (const std::string& column : key) {
    if (!contains(identity, column)) missing.push_back(column);
  }
  if (missing.empty()) return;
  std::string figure =
      identity_fault(table) + ": an UPDATE or DELETE does not tell " + list(missing);
  if (identity.empty()) figure += ", and PostgreSQL refuses it once the table is published";
  findings.fault(FindingKind::replica_identity, name_of(table), figure,
                 "make (" + list(key) + ") the primary key, not DEFERRABLE; or ALTER TABLE " +
                     postgres::quote_table(table.name) + " REPLICA IDENTITY FULL");
}

void judge_filter(Findings& findings, const postgres::Table& table) {
  const std::vector<std::string> beyond = columns_beyond_identity(table);
  if (beyond.empty()) return;
  findings.fault(FindingKind::replica_identity, name_of(table),
                 "`where` reads " + list(beyond) + ", which is no part of the replica identity: PostgreSQL would refuse every UPDATE and DELETE",
                 "ALTER TABLE " + postgres::quote_table(table.name) + " REPLICA IDENTITY FULL, or filter by key columns alone");
}

// Two rows of one key would be one node.
void judge_uniqueness(Findings& findings, const postgres::Table& table,
                      const std::vector<std::string>& key) {
  bool unique = std::any_of(table.keys.begin(), table.keys.end(), [&](const postgres::TableKey& k) {
    return k.valid && !k.partial && !k.columns.empty() &&
           std::all_of(k.columns.begin(), k.columns.end(),
                       [&](const std::string& c) { return contains(key, c); });
  });
  if (!unique) {
    findings.fault(
        FindingKind::key_not_unique, name_of(table), "nothing keeps (" + list(key) + ") unique: two rows would be one",
        "ALTER TABLE " + postgres::quote_table(table.name) + " ADD UNIQUE (" + list(key) + ")");
  }
  for (const std::string& column : key) {
    const postgres::TableColumn* found = table.column(column);
    if (found == nullptr || found->not_null) continue;
    findings.warning(FindingKind::key_nullable, name_of(table),
                     "the key column " + column + " may be NULL: such a row stops the line",
                     "ALTER TABLE " + postgres::quote_table(table.name) + " ALTER COLUMN " +
                         postgres::quote_identifier(column) + " SET NOT NULL");
  }
}

bool has_columns(const postgres::Table& table, const std::vector<std::string>& columns) {
  return std::all_of(columns.begin(), columns.end(),
                     [&](const std::string& c) { return table.column(c) != nullptr; });
}

// Columns that the graph needs of a table, generated ones apart.
std::vector<std::string> needed_columns(const mapping::TableRule& rule,
                                        const postgres::Table& table) {
  std::set<std::string> needed(rule.named.begin(), rule.named.end());
  if (const auto* node = std::get_if<mapping::NodeRule>(&rule.form)) {
    for (const std::string& column : node->properties.excluded) needed.erase(column);
    for (const postgres::TableColumn& column : table.columns) {
      bool kept = node->properties.all && !node->properties.excluded.contains(column.name);
      if (kept && !column.generated) needed.insert(column.name);
    }
  }
  for (const std::string& column : key_of(rule)) needed.insert(column);
  return {needed.begin(), needed.end()};
}

void judge_published(Findings& findings, const std::string& what, const mapping::TableRule& rule,
                     const postgres::Table& table, const postgres::PublishedTable& published) {
  if (!sends_rows_of(published, table)) {
    const std::string sent = published.row_filter.empty() ? "all rows" : "only some rows: WHERE " + published.row_filter;
    const std::string wanted = table.filter.sql.empty() ? "all" : "WHERE " + table.filter.sql;
    findings.fault(FindingKind::publication_filter, what,
                   "of " + postgres::to_string(table.name) + " " + sent + "; the mapping takes " + wanted,
                   "contextnexus init makes it as it has to be");
  }
  if (published.columns.empty()) return;
  std::vector<std::string> missing;
  for (const std::string& column : needed_columns(rule, table)) {
    if (!contains(published.columns, column)) missing.push_back(column);
  }
  if (missing.empty()) return;
  findings.fault(FindingKind::publication_columns, what, postgres::to_string(table.name) + " without " + list(missing),
                 "contextnexus init makes it as it has to be");
}

// Not named by the mapping, so that nothing stops; but somebody may look for it in the graph.
void judge_generated(Findings& findings, const mapping::TableRule& rule, const postgres::Table& table) {
  const auto* node = std::get_if<mapping::NodeRule>(&rule.form);
  if (node == nullptr || !node->properties.all) return;
  std::vector<std::string> generated;
  for (const postgres::TableColumn& column : table.columns) {
    if (column.generated && !node->properties.excluded.contains(column.name)) generated.push_back(column.name);
  }
  if (generated.empty()) return;
  findings.warning(FindingKind::generated_column, name_of(table),
                   "the log does not carry generated columns: the graph will not have " + list(generated),
                   "exclude them in the mapping, and map the columns that they are made of");
}

}  // namespace

void judge_mapping(Findings& findings, const mapping::Mapping& mapping,
                   const std::vector<postgres::Table>& tables, const postgres::TypeCatalog& types) {
  const size_t before = findings.troubles();
  for (const mapping::CatalogFault& fault : mapping::catalog_faults(mapping, tables)) {
    std::string place = fault.line > 0 ? " (line " + std::to_string(fault.line) + ")" : "";
    findings.fault(FindingKind::mapping_catalog, "table " + postgres::to_string(fault.table) + place, fault.message,
                   fault.advice);
  }
  if (findings.troubles() > before) return;
  // As the run itself does it: what the judgement above does not know must not come as a surprise.
  auto model = mapping::Model::make(mapping, tables);
  if (!model) {
    findings.fault(FindingKind::mapping_refused, "mapping", model.error(), "correct the mapping");
    return;
  }
  for (const postgres::Table& table : tables) {
    auto relation = capture::relation_of(table);
    auto* node = (*model)->find_node(table.name);
    auto* relationship = (*model)->find_relationship(table.name);
    Status bound;
    if (node != nullptr) {
      if (auto b = mapping::bind(*node, relation, types); !b) bound = fail(b.error());
    } else if (relationship != nullptr) {
      if (auto b = mapping::bind(*relationship, relation, types); !b) bound = fail(b.error());
    }
    if (!bound) findings.fault(FindingKind::mapping_refused, name_of(table), bound.error(), "correct the mapping");
  }
  if (findings.troubles() > before) return;
  const auto& nodes = (*model)->nodes();
  const auto of_rows = static_cast<size_t>(std::count_if(nodes.begin(), nodes.end(), [](const mapping::NodeTable& node) {
    return node.main == nullptr && !node.shared;
  }));
  findings.ok("mapping " + mapping.name,
              count_text(of_rows, "tables are nodes, ") +
                  (nodes.size() > of_rows ? count_text(nodes.size() - of_rows, "further nodes, ") : "") +
                  count_text((*model)->relationships().size(), "relationships"));
  judge_references(findings, **model);
}

void judge_tables(Findings& findings, const mapping::Mapping& mapping,
                  const std::vector<postgres::Table>& tables, const postgres::ServerInfo& server) {
  const size_t before = findings.troubles();
  for (const postgres::Table& table : tables) {
    judge_kind(findings, table, tables);
    judge_row_security(findings, table, server.role);
    const mapping::TableRule* rule = mapping.find(table.name);
    // A key that the table lacks was said by the mapping's part.
    if (rule == nullptr || !has_columns(table, key_of(*rule))) continue;
    judge_generated(findings, *rule, table);
    judge_identity(findings, table, key_of(*rule));
    judge_detection(findings, table, rule->conflict);
    judge_filter(findings, table);
    judge_uniqueness(findings, table, key_of(*rule));
  }
  if (findings.troubles() == before && !tables.empty()) {
    findings.ok("tables",
                count_text(tables.size(), "are in the log, have a key and tell old rows by it"));
  }
}

void judge_write_back(Findings& findings, const record::SyncTables& found) {
  for (const record::LeftOut& table : found.left_out) {
    findings.warning(FindingKind::write_back_left_out,
                     "write-back to " + postgres::to_string(table.name), table.reason, table.cure);
  }
  for (const record::SyncTable& table : found.tables) {
    if (table.meddling_trigger.empty()) continue;
    findings.warning(FindingKind::write_back_trigger,
                     "write-back to " + postgres::to_string(table.name),
                     "the trigger " + table.meddling_trigger +
                         " fires at the write-back's own UPDATE, or leaves out a column that users may change: each such UPDATE is applied once more",
                     "make it BEFORE UPDATE OF all of the users' columns, and of no other");
  }
  if (found.left_out.empty() && !found.tables.empty()) {
    findings.ok("write-back", count_text(found.tables.size(), "tables say which rows are in the graph"));
  }
}

void judge_publication(Findings& findings, const mapping::Mapping& mapping,
                       const std::vector<postgres::Table>& tables,
                       const std::optional<postgres::Publication>& publication,
                       const std::string& name) {
  const std::string what = "publication " + name;
  const std::string cure = "contextnexus init makes it as it has to be";
  if (!publication) {
    findings.fault(FindingKind::publication_missing, what, "does not exist", cure);
    return;
  }
  const size_t before = findings.troubles();
  if (!publication->insert || !publication->update || !publication->remove ||
      !publication->truncate) {
    findings.fault(FindingKind::publication_operations, what, "leaves out some operations", cure);
  }
  if (publication->all_tables) {
    findings.warning(
        FindingKind::publication_all_tables, what, "FOR ALL TABLES: an UPDATE of a table without a replica identity is refused",
        "DROP PUBLICATION " + postgres::quote_identifier(name) + "; then contextnexus init");
  }
  std::set<postgres::TableName> mapped;
  for (const postgres::Table& table : tables) {
    mapped.insert(table.name);
    if (table.kind == postgres::TableKind::partitioned && !publication->via_partition_root) {
      findings.fault(
          FindingKind::publication_partitions, what, "names the partitions of " + postgres::to_string(table.name) + " and not itself",
          cure);
      continue;
    }
    auto at = std::find_if(publication->tables.begin(), publication->tables.end(),
                           [&](const postgres::PublishedTable& p) { return p.name == table.name; });
    if (at == publication->tables.end()) {
      findings.fault(FindingKind::publication_lacks_table, what, "lacks " + postgres::to_string(table.name), cure);
    } else if (const mapping::TableRule* rule = mapping.find(table.name)) {
      judge_published(findings, what, *rule, table, *at);
    }
  }
  std::vector<std::string> foreign;
  for (const postgres::PublishedTable& table : publication->tables) {
    if (!mapped.contains(table.name)) foreign.push_back(postgres::to_string(table.name));
  }
  if (!foreign.empty() && !publication->all_tables) {
    findings.warning(FindingKind::publication_unmapped, what, "also sends tables that are not mapped: " + list(foreign), cure);
  }
  if (findings.troubles() == before)
    findings.ok(what, count_text(tables.size(), "tables, every operation"));
}

void try_reading(Findings& findings, postgres::Session& session,
                 const std::vector<postgres::Table>& tables, const postgres::ServerInfo& server,
                 TimePoint deadline) {
  const size_t before = findings.troubles();
  for (const postgres::Table& table : tables) {
    const bool hidden =
        table.row_security_applies && !postgres::may_read_all_rows_with_row_security(table);
    if (hidden) continue;
    Status read = session.execute("SELECT * FROM " + postgres::quote_table(table.name) + " LIMIT 0",
                                  deadline);
    if (read) continue;
    const std::string role = postgres::quote_identifier(server.role);
    findings.fault(FindingKind::table_unreadable, name_of(table), read.error().root().message(),
                   "GRANT USAGE ON SCHEMA " + postgres::quote_identifier(table.name.schema) +
                       " TO " + role + "; GRANT SELECT ON " + postgres::quote_table(table.name) +
                       " TO " + role + "; or contextnexus init --role " + server.role +
                       ", by an administrator");
  }
  if (findings.troubles() == before && !tables.empty()) {
    findings.ok("reading", "tried: " + count_text(tables.size(), "tables"));
  }
}

}  // namespace cnx::pipeline
