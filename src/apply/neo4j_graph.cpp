#include "apply/neo4j_graph.hpp"

#include "apply/position.hpp"
#include "apply/segments.hpp"
#include "apply/server_message.hpp"
#include "bolt/writer.hpp"
#include "cypher/led.hpp"
#include "stream/retry_class.hpp"

namespace cnx::apply {

class PreparedStatements final : public PreparedBatch {
 public:
  PreparedStatements(std::vector<cypher::Statement> statements, cypher::Removal removal)
      : statements_(std::move(statements)), removal_(std::move(removal)) {}
  const std::vector<cypher::Statement>& statements() const { return statements_; }
  const cypher::Removal& removal() const { return removal_; }
  size_t removal_steps() const override { return removal_.steps.size(); }

 private:
  std::vector<cypher::Statement> statements_;
  cypher::Removal removal_;
};

namespace {

constexpr std::string_view kDivisionByZero = "Neo.ClientError.Statement.ArithmeticError";

// What a piece does to the position: it stays, and says that something behind it is half done.
Batch piece_of(const Batch& batch) {
  Batch piece;
  piece.from = batch.from;
  piece.to = batch.from;
  piece.to.partial = true;
  piece.to.partial_until = batch.to.position.lsn;
  piece.ahead = std::nullopt;
  return piece;
}

// The replies of a transaction, by number: BEGIN, then RUN and PULL of the position, in a copy RUN
// and PULL of the segment, then RUN and PULL of each statement, then COMMIT. Of a trial: BEGIN, RUN and PULL of each statement,
// ROLLBACK. Of few rows: BEGIN, RUN and PULL of the position and them, COMMIT.
constexpr size_t kBareReply = 1;
constexpr size_t kSegmentReply = 3;

std::string key_text(const bolt::Value& key) {
  if (const auto* number = key.get_if<int64_t>()) return std::to_string(*number);
  if (const auto* text = key.get_if<std::string>()) return *text;
  std::string text;
  if (const auto* ends = key.get_if<bolt::List>()) {
    for (const bolt::Value& end : *ends) text += (text.empty() ? "" : ",") + key_text(end);
  }
  return text;
}

Error position_refused() {
  return Error(ErrorKind::server, std::string(kPositionRefused), "the position in the graph is not where this batch starts");
}

Error too_large_at_once() {
  return Error(ErrorKind::server, std::string(kTooLargeAtOnce),
               "a batch removes more nodes and relationships than one transaction may; it is done in "
               "pieces");
}

}  // namespace

Neo4jGraph::Neo4jGraph(Neo4jGraphOptions options, const cypher::Plan& plan)
    : options_(std::move(options)), plan_(&plan) {}

Result<StoredPosition> Neo4jGraph::open(TimePoint deadline) {
  close();
  CNX_TRY(bolt::Connection connection, bolt::open_writer(options_.connection, deadline));
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
  return std::make_unique<PreparedStatements>(
      plan_->statements(batch.mutations), plan_->removal(batch.mutations, options_.removal));
}

void Neo4jGraph::send(const cypher::Statement& statement) {
  connection_->run(*statement.text, statement.parameters);
  connection_->pull_all();
  sent_.push_back(&statement);
}

void Neo4jGraph::submit(const Batch& batch, const PreparedBatch& prepared, Part part, int64_t epoch,
                        TimePoint now) {
  prepared_ = static_cast<const PreparedStatements*>(&prepared);
  part_ = part;
  sent_.clear();
  replies_ = 0;
  applied_ = {};
  failed_statement_.clear();
  refused_together_ = false;
  give_up_ = now + options_.transaction_max;
  bolt::TransactionOptions transaction;
  transaction.metadata = bolt::Map{{"app", "contextnexus"},
                                   {"pipeline", options_.pipeline},
                                   {"lane", options_.lane},
                                   {"position", batch.to.position.to_string()}};
  if (!batch.correlation_id.empty()) transaction.metadata.add("correlation_id", batch.correlation_id);
  connection_->begin(transaction);
  joined_ = lead_with_rows(batch, part, epoch);
  if (joined_) return connection_->commit();
  if (part.kind == Part::Kind::trial) {
    first_statement_reply_ = kBareReply;
  } else {
    lead(batch, part, epoch);
  }
  if (part.kind == Part::Kind::whole) {
    for (const cypher::Statement& size : prepared_->removal().sizes) send(size);
  }
  if (part.kind == Part::Kind::piece) {
    send(prepared_->removal().steps[part.step]);
  } else {
    for (const cypher::Statement& statement : prepared_->statements()) send(statement);
  }
  if (part.kind == Part::Kind::trial) {
    connection_->rollback();
  } else {
    connection_->commit();
  }
}

// Of few rows of one statement, the position and they are one statement: a commit of one row is in the graph after little more than
// Neo4j takes for any. A large batch would have nothing of it, and each text is one more to plan.
bool Neo4jGraph::lead_with_rows(const Batch& batch, Part part, int64_t epoch) {
  constexpr size_t kFewRows = 10;
  const bool alone = part.kind == Part::Kind::whole && !part.apart && !batch.segment && prepared_->removal().sizes.empty() &&
                     prepared_->removal_steps() == 0 && prepared_->statements().size() == 1;
  if (!alone) return false;
  const cypher::Statement& statement = prepared_->statements().front();
  if (statement.rows > kFewRows) return false;
  const std::optional<cypher::Led> one =
      cypher::led(compare_and_set_text(), compare_and_set_parameters(options_.lane, batch, epoch), statement);
  if (!one) return false;
  connection_->run(one->text, one->parameters);
  connection_->pull_all();
  sent_.push_back(&statement);
  first_statement_reply_ = kBareReply;
  return true;
}

// The position, and of a copy how far its segment is.
void Neo4jGraph::lead(const Batch& batch, Part part, int64_t epoch) {
  const bool piece = part.kind == Part::Kind::piece;
  connection_->run(compare_and_set_text(),
                   piece ? compare_and_set_parameters(options_.lane, piece_of(batch), epoch)
                         : compare_and_set_parameters(options_.lane, batch, epoch));
  connection_->pull_all();
  first_statement_reply_ = kSegmentReply;
  if (batch.segment) {
    connection_->run(segment_progress_text(), segment_progress_parameters(*batch.segment, batch.rows));
    connection_->pull_all();
    first_statement_reply_ += 2;
  }
}

Result<std::optional<Applied>> Neo4jGraph::poll(TimePoint now) {
  if (!connection_) return fail(ErrorKind::unavailable, "the connection to Neo4j was closed");
  while (true) {
    Result<bool> moved = connection_->pump(now);
    // What was received before a failure counts: it may say why the server closed.
    while (std::optional<bolt::Reply> reply = connection_->take_reply()) {
      const bool last = reply->request == bolt::Request::commit || reply->request == bolt::Request::rollback;
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
  if (reply.records.empty()) return {};
  const bolt::Value& first = reply.records.front().front();
  if (part_.kind == Part::Kind::piece) {
    if (const auto* count = first.get_if<int64_t>()) applied_.removed = static_cast<size_t>(*count);
    return {};
  }
  const mapping::TableRule* rule = sent_[(number - first_statement_reply_) / 2]->reports_conflicts;
  const auto* met = first.get_if<bolt::List>();
  if (rule == nullptr || met == nullptr) return {};
  for (const bolt::Value& each : *met) {
    const auto* told = each.get_if<bolt::List>();
    if (told == nullptr || told->size() != 2) continue;
    const bool* kept = (*told)[1].get_if<bool>();
    applied_.conflicts.push_back({.table = rule->table,
                                  .strategy = rule->conflict.strategy,
                                  .key = key_text((*told)[0]),
                                  .kept = kept != nullptr && *kept});
  }
  return {};
}

Error Neo4jGraph::failure(const bolt::Reply& reply) {
  Error error(ErrorKind::server, reply.failure.code, without_values(reply.failure.message));
  const bool may_go_in_pieces =
      part_.kind == Part::Kind::whole && prepared_->removal_steps() > 0;
  const bool too_much = stream::retry_class(error) == stream::RetryClass::in_pieces;
  if (may_go_in_pieces && too_much) return too_large_at_once();
  if (replies_ < first_statement_reply_) return failure_before_statements(std::move(error));
  size_t index = (replies_ - first_statement_reply_) / 2;
  if (index >= sent_.size()) return std::move(error).wrap("committing to Neo4j");
  const cypher::Statement& statement = *sent_[index];
  if (joined_ && error.code() == kDivisionByZero) return position_refused();
  if (joined_) {
    const stream::RetryClass retry = stream::retry_class(error);
    refused_together_ = retry == stream::RetryClass::dead_letter || retry == stream::RetryClass::in_pieces;
    return std::move(error).wrap("applying a batch with its position").with("statement", *statement.name);
  }
  failed_statement_ = *statement.name;
  const bool asks_size =
      part_.kind == Part::Kind::whole && index < prepared_->removal().sizes.size();
  if (asks_size && error.code() == kDivisionByZero) return too_large_at_once();
  if (statement.fails_on_conflict && error.code() == kDivisionByZero) {
    return Error(ErrorKind::server, std::string(kEntityMissing), "an UPDATE met what somebody else wrote in the graph: that is decided first")
        .with("statement", *statement.name);
  }
  if (statement.needs_entity && error.code() == kDivisionByZero) {
    return Error(ErrorKind::server, std::string(kEntityMissing),
                 "an UPDATE left out an unchanged TOAST column, and its entity is not in the "
                 "graph, or is somebody else's: the row is read again")
        .with("statement", *statement.name);
  }
  return std::move(error).wrap("applying a batch").with("statement", *statement.name);
}

// No row is at fault there.
Error Neo4jGraph::failure_before_statements(Error error) const {
  const bool position = part_.kind != Part::Kind::trial && replies_ > 0 && replies_ < kSegmentReply;
  if (position && error.code() == kDivisionByZero) {
    return position_refused();
  }
  const stream::RetryClass retry = stream::retry_class(error);
  if (retry == stream::RetryClass::dead_letter) error = Error(ErrorKind::state, error.code(), error.message());
  // So little needs hardly any memory: others have all of it for now.
  if (retry == stream::RetryClass::in_pieces) error = Error(ErrorKind::unavailable, error.code(), error.message());
  return std::move(error).wrap(replies_ < kSegmentReply ? "moving the position in the graph"
                                                        : "noting how far a segment of the copy is");
}

TimePoint Neo4jGraph::deadline() const {
  if (!connection_) return give_up_;
  return std::min(give_up_, connection_->silence_deadline());
}

void Neo4jGraph::close() {
  if (connection_) connection_->close();
  connection_.reset();
  prepared_ = nullptr;
  give_up_ = kNever;
}

}  // namespace cnx::apply
