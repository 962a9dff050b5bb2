// The audit of a run: what lanes, batches and dead letters tell becomes entries of contextnexus.audit_log, written by a thread of
// its own that outlives the passes. At level `all` PostgreSQL's slot is confirmed no further than the audit is written, and what a
// killed engine had not written yet is told by the next one, from the stream.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>

#include "apply/batch_options.hpp"
#include "apply/lane_stage.hpp"
#include "capture/logical/logical_stage.hpp"
#include "pipeline/conflict_notes.hpp"
#include "pipeline/figures.hpp"
#include "pipeline/options.hpp"
#include "pipeline/runner.hpp"
#include "record/audit_stage.hpp"
#include "record/dead_letters.hpp"
#include "record/postgres_audit.hpp"

namespace cnx::pipeline {

// Any thread but where it says otherwise.
class Audit {
 public:
  // Both must outlive it.
  Audit(const PipelineOptions& options, Figures& figures);
  // Writes what is left, for some seconds at most.
  ~Audit();

  // The pipeline's thread, before a pass or a copy: whose positions they are. From the first call on its own thread runs, where the
  // level is not `off`.
  void use(const change::CorrelationSource& source);
  const change::CorrelationSource& source() const { return source_; }
  // Another instance may have moved the position since.
  void forget();

  // What a pass of the stream or a worker of a copy is given.
  void listen(apply::BatchOptions& batch);
  void listen(apply::LaneOptions& lane);
  // The pipeline's thread, for a pass that begins at `start`; `confirmed`: by the slot. Blocks.
  void listen(capture::LogicalOptions& logical, postgres::Session& session, change::Lsn confirmed);
  void limit(stream::Acknowledgement& acknowledgement) const;
  // Called whenever more may be confirmed; empty: nobody is, any more, once this has returned.
  void on_written(std::function<void()> wake);

  // Any thread.
  void conflicts(const std::vector<ConflictNote>& notes);

  // What became of dead letters.
  void dead_letter(const record::NewDeadLetter& letter, uint64_t attempt);
  void letter_applied(const record::HeldRow& letter);

 private:
  bool holds_confirmation() const { return level_ == record::AuditLevel::all; }
  void attempt(apply::Batch& batch, const apply::Attempt& attempt);
  void recovered(std::vector<mapping::AuditedRow>&& rows, change::Lsn whole);
  void push(record::AuditEntry&& entry, const change::Position& told = {});
  void tell(const Error* error);

  const PipelineOptions& options_;
  Figures& figures_;
  const record::AuditLevel level_;
  change::CorrelationSource source_;
  record::AuditQueue queue_;
  record::PostgresAudit port_;
  record::AuditStage stage_;
  std::mutex mutex_;  // Of what follows.
  // How far all is in the queue; none before a pass has begun.
  std::optional<change::Position> told_;
  std::function<void()> wake_;
  std::atomic<uint64_t> written_{0};  // How far all is written: an LSN.
  std::string said_;                  // Of its own thread.
  Waker ended_;
  std::optional<Runner> runner_;
};

}  // namespace cnx::pipeline
