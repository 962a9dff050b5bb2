// A graph port that keeps a position as a graph would — compare-and-set and all — and fails as its
// script says. For tests only.
#pragma once

#include <deque>
#include <vector>

#include "apply/graph_port.hpp"

namespace cnx::apply::testing {

// One thread.
class ScriptedGraph final : public GraphPort {
 public:
  static constexpr int kDescriptor = 78;

  // What becomes of a transaction, one entry a submit(); none left: it is done.
  enum class Fate {
    done,
    never_ends,   // poll() has nothing to say.
    lost,         // The connection is lost before the commit: nothing was written.
    answer_lost,  // The connection is lost after it.
    late,         // The connection is lost; the commit is done before the next compare-and-set.
    transient,    // Refused for now, by a deadlock: nothing was written.
    outdated,     // The same, to be tried again at once.
    row_refused,  // By the data of some row.
    out_of_memory,
    answers_first,     // The same as transient, after three answers.
    refused_for_good,  // Refused with a code that no retry cures.
    too_large,         // More is removed than one transaction may.
    together,          // The position and the rows were one statement.
  };
  std::deque<Fate> fates;
  // Errors of the next open() calls.
  std::deque<Error> open_failures;
  size_t refused = 0;  // Updates that each transaction reports as refused.
  size_t removal_steps = 0;          // Of every batch.
  std::deque<size_t> pieces_remove;  // What each piece reports as removed; none left: nothing.
  std::vector<Part> parts;           // Of each submit().

  StoredPosition stored;
  std::vector<LanePosition> committed;  // Where each transaction led.
  size_t submits = 0;
  size_t prepares = 0;
  std::vector<TimePoint> opened;
  bool connected = false;
  TimePoint now{};  // Set by whoever steps the stage.

  Result<StoredPosition> open(TimePoint) override {
    opened.push_back(now);
    if (!open_failures.empty()) {
      Error error = std::move(open_failures.front());
      open_failures.pop_front();
      return fail(std::move(error));
    }
    connected = true;
    return stored;
  }
  std::unique_ptr<PreparedBatch> prepare(const Batch&) override {
    ++prepares;
    auto prepared = std::make_unique<Prepared>();
    prepared->steps = removal_steps;
    return prepared;
  }
  void submit(const Batch& batch, const PreparedBatch&, Part part, int64_t epoch,
              TimePoint) override {
    EXPECT_FALSE(under_way_) << "one batch at a time";
    ++submits;
    answers_ = 0;
    parts.push_back(part);
    under_way_ = Transaction{batch.from, batch.to, epoch};
    if (part.kind == Part::Kind::piece) {
      under_way_->to = batch.from;
      under_way_->to.partial = true;
      under_way_->to.partial_until = batch.to.position.lsn;
    }
    fate_ = fates.empty() ? Fate::done : fates.front();
    if (!fates.empty()) fates.pop_front();
    if (late_) {  // It held the lock.
      (void)commit(*late_);
      late_.reset();
    }
  }
  Result<std::optional<Applied>> poll(TimePoint) override {
    EXPECT_TRUE(under_way_) << "nothing is under way";
    switch (fate_) {
      case Fate::never_ends:
        return std::optional<Applied>();
      case Fate::lost:
        return fail(lost());
      case Fate::late:
        late_ = under_way_;
        return fail(lost());
      case Fate::answers_first:
        answers_ = 3;
        [[fallthrough]];
      case Fate::transient:
        return fail(
            Error(ErrorKind::server, "Neo.TransientError.Transaction.DeadlockDetected", ""));
      case Fate::outdated:
        return fail(Error(ErrorKind::server, "Neo.TransientError.Transaction.Outdated", ""));
      case Fate::row_refused:
        return fail(Error(ErrorKind::server, "Neo.ClientError.Schema.ConstraintValidationFailed", ""));
      case Fate::out_of_memory:
        return fail(Error(ErrorKind::server, "Neo.TransientError.General.MemoryPoolOutOfMemoryError", ""));
      case Fate::too_large:
        return fail(Error(ErrorKind::server, std::string(kTooLargeAtOnce), ""));
      case Fate::together:
        return fail(Error(ErrorKind::server, "Neo.ClientError.Schema.ConstraintValidationFailed", ""));
      case Fate::refused_for_good:
        return fail(Error(ErrorKind::server, "Neo.ClientError.Statement.SyntaxError", ""));
      case Fate::done:
      case Fate::answer_lost:
        break;
    }
    CNX_TRY(commit(*under_way_));
    if (fate_ == Fate::answer_lost) return fail(lost());
    under_way_.reset();
    Applied applied;
    applied.conflicts.resize(refused, {.table = {}, .key = {}, .kept = true});
    if (parts.back().kind == Part::Kind::piece && !pieces_remove.empty()) {
      applied.removed = pieces_remove.front();
      pieces_remove.pop_front();
    }
    return std::optional<Applied>(applied);
  }
  size_t answers() const override { return answers_; }
  std::string failed_statement() const override { return "insert Counted"; }
  bool refused_together() const override { return fate_ == Fate::together; }
  int descriptor() const override { return kDescriptor; }
  bool wants_write() const override { return false; }
  TimePoint deadline() const override { return kNever; }
  void close() override {
    under_way_.reset();
    connected = false;
  }

 private:
  struct Prepared final : PreparedBatch {
    size_t steps = 0;
    size_t removal_steps() const override { return steps; }
  };
  struct Transaction {
    LanePosition from;
    LanePosition to;
    int64_t epoch = 0;
  };

  static Error lost() { return Error(ErrorKind::unavailable, "the connection was cut"); }

  Status commit(const Transaction& transaction) {
    if (!same_place(stored.lane, transaction.from) || stored.epoch != transaction.epoch) {
      return fail(Error(ErrorKind::server, std::string(kPositionRefused), "another position"));
    }
    stored.lane = transaction.to;
    committed.push_back(transaction.to);
    return {};
  }

  std::optional<Transaction> under_way_;
  std::optional<Transaction> late_;
  size_t answers_ = 0;  // Of the transaction under way.
  Fate fate_ = Fate::done;
};

}  // namespace cnx::apply::testing
