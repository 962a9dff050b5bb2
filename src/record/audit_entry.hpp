// What is written into contextnexus.audit_log at a time: an attempt at a batch, with its changes where each is asked for, or
// what became of a dead letter.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "change/correlation.hpp"
#include "change/ids.hpp"
#include "mapping/audited_rows.hpp"

namespace cnx::record {

// Each holds all of those below it.
enum class AuditLevel : uint8_t {
  off,
  failures,  // Attempts that failed, and what becomes of dead letters.
  batches,   // Each attempt, by batch.
  all,       // Each change of a batch that was applied.
};
// Of a word of the option `audit.level`; off for any other.
AuditLevel audit_level(std::string_view word);

struct AuditEntry {
  int64_t at_microseconds = 0;  // Since 1970-01-01T00:00Z.
  // The entry's own line; empty: it has none, only its changes.
  std::string operation;
  std::string correlation_id;  // Empty: none.
  std::optional<postgres::TableName> table;
  std::optional<std::string> key;
  change::Position position;
  std::optional<change::Position> from;
  std::optional<uint64_t> rows;
  std::optional<uint64_t> refused;
  uint64_t attempt = 0;
  std::optional<double> seconds;
  std::string outcome;
  std::string code;
  std::vector<mapping::AuditedRow> changes;
  change::CorrelationSource source;  // Of theirs.
  // With it all is written that the log up to here has of ours; 0/0: it says nothing of that.
  change::Lsn whole;
};

// What a queue's budget counts for it.
size_t weight(const AuditEntry& entry);

}  // namespace cnx::record
