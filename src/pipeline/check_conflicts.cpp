#include "pipeline/check_conflicts.hpp"

#include <algorithm>

#include "postgres/quote.hpp"

namespace cnx::pipeline {
namespace {

// What keeps the role from asking the table; empty: nothing.
Result<std::string> fault_of(postgres::Session& session, const mapping::ConflictLookup& lookup, TimePoint deadline) {
  std::vector<std::string> columns = lookup.by;
  columns.push_back(lookup.column);
  CNX_TRY(postgres::Rows rows,
          session.query("SELECT pg_catalog.has_table_privilege(c.oid, 'SELECT') AND pg_catalog.has_schema_privilege(n.oid, 'USAGE'), "
                        "(SELECT pg_catalog.string_agg(w.name, ', ') FROM unnest($3::pg_catalog.text[]) w(name) WHERE NOT EXISTS ("
                        "SELECT FROM pg_catalog.pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND "
                        "a.attname = w.name)), "
                        "pg_catalog.row_security_active(c.oid) AND NOT EXISTS (SELECT FROM pg_catalog.pg_policy p WHERE p.polrelid = c.oid "
                        "AND p.polpermissive AND p.polcmd IN ('r', '*') AND pg_catalog.pg_get_expr(p.polqual, p.polrelid) = 'true' AND "
                        "(0 = ANY (p.polroles) OR EXISTS (SELECT FROM unnest(p.polroles) r(oid) WHERE pg_catalog.pg_has_role(r.oid, 'USAGE')))) "
                        "FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = $1 AND c.relname = $2",
                        {lookup.table.schema, lookup.table.name, postgres::array_text(columns)}, deadline));
  if (rows.empty()) return std::string("it is not there");
  CNX_TRY(bool reads, rows.boolean(0, 0));
  if (rows.value(0, 1)) return "it lacks columns: " + std::string(rows.text(0, 1));
  if (!reads) return std::string("the role may not read it");
  CNX_TRY(bool hides, rows.boolean(0, 2));
  return std::string(hides ? "row-level security hides rows of it from the role" : "");
}

}  // namespace

std::vector<mapping::ConflictLookup> conflict_lookups(const mapping::Mapping& mapping) {
  std::vector<mapping::ConflictLookup> found;
  for (const mapping::TableRule& rule : mapping.tables) {
    const mapping::ConflictLookup& lookup = rule.conflict.lookup;
    const bool known = std::any_of(found.begin(), found.end(), [&](const auto& each) {
      return each.table == lookup.table && each.column == lookup.column && each.by == lookup.by;
    });
    if (!lookup.table.name.empty() && !known) found.push_back(lookup);
  }
  return found;
}

Status check_conflicts(Findings& findings, postgres::Session& session, const mapping::Mapping& mapping, TimePoint deadline) {
  for (const mapping::ConflictLookup& lookup : conflict_lookups(mapping)) {
    CNX_TRY(std::string fault, fault_of(session, lookup, deadline));
    const std::string name = postgres::to_string(lookup.table);
    if (fault.empty()) {
      findings.ok(name, "says what is done about conflicts");
      continue;
    }
    findings.fault(FindingKind::conflict_configuration, name, "it says what is done about conflicts, and " + fault,
                   "contextnexus init lets the role read it; under row-level security CREATE POLICY … FOR SELECT TO the role USING (true); "
                   "or correct `conflict:` in the mapping");
  }
  return {};
}

}  // namespace cnx::pipeline
