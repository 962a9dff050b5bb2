// What PostgreSQL says of a pipeline's slot and of the log that is kept for it, at one moment: what the judgement of the
// source needs (capture/logical/source_state.hpp), and what is worth a warning though the line goes on.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "capture/logical/source_state.hpp"
#include "pipeline/options.hpp"
#include "pipeline/slot_wait.hpp"
#include "postgres/session.hpp"

namespace cnx::pipeline {

struct SourceLook {
  std::optional<postgres::SlotState> slot;
  capture::SourceRecord record;
  change::Lsn wal_end;  // Flushed.
  std::optional<int64_t> slot_wal_keep_bytes_max;  // max_slot_wal_keep_size; none: no limit.
  std::vector<OpenTransaction> open;               // Also prepared ones.
};
// Blocks until `deadline`; kinds as Session.
Result<SourceLook> look_at_source(postgres::Session& session, const PipelineOptions& options, TimePoint deadline);

// The server that a plain session reaches, for who has no replication connection; its timelines are left out.
Result<postgres::SystemIdentity> read_identity(postgres::Session& session, TimePoint deadline);

struct SourceWarning {
  std::string code;     // wal_retained_high, slot_at_risk, prepared_transaction_pins or open_transaction_pins.
  std::string message;  // One sentence.
  std::string advice;
};
// Pure.
std::vector<SourceWarning> source_warnings(const SourceLook& look, const SourceOptions& options);

// The log that may be kept before it is told: the option's, or half of what the server keeps at all. Pure.
int64_t retained_wal_limit(const SourceLook& look, const SourceOptions& options);

}  // namespace cnx::pipeline
