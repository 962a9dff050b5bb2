// The graph port over Neo4j: one connection, one transaction in one flush — BEGIN, position, each
// statement with its PULL, COMMIT; few rows of one statement share one with the position — and its answers read in order.
#pragma once

#include <optional>
#include <string>

#include "apply/graph_port.hpp"
#include "bolt/connection.hpp"
#include "cypher/plan.hpp"

namespace cnx::apply {

struct Neo4jGraphOptions {
  bolt::Options connection;
  std::string pipeline;
  std::string lane;
  // A transaction that takes longer than this is given up and tried again from the position. Long,
  // because a large transaction is one Neo4j transaction; the server's silence is noticed much
  // earlier by its own hint.
  Duration transaction_max = std::chrono::minutes(10);
  cypher::RemovalLimits removal;
};

class Neo4jGraph final : public GraphPort {
 public:
  // `plan` must outlive the port.
  Neo4jGraph(Neo4jGraphOptions options, const cypher::Plan& plan);

  Result<StoredPosition> open(TimePoint deadline) override;
  std::unique_ptr<PreparedBatch> prepare(const Batch& batch) override;
  void submit(const Batch& batch, const PreparedBatch& prepared, Part part, int64_t epoch,
              TimePoint now) override;
  Result<std::optional<Applied>> poll(TimePoint now) override;
  size_t answers() const override { return replies_; }
  Applied reported() const override { return applied_; }
  std::string failed_statement() const override { return failed_statement_; }
  bool refused_together() const override { return refused_together_; }
  int descriptor() const override { return connection_ ? connection_->fd() : -1; }
  bool wants_write() const override { return connection_ && connection_->wants_write(); }
  TimePoint deadline() const override;
  void close() override;

 private:
  void send(const cypher::Statement& statement);
  Status take(bolt::Reply&& reply);
  void lead(const Batch& batch, Part part, int64_t epoch);
  bool lead_with_rows(const Batch& batch, Part part, int64_t epoch);
  Error failure(const bolt::Reply& reply);
  Error failure_before_statements(Error error) const;

  Neo4jGraphOptions options_;
  const cypher::Plan* plan_;
  std::optional<bolt::Connection> connection_;
  // Of the transaction under way.
  const class PreparedStatements* prepared_ = nullptr;
  Part part_;
  std::vector<const cypher::Statement*> sent_;
  bool joined_ = false;  // The position is part of its one statement.
  size_t first_statement_reply_ = 0;
  size_t replies_ = 0;
  Applied applied_;
  std::string failed_statement_;
  bool refused_together_ = false;
  TimePoint give_up_ = kNever;
};

}  // namespace cnx::apply
