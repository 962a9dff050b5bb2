#include "pipeline/dead_letters.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/failpoint.hpp"
#include "change/correlation.hpp"
#include "telemetry/log.hpp"

namespace cnx::pipeline {
namespace {

constexpr Duration kStepMax = std::chrono::seconds(30);
constexpr Duration kNewsInterval = std::chrono::seconds(1);

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
    : options_(options), audit_(audit), breaker_(options.dead_letters.breaker) {}

Status DeadLetters::load(postgres::Session& session, const apply::Source& source, change::Position reached) {
  source_ = source;
  tried_.clear();
  tried_at_.reset();
  CNX_TRY(write_news(session, true));
  CNX_TRY(record::supersede_ended(session, options_.name, reached, soon()));
  CNX_TRY(record::DeadLetterFigures figures, record::read_dead_letter_figures(session, options_.name, soon()));
  if (figures.stopped_line > 0) {
    return fail(Error(ErrorKind::state, "the line is stopped: most rows failed the same way, and that is still so of some")
                    .with("letters", std::to_string(figures.stopped_line))
                    .with("statement", figures.stopped_statement)
                    .with("code", figures.stopped_code)
                    .advise(kSettle));
  }
  CNX_TRY(letters_, record::read_open_letters(session, options_.name, soon()));
  show();
  return {};
}

void DeadLetters::show() const {
  uint64_t held = 0;
  uint64_t retrying = 0;
  for (const record::OpenLetter& letter : letters_) {
    held += letter.held_changes;
    retrying += letter.retrying ? 1 : 0;
  }
  counters_.retrying = retrying;
  counters_.open = letters_.size();
  counters_.held_changes = held;
}

Status DeadLetters::forget(postgres::Session& session, const TablePlan& plan) {
  std::vector<postgres::TableName> tables(plan.anew.begin(), plan.anew.end());
  for (const apply::TableState& state : plan.left) tables.push_back(state.name);
  return record::supersede_tables(session, options_.name, tables, soon());
}

std::vector<apply::DeadKey> DeadLetters::keys(bool tries) const {
  std::vector<apply::DeadKey> keys;
  for (const record::OpenLetter& letter : letters_) {
    const bool tried = tries && std::find(tried_.begin(), tried_.end(), letter.id) != tried_.end();
    if (!tried) keys.push_back({letter.key, letter.position, letter.lasting});
  }
  return keys;
}

std::vector<mapping::LackingRow> DeadLetters::to_try(const Catalog& catalog, change::Lsn at) {
  std::vector<mapping::LackingRow> rows;
  tried_.clear();
  for (const record::OpenLetter& letter : letters_) {
    const bool followed = find_table(catalog.tables, letter.key.table) != nullptr && !catalog.held.contains(letter.key.table);
    if (!letter.retrying || !followed || letter.retry_at > at) continue;
    rows.push_back({.row = letter.key, .node = nullptr, .node_key = {}});
    tried_.push_back(letter.id);
    if (rows.size() >= tried_at_once_) break;
  }
  return rows;
}

std::optional<change::Lsn> DeadLetters::next_try(change::Lsn at) const {
  std::optional<change::Lsn> next;
  for (const record::OpenLetter& letter : letters_) {
    if (letter.retrying && letter.retry_at > at && (!next || letter.retry_at < *next)) next = letter.retry_at;
  }
  return next;
}

Result<bool> DeadLetters::reach(postgres::Session& session, change::Position reached) {
  CNX_TRY(close_ended(session, reached));
  if (!tried_at_ || reached <= *tried_at_) return false;
  tried_at_.reset();
  CNX_TRY(record::mark_applied(session, tried_, soon()));
  telemetry::log_info("letters_applied", fmt::format("{} dead letters were tried again, and are applied", tried_.size()),
                      {{"letters", tried_.size()}});
  std::erase_if(letters_, [&](const record::OpenLetter& letter) {
    const bool applied = std::find(tried_.begin(), tried_.end(), letter.id) != tried_.end();
    if (applied) audit_.letter_applied(letter);
    return applied;
  });
  show();
  return std::any_of(letters_.begin(), letters_.end(),
                     [&](const record::OpenLetter& letter) { return letter.retrying && letter.retry_at <= reached.lsn; });
}

Status DeadLetters::close_ended(postgres::Session& session, change::Position reached) {
  const size_t before = letters_.size();
  std::erase_if(letters_, [&](const record::OpenLetter& letter) { return letter.ended && *letter.ended <= reached; });
  if (letters_.size() == before) return {};
  show();
  return record::supersede_ended(session, options_.name, reached, soon());
}

record::OpenLetter* DeadLetters::find(const mapping::RowKey& key) {
  auto found = std::find_if(letters_.begin(), letters_.end(), [&](const record::OpenLetter& letter) {
    return letter.key.table == key.table && letter.key.columns == key.columns && letter.key.values == key.values;
  });
  return found == letters_.end() ? nullptr : &*found;
}

void DeadLetters::hear(std::vector<apply::DeadNote>&& notes) {
  std::lock_guard lock(mutex_);
  heard_.insert(heard_.end(), std::make_move_iterator(notes.begin()), std::make_move_iterator(notes.end()));
}

Result<bool> DeadLetters::write_news(postgres::Session& session, bool last) {
  const TimePoint now = Clock::now();
  if (!last && now < written_at_ + kNewsInterval) return false;
  written_at_ = now;
  std::vector<apply::DeadNote> heard;
  {
    std::lock_guard lock(mutex_);
    heard.swap(heard_);
  }
  if (heard.empty()) return false;
  std::map<int64_t, News> news;
  for (const apply::DeadNote& note : heard) {
    record::OpenLetter* letter = find(note.key);
    // What comes again was counted before.
    if (letter == nullptr || (!note.ended && note.position <= letter->held_until)) continue;
    News& each = news[letter->id];
    if (note.ended) {
      each.ended = letter->ended = note.position;
    } else {
      ++each.held;
      ++letter->held_changes;
      letter->held_until = note.position;
    }
    each.held_until = letter->held_until;
  }
  std::vector<record::LetterNews> written;
  for (const auto& [id, each] : news) written.push_back({id, each.held, each.held_until, each.ended});
  CNX_TRY(record::add_news(session, written, soon()));
  show();
  return std::any_of(letters_.begin(), letters_.end(), [&](const record::OpenLetter& letter) {
    return !letter.retrying && letter.held_changes > options_.dead_letters.held_changes_max && news.contains(letter.id);
  });
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
  CNX_TRY(write_news(session, true));
  size_t open = letters_.size();
  std::vector<record::NewDeadLetter> letters;
  for (const apply::RefusedRow& row : rows) {
    open += find(row.key) == nullptr ? 1 : 0;
    letters.push_back(letter_of(row));
  }
  if (open > options_.dead_letters.open_max) {
    return fail(Error(ErrorKind::state, "there are as many dead letters as may be open, and a row more cannot be applied")
                    .with("open", std::to_string(letters_.size()))
                    .with("table", postgres::to_string(rows.front().key.table))
                    .with("position", rows.front().position.to_string())
                    .with("code", rows.front().refusal.error.code())
                    .advise(std::string(kSettle) + "; dead_letters.open_max is how many may be"));
  }
  CNX_TRY(std::vector<int64_t> ids, record::write_dead_letters(session, options_.name, letters, soon()));
  cnx::reach("dead_letter_written");
  counters_.made += ids.size();
  counters_.open = open;
  const apply::RefusedRow* tripped = nullptr;
  for (size_t i = 0; i < rows.size(); ++i) {
    const record::NewDeadLetter& letter = letters[i];
    const record::OpenLetter* before = find(letter.key);
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
