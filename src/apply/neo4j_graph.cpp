#include "apply/neo4j_graph.hpp"

#include "apply/position.hpp"
#include "apply/segments.hpp"

namespace cnx::apply {

class PreparedStatements final : public PreparedBatch {
 public:
  explicit PreparedStatements(std::vector<cypher::Statement> statements)
      : statements_(std::move(statements)) {}
  const std::vector<cypher::Statement>& statements() const { return statements_; }

 private:
  std::vector<cypher::Statement> statements_;
};

namespace {

constexpr std::string_view kDivisionByZero = "Neo.ClientError.Statement.ArithmeticError";

// The replies of a transaction, by number: BEGIN, then RUN and PULL of the position, in a copy RUN and PULL of the
// segment, then RUN and PULL of each statement, then COMMIT.
constexpr size_t kSegmentReply = 3;

// A server's message quotes the values that it speaks of ("property `id` = 'x'"), and a row's
// values stay out of logs: what stands between single quotes, or as a number behind an equals sign,
// is left out.
std::string without_values(std::string_view message) {
  std::string text;
  for (size_t i = 0; i < message.size(); ++i) {
    text += message[i];
    if (message[i] == '\'') {
      size_t end = message.rfind('\'');
      text += end > i ? "…'" : "…";
      i = end > i ? end : message.size();
    } else if (message[i] == '=' && i + 2 < message.size() && message[i + 1] == ' ' &&
               message[i + 2] != '\'') {
      text += " …";
      i = message.find(' ', i + 2) == std::string_view::npos ? message.size()
                                                             : message.find(' ', i + 2) - 1;
    }
  }
  return text;
}

}  // namespace

Neo4jGraph::Neo4jGraph(Neo4jGraphOptions options, const cypher::Plan& plan)
    : options_(std::move(options)), plan_(&plan) {}

Result<StoredPosition> Neo4jGraph::open(TimePoint deadline) {
  close();
  CNX_TRY(bolt::Connection connection, bolt::Connection::open(options_.connection, deadline));
  CNX_TRY(std::optional<PositionNode> node, read_position(connection, options_.lane, deadline));
  if (!node) {
    return fail(Error(ErrorKind::state, "the graph has no position for this pipeline any more")
                    .with("pipeline", options_.pipeline)
                    .advise("the graph was emptied or replaced: contextnexus drop --graph, then "
                            "init and run copy it anew"));
  }
  connection_ = std::move(connection);
  return node->stored;
}

std::unique_ptr<PreparedBatch> Neo4jGraph::prepare(const Batch& batch) {
  return std::make_unique<PreparedStatements>(plan_->statements(batch.mutations));
}

void Neo4jGraph::submit(const Batch& batch, const PreparedBatch& prepared, int64_t epoch,
                        TimePoint now) {
  statements_ = static_cast<const PreparedStatements*>(&prepared);
  replies_ = 0;
  applied_ = {};
  give_up_ = now + options_.transaction_max;
  bolt::TransactionOptions transaction;
  transaction.metadata = bolt::Map{{"app", "contextnexus"},
                                   {"pipeline", options_.pipeline},
                                   {"lane", options_.lane},
                                   {"position", batch.to.position.to_string()}};
  connection_->begin(transaction);
  connection_->run(compare_and_set_text(), compare_and_set_parameters(options_.lane, batch, epoch));
  connection_->pull_all();
  first_statement_reply_ = kSegmentReply;
  if (batch.segment) {
    connection_->run(segment_progress_text(), segment_progress_parameters(*batch.segment, batch.rows));
    connection_->pull_all();
    first_statement_reply_ += 2;
  }
  for (const cypher::Statement& statement : statements_->statements()) {
    connection_->run(*statement.text, statement.parameters);
    connection_->pull_all();
  }
  connection_->commit();
}

Result<std::optional<Applied>> Neo4jGraph::poll(TimePoint now) {
  if (!connection_) return fail(ErrorKind::unavailable, "the connection to Neo4j was closed");
  while (true) {
    Result<bool> moved = connection_->pump(now);
    // What was received before a failure counts: it may say why the server closed.
    while (std::optional<bolt::Reply> reply = connection_->take_reply()) {
      bool last = reply->request == bolt::Request::commit;
      CNX_TRY(take(std::move(*reply)));
      if (last) return std::optional<Applied>(applied_);
    }
    if (!moved) return fail(std::move(moved.error()));
    if (!*moved) break;
  }
  if (now >= give_up_) {
    return fail(ErrorKind::timeout, "Neo4j did not finish a transaction in time");
  }
  return std::optional<Applied>();
}

Status Neo4jGraph::take(bolt::Reply&& reply) {
  if (!reply.ok()) return fail(failure(reply));
  size_t number = replies_++;
  if (reply.request != bolt::Request::pull || number < first_statement_reply_) return {};
  const cypher::Statement& statement =
      statements_->statements()[(number - first_statement_reply_) / 2];
  if (!statement.counts_refused || reply.records.empty()) return {};
  if (const auto* refused = reply.records.front().front().get_if<int64_t>())
    applied_.refused += static_cast<size_t>(*refused);
  return {};
}

Error Neo4jGraph::failure(const bolt::Reply& reply) const {
  Error error(ErrorKind::server, reply.failure.code, without_values(reply.failure.message));
  if (replies_ < kSegmentReply) {
    if (error.code() != kDivisionByZero)
      return std::move(error).wrap("moving the position in the graph");
    return Error(ErrorKind::server, std::string(kPositionRefused),
                 "the position in the graph is not where this batch starts");
  }
  if (replies_ < first_statement_reply_) return std::move(error).wrap("noting how far a segment of the copy is");
  size_t index = (replies_ - first_statement_reply_) / 2;
  if (index >= statements_->statements().size())
    return std::move(error).wrap("committing to Neo4j");
  const cypher::Statement& statement = statements_->statements()[index];
  if (statement.needs_entity && error.code() == kDivisionByZero) {
    return Error(ErrorKind::unsupported,
                 "an UPDATE left out an unchanged TOAST column, and its entity is not in the "
                 "graph: the row has to be read "
                 "again (refetch)")
        .with("statement", *statement.name);
  }
  return std::move(error).wrap("applying a batch").with("statement", *statement.name);
}

TimePoint Neo4jGraph::deadline() const {
  if (!connection_) return give_up_;
  return std::min(give_up_, connection_->silence_deadline());
}

void Neo4jGraph::close() {
  if (connection_) connection_->close();
  connection_.reset();
  statements_ = nullptr;
  give_up_ = kNever;
}

}  // namespace cnx::apply
