// The write-back's port over the two databases: a session of its own on PostgreSQL, and a connection of its own on which
// Neo4j is asked and nothing is written.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "bolt/connection.hpp"
#include "postgres/session.hpp"
#include "record/sync_port.hpp"
#include "record/sync_tables.hpp"

namespace cnx::record {

struct PostgresSyncOptions {
  postgres::ConnectionOptions postgres;
  bolt::Options neo4j;
  std::string pipeline;  // Whose ledger it keeps.
  int64_t epoch = 0;     // Of the owner, as contextnexus.pipelines has it: once there is a later one nothing is written. 0: it is not there.
  std::string origin;    // The replication origin that its session carries where it may.
  // Rows that one call of sweep() takes.
  size_t sweep_rows = 500;
  // Rows that it looks at where only few of them may be stale.
  size_t stale_rows = 2'000;
  // Told, in words, what a person may want to know once: from the stage's thread. May be empty.
  std::function<void(const std::string&)> on_note;
};

// The name of a pipeline's replication origin.
std::string origin_name(const std::string& pipeline);

class PostgresSync final : public SyncPort {
 public:
  PostgresSync(PostgresSyncOptions options, std::vector<SyncTable> tables);

  Status open(TimePoint deadline) override;
  void close() override;
  size_t tables() const override { return tables_.size(); }
  std::optional<size_t> table_of(const AppliedRow& row) const override;
  Result<std::vector<AppliedRow>> write(size_t table, const std::vector<AppliedRow>& rows, TimePoint deadline) override;
  std::string table_name(size_t table) const override { return postgres::to_string(tables_[table].name); }
  Result<SweptPage> sweep(size_t table, Sought sought, const std::optional<SweepCursor>& after,
                          TimePoint deadline) override;
  bool may_be_stale() const override { return filled_.has_value(); }
  Status forget_stale(TimePoint deadline) override;
  Status record(const SyncLedger& figures, TimePoint deadline) override;

 private:
  // A row as the graph has it.
  struct InGraph {
    std::optional<int64_t> version;  // None: it is not there.
    std::string node_id;
    std::string relationship_id;
  };
  Result<std::vector<InGraph>> look_up(const SyncTable& table, const std::vector<AppliedRow>& rows,
                                       const std::vector<size_t>& numbers, TimePoint deadline);

  Result<std::vector<AppliedRow>> write_synced(const SyncTable& target, const std::vector<AppliedRow>& rows, TimePoint deadline);
  Status mark_held(const SyncTable& table, TimePoint deadline);
  void carry_origin(TimePoint deadline);
  void add_owner(postgres::Parameters& parameters) const;
  postgres::Parameters with_filled(postgres::Parameters parameters) const;

  PostgresSyncOptions options_;
  std::vector<SyncTable> tables_;
  std::optional<postgres::Session> session_;
  std::optional<bolt::Connection> graph_;  // Opened when it is first asked.
  std::string origin_state_;               // What was noted last.
  std::optional<std::string> filled_;      // What was synced before it is stale; none: nothing is.
  bool has_ledger_ = false;
};

}  // namespace cnx::record
