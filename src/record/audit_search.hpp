// contextnexus.audit_log for people: found by whatever is known of a change.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "postgres/session.hpp"

namespace cnx::record {

// What a person looks for: all that is given must fit.
struct AuditFilter {
  std::string correlation_id;  // Of a change: also the batches that it was tried in. Of a batch: its attempts.
  std::string table;           // "schema.table" or the name alone.
  std::string key;             // Its columns' values, joined by commas; the one before or after an update.
  std::string tenant;
  std::string position;        // "X/Y" or "X/Y+n": the change there, and the batches that it is part of.
  std::string from_lsn;        // Between the two, both included.
  std::string to_lsn;
  std::string operation;
  std::string outcome;
  bool failures = false;       // Whatever was not simply applied.
  std::string since;           // Times as PostgreSQL reads them.
  std::string until;
};

struct AuditRecord {
  std::string at;  // RFC 3339, UTC.
  std::string correlation_id;
  std::string batch_id;
  std::string operation;
  std::string table;  // schema.table; empty: of several.
  std::optional<std::string> key;
  std::optional<std::string> old_key;
  std::optional<std::string> tenant;
  std::string position;  // "X/Y+n"; empty: it was copied.
  std::string from;      // Of a batch.
  std::optional<int64_t> rows;
  std::optional<int64_t> refused;
  int64_t attempt = 0;
  std::optional<double> seconds;
  std::string outcome;
  std::string code;
};

// The newest first. ErrorKind::invalid for a position that is none, ErrorKind::server for what PostgreSQL cannot read. Blocks.
Result<std::vector<AuditRecord>> find_audit(postgres::Session& session, const std::string& pipeline, const AuditFilter& filter,
                                            size_t limit, TimePoint deadline);

}  // namespace cnx::record
