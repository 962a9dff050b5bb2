// The audit's port over PostgreSQL: a session of its own.
#pragma once

#include <optional>

#include "postgres/session.hpp"
#include "record/audit_stage.hpp"

namespace cnx::record {

// What the engine's role needs for it.
inline constexpr const char* kAuditTable = "contextnexus.audit_log";
inline constexpr const char* kAuditFunction = "contextnexus.audit_partitions(date, date, int)";

class PostgresAudit final : public AuditPort {
 public:
  // Partitions that are older than so many days go; 0: none does.
  PostgresAudit(postgres::ConnectionOptions postgres, size_t retention_days)
      : postgres_(std::move(postgres)), retention_days_(retention_days) {}

  Status open(TimePoint deadline) override;
  void close() override { session_.reset(); }
  Status keep_days(int64_t first, int64_t last, TimePoint deadline) override;
  Status write(std::string_view lines, TimePoint deadline) override;

 private:
  postgres::ConnectionOptions postgres_;
  size_t retention_days_;
  std::optional<postgres::Session> session_;
};

// Of the pipeline: how far its audit has all changes, by the newest batch that it says was applied; 0/0: it has none. Blocks.
Result<change::Position> read_audited(postgres::Session& session, const std::string& pipeline, TimePoint deadline);

}  // namespace cnx::record
