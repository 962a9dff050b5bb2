#include "pipeline/check_audit.hpp"

namespace cnx::pipeline {

Status check_audit(Findings& findings, postgres::Session& session, const AuditOptions& options, TimePoint deadline) {
  if (options.level == "off") {
    findings.ok("audit", "off (audit.level)");
    return {};
  }
  // The schema itself may not be open to the role: the catalog is.
  CNX_TRY(postgres::Rows rows,
          session.query("SELECT (SELECT pg_catalog.has_table_privilege(c.oid, 'INSERT') FROM pg_catalog.pg_class c JOIN "
                        "pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = 'contextnexus' AND c.relname = 'audit_log'), "
                        "(SELECT pg_catalog.has_function_privilege(p.oid, 'EXECUTE') FROM pg_catalog.pg_proc p JOIN "
                        "pg_catalog.pg_namespace n ON n.oid = p.pronamespace WHERE n.nspname = 'contextnexus' AND p.proname = 'audit_partitions')",
                        deadline));
  // NULL: it is not there.
  const bool adds = rows.text(0, 0) == "t";
  const bool keeps_days = rows.text(0, 1) == "t";
  if (adds && keeps_days) {
    const std::string kept =
        options.retention_days == 0 ? "every day kept" : std::to_string(options.retention_days) + " days kept";
    findings.ok("audit", "level " + options.level + ", " + kept);
    return {};
  }
  findings.warning(FindingKind::audit_not_written, "audit",
                   adds ? "the role may not make the audit's days" : "contextnexus.audit_log is not there, or not the role's to add to",
                   "contextnexus init makes it, and grants it; or set audit.level to off. Until then the line waits once "
                   "audit.queue_bytes_max is full");
  return {};
}

}  // namespace cnx::pipeline
