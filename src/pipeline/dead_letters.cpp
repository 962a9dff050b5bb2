#include "pipeline/dead_letters.hpp"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/failpoint.hpp"
#include "change/correlation.hpp"
#include "telemetry/log.hpp"

namespace cnx::pipeline {
namespace {

constexpr Duration kStepMax = std::chrono::seconds(30);

constexpr const char* kSettle = "contextnexus dead-letters list shows them; mend the cause, then retry them, or discard them";

TimePoint soon() { return Clock::now() + kStepMax; }

// A statement's or a commit's, without the values that it speaks of; or our own.
std::string reason_of(const Error& error) {
  return error.kind() == ErrorKind::server ? error.root().message() : error.describe();
}

std::string json_of(const apply::RefusedRow& row) {
  if (row.values.empty()) return {};
  nlohmann::ordered_json json = nlohmann::ordered_json::object();
  for (const auto& [column, value] : row.values) json[column] = value ? nlohmann::ordered_json(*value) : nlohmann::ordered_json();
  return json.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

}  // namespace

DeadLetters::DeadLetters(const PipelineOptions& options, Audit& audit)
    : options_(options), audit_(audit), rows_(options, record::kDeadLetters, false), breaker_(options.dead_letters.breaker) {}

Status DeadLetters::load(postgres::Session& session, const apply::Source& source, change::Position reached) {
  source_ = source;
  CNX_TRY(rows_.load(session, reached));
  CNX_TRY(record::DeadLetterFigures figures, record::read_dead_letter_figures(session, options_.name, soon()));
  if (figures.stopped_line == 0) return {};
  return fail(Error(ErrorKind::state, "the line is stopped: most rows failed the same way, and that is still so of some")
                  .with("letters", std::to_string(figures.stopped_line))
                  .with("statement", figures.stopped_statement)
                  .with("code", figures.stopped_code)
                  .advise(kSettle));
}

record::NewDeadLetter DeadLetters::letter_of(const apply::RefusedRow& row) const {
  record::NewDeadLetter letter{.key = row.key,
                               .position = row.position,
                               .correlation_id = {},
                               .operation = row.operation,
                               .statement = row.refusal.statement,
                               .code = row.refusal.error.code(),
                               .reason = reason_of(row.refusal.error),
                               .values = {}};
  if (row.position.ordinal != 0) {
    letter.correlation_id = change::correlation_id(source_.system_identifier, source_.database, row.position);
  }
  if (options_.dead_letters.keep_values) letter.values = json_of(row);
  return letter;
}

Status DeadLetters::add(postgres::Session& session, const std::vector<apply::RefusedRow>& rows) {
  // Before a letter is made again: what was heard is older.
  CNX_TRY(rows_.write_news(session, true));
  size_t open = rows_.size();
  std::vector<record::NewDeadLetter> letters;
  for (const apply::RefusedRow& row : rows) {
    open += rows_.contains(row.key) ? 0 : 1;
    letters.push_back(letter_of(row));
  }
  if (open > options_.dead_letters.open_max) {
    return fail(Error(ErrorKind::state, "there are as many dead letters as may be open, and a row more cannot be applied")
                    .with("open", std::to_string(rows_.size()))
                    .with("table", postgres::to_string(rows.front().key.table))
                    .with("position", rows.front().position.to_string())
                    .with("code", rows.front().refusal.error.code())
                    .advise(std::string(kSettle) + "; dead_letters.open_max is how many may be"));
  }
  CNX_TRY(std::vector<int64_t> ids, record::write_dead_letters(session, options_.name, letters, soon()));
  cnx::reach("dead_letter_written");
  rows_.counters().made += ids.size();
  rows_.counters().open = open;
  const apply::RefusedRow* tripped = nullptr;
  for (size_t i = 0; i < rows.size(); ++i) {
    const record::NewDeadLetter& letter = letters[i];
    const record::HeldRow* before = rows_.find(letter.key);
    audit_.dead_letter(letter, before == nullptr ? 1 : before->attempts + 1);
    const bool copied = letter.position == change::Position();
    const std::string table = postgres::to_string(letter.key.table);
    telemetry::log_warning(
        "dead_letter",
        fmt::format("dead letter {}: a row of {}{} cannot be applied, and is passed: {}{}{}{}", ids[i], table,
                    copied ? ", copied," : " at " + letter.position.to_string(), letter.reason,
                    letter.code.empty() ? "" : " (" + letter.code + ")", letter.statement.empty() ? "" : " [" + letter.statement + "]",
                    letter.correlation_id.empty() ? "" : " [correlation_id=" + letter.correlation_id + "]"),
        {{"table", table},
         {"position", letter.position.to_string()},
         {"code", letter.code},
         {"correlation_id", letter.correlation_id}});
    breaker_.applied(rows[i].after);
    if (breaker_.failed(ids[i], letter.statement, letter.code)) tripped = &rows[i];
  }
  return tripped == nullptr ? Status() : trip(session, *tripped);
}

Result<size_t> DeadLetters::reach(postgres::Session& session, change::Position reached) {
  CNX_TRY(std::vector<record::HeldRow> applied, rows_.reach(session, reached));
  for (const record::HeldRow& letter : applied) audit_.letter_applied(letter);
  return applied.size();
}

Status DeadLetters::trip(postgres::Session& session, const apply::RefusedRow& row) {
  CNX_TRY(record::mark_stopped_line(session, breaker_.alike(), soon()));
  return fail(Error(ErrorKind::state, "the line is stopped: most rows fail the same way, so that no row is at fault")
                  .with("letters", std::to_string(breaker_.alike().size()))
                  .with("statement", row.refusal.statement)
                  .with("code", row.refusal.error.code())
                  .with("reason", reason_of(row.refusal.error))
                  .advise(kSettle));
}

}  // namespace cnx::pipeline
