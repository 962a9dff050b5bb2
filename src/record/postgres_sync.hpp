// The write-back's port over the two databases: a session of its own on PostgreSQL, and a connection of its own on which
// Neo4j is asked and nothing is written.
#pragma once

#include <optional>

#include "bolt/connection.hpp"
#include "postgres/session.hpp"
#include "record/sync_port.hpp"
#include "record/sync_tables.hpp"

namespace cnx::record {

struct PostgresSyncOptions {
  postgres::ConnectionOptions postgres;
  bolt::Options neo4j;
  // Rows that one call of sweep() looks at.
  size_t sweep_rows = 500;
};

class PostgresSync final : public SyncPort {
 public:
  PostgresSync(PostgresSyncOptions options, std::vector<SyncTable> tables);

  Status open(TimePoint deadline) override;
  void close() override;
  size_t tables() const override { return tables_.size(); }
  std::optional<size_t> table_of(const AppliedRow& row) const override;
  Result<std::vector<AppliedRow>> write(size_t table, const std::vector<AppliedRow>& rows, TimePoint deadline) override;
  Result<SweptPage> sweep(size_t table, const std::optional<SweepCursor>& after, TimePoint deadline) override;

 private:
  // A row as the graph has it.
  struct InGraph {
    std::optional<int64_t> version;  // None: it is not there.
    std::string node_id;
    std::string relationship_id;
  };
  Result<std::vector<InGraph>> look_up(const SyncTable& table, const std::vector<AppliedRow>& rows,
                                       const std::vector<size_t>& numbers, TimePoint deadline);

  PostgresSyncOptions options_;
  std::vector<SyncTable> tables_;
  std::optional<postgres::Session> session_;
  std::optional<bolt::Connection> graph_;  // Opened when it is first asked.
};

}  // namespace cnx::record
