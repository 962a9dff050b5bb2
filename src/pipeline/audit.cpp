#include "pipeline/audit.hpp"

#include <algorithm>
#include <chrono>

#include "telemetry/log.hpp"

namespace cnx::pipeline {
namespace {

using record::AuditEntry;
using record::AuditLevel;

constexpr Duration kStepMax = std::chrono::seconds(30);
// At the end of a run the stages have waited for what holds confirmations; the rest is written now, or not at all.
constexpr Duration kEndMax = std::chrono::seconds(5);

int64_t now_microseconds() {
  return std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::system_clock::now().time_since_epoch()).count();
}

const char* word_of(apply::Attempt::Outcome outcome) {
  using enum apply::Attempt::Outcome;
  switch (outcome) {
    case applied: return "applied";
    case retried: return "retried";
    case lost: return "lost";
    case refused: return "refused";
    case failed: return "failed";
  }
  return "failed";
}

// What the other side called it; else the kind, which is a word as well.
std::string code_of(const Error& error) {
  const std::string& code = error.root().code();
  return code.empty() ? std::string(to_string(error.kind())) : code;
}

}  // namespace

Audit::Audit(const PipelineOptions& options, Figures& figures)
    : options_(options),
      figures_(figures),
      level_(record::audit_level(options.audit.level)),
      queue_(options.audit.queue_bytes_max),
      port_(options.postgres, options.audit.retention_days),
      stage_(queue_, port_, figures.audit,
             {.pipeline = options.name,
              .seed = static_cast<uint64_t>(Clock::now().time_since_epoch().count()),
              .tell = [this](const Error* error) { tell(error); },
              .on_written =
                  [this](change::Lsn whole) {
                    std::lock_guard lock(mutex_);
                    written_ = std::max(written_.load(), whole.value());
                    if (wake_) wake_();
                  },
              .wall_clock = now_microseconds}) {}

Audit::~Audit() {
  if (!runner_) return;
  runner_->stop(0);
  const TimePoint give_up = Clock::now() + kEndMax;
  while (!runner_->all_ended() && Clock::now() < give_up) {
    ended_.arm();
    if (!runner_->all_ended()) wait_for(ended_, stream::Step::wait_until(give_up));
    ended_.disarm();
  }
  if (!runner_->all_ended()) {
    telemetry::log_warning("audit_left", "the last of the audit could not be written in time",
                           {{"bytes", queue_.bytes()}});
    queue_.abandon();
  }
  runner_->join();
}

void Audit::use(const change::CorrelationSource& source) {
  source_ = source;
  if (level_ == AuditLevel::off || runner_) return;
  runner_.emplace(ended_);
  Waker& waker = runner_->add(stage_);
  queue_.on_readable([&waker] { waker.wake(); });
  runner_->start();
}

void Audit::forget() {
  std::lock_guard lock(mutex_);
  told_.reset();
}

void Audit::listen(apply::BatchOptions& batch) {
  if (level_ != AuditLevel::all) return;
  const bool copies = batch.start.phase != apply::Phase::stream;
  // Rows that are copied are told of by batch: they have no position of their own.
  if (copies) return;
  batch.audits_rows = true;
  batch.on_recovered = [this](std::vector<mapping::AuditedRow>&& rows, change::Lsn whole) { recovered(std::move(rows), whole); };
}

void Audit::listen(apply::LaneOptions& lane) {
  lane.source = source_;
  if (level_ == AuditLevel::off) return;
  lane.on_attempt = [this](apply::Batch& batch, const apply::Attempt& made) { attempt(batch, made); };
  if (level_ < AuditLevel::batches) return;
  lane.may_begin = [this] {
    const bool room = queue_.has_room();
    figures_.audit_is_full = !room;
    return room;
  };
}

void Audit::listen(capture::LogicalOptions& logical, postgres::Session& session, change::Lsn confirmed) {
  if (!holds_confirmation()) return;
  change::Position audited;
  bool known = false;
  {
    std::lock_guard lock(mutex_);
    known = told_.has_value();
    if (known) audited = *told_;
  }
  if (!known) {
    // Whoever may not read it is told why when it is written.
    Result<change::Position> read = record::read_audited(session, options_.name, Clock::now() + kStepMax);
    audited = std::max(change::Position{confirmed, 0}, read.value_or(change::Position()));
  }
  audited = std::min(audited, logical.start);
  if (audited < logical.start) logical.hand_on_from = audited;
  std::lock_guard lock(mutex_);
  told_ = audited;
  written_ = known ? std::min(written_.load(), audited.lsn.value()) : audited.lsn.value();
  logical.confirmed = change::Lsn(written_);
}

void Audit::limit(stream::Acknowledgement& acknowledgement) const {
  if (holds_confirmation()) acknowledgement.confirm_up_to(written_);
}

void Audit::on_written(std::function<void()> wake) {
  std::lock_guard lock(mutex_);
  wake_ = std::move(wake);
}

void Audit::attempt(apply::Batch& batch, const apply::Attempt& made) {
  const bool applied = made.outcome == apply::Attempt::Outcome::applied;
  if (applied && level_ < AuditLevel::batches) return;
  const bool copies = batch.to.phase != apply::Phase::stream;
  // What moves the position alone is nobody's change: only its failure is worth a line.
  const bool idle = batch.rows == 0 && batch.audited.empty();
  AuditEntry entry{.at_microseconds = now_microseconds(), .attempt = made.number, .source = source_};
  change::Position told;
  if (applied && !copies && holds_confirmation()) {
    told = batch.to.position;
    if (told.ordinal == 0) entry.whole = told.lsn;
  }
  if (idle && applied && told == change::Position()) return;
  if (!idle || !applied) {
    entry.operation = copies ? "copy" : "batch";
    entry.correlation_id = batch.correlation_id;
    if (copies && !batch.table_rows.empty()) {
      const change::RelationPtr& relation = batch.table_rows.front().first;
      entry.table = postgres::TableName{relation->schema, relation->name};
    }
    if (!copies) {
      entry.position = batch.to.position;
      entry.from = batch.from.position;
    }
    entry.rows = batch.rows;
    entry.seconds = std::chrono::duration<double>(made.took).count();
    entry.outcome = word_of(made.outcome);
    if (made.refused > 0) entry.refused = made.refused;
    if (made.error != nullptr) entry.code = code_of(*made.error);
  }
  if (applied) entry.changes = std::move(batch.audited);
  push(std::move(entry), told);
}

void Audit::recovered(std::vector<mapping::AuditedRow>&& rows, change::Lsn whole) {
  push({.at_microseconds = now_microseconds(), .changes = std::move(rows), .source = source_, .whole = whole}, {whole, 0});
}

void Audit::conflicts(const std::vector<ConflictNote>& notes) {
  if (level_ == AuditLevel::off) return;
  for (const ConflictNote& note : notes) {
    push({.at_microseconds = now_microseconds(),
          .operation = "conflict",
          .correlation_id = change::correlation_id(source_, note.position),
          .table = note.table,
          .key = note.key,
          .position = note.position,
          .attempt = 1,
          .outcome = std::string(to_string(note.outcome)),
          .code = std::string(mapping::to_word(note.strategy))});
  }
}

void Audit::dead_letter(const record::NewDeadLetter& letter, uint64_t attempt) {
  if (level_ == AuditLevel::off) return;
  push({.at_microseconds = now_microseconds(),
        .operation = letter.operation,
        .correlation_id = letter.correlation_id,
        .table = letter.key.table,
        .key = mapping::joined_key(letter.key.values),
        .position = letter.position,
        .attempt = attempt,
        .outcome = "dead_letter",
        .code = letter.code});
}

void Audit::letter_applied(const record::HeldRow& letter) {
  if (level_ == AuditLevel::off) return;
  const bool is_change = letter.position.ordinal != 0;
  push({.at_microseconds = now_microseconds(),
        .operation = "retry",
        .correlation_id = is_change ? change::correlation_id(source_, letter.position) : std::string(),
        .table = letter.key.table,
        .key = mapping::joined_key(letter.key.values),
        .position = letter.position,
        .attempt = letter.attempts + 1,
        .outcome = "applied"});
}

// Where the level does not promise each attempt, the line does not wait for it.
void Audit::push(AuditEntry&& entry, const change::Position& told) {
  if (level_ < AuditLevel::batches && !queue_.has_room()) {
    figures_.audit.dropped += 1;
    return;
  }
  queue_.push(std::move(entry));
  figures_.audit_bytes = queue_.bytes();
  std::lock_guard lock(mutex_);
  if (told_) told_ = std::max(*told_, told);
}

// Said once while it stays the same.
void Audit::tell(const Error* error) {
  if (error == nullptr) {
    said_.clear();
    figures_.set_audit_trouble({});
    telemetry::log_info("audit_recovered", "the audit is written again");
    return;
  }
  std::string text = error->describe();
  figures_.set_audit_trouble(text);
  if (text == said_) return;
  const bool waits = level_ >= AuditLevel::batches;
  telemetry::log_warning("audit_failed",
                         "audit: " + text + "; it is tried again until it works, and " +
                             (waits ? "the line waits once audit.queue_bytes_max is full" : "what finds no room meanwhile is dropped") +
                             "; contextnexus check says what the role lacks",
                         telemetry::fields_of(*error));
  said_ = std::move(text);
}

}  // namespace cnx::pipeline
