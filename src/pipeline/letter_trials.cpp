#include "pipeline/letter_trials.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "pipeline/refetch.hpp"
#include "telemetry/log.hpp"

namespace cnx::pipeline {
namespace {

constexpr Duration kReadMax = std::chrono::seconds(30);

}  // namespace

Status LetterTrials::load(postgres::Session& session, const apply::Source& source, change::Position reached) {
  CNX_TRY(letters_.load(session, source, reached));
  return conflicts_.rows().load(session, reached);
}

Status LetterTrials::forget(postgres::Session& session, const TablePlan& plan) {
  CNX_TRY(letters_.rows().forget(session, plan));
  return conflicts_.rows().forget(session, plan);
}

std::vector<apply::DeadKey> LetterTrials::keys(bool tries) const {
  std::vector<apply::DeadKey> keys = letters_.rows().keys(tries);
  for (apply::DeadKey& key : conflicts_.rows().keys(tries)) keys.push_back(std::move(key));
  return keys;
}

void LetterTrials::hear(const std::vector<apply::DeadNote>& notes) {
  letters_.rows().hear(notes);
  conflicts_.rows().hear(notes);
}

bool LetterTrials::endings_are_written() const {
  return letters_.rows().endings_are_written() && conflicts_.rows().endings_are_written();
}

Status LetterTrials::write_endings(postgres::Session& session) {
  for (HeldRows* rows : {&letters_.rows(), &conflicts_.rows()}) {
    if (!rows->endings_are_written()) CNX_TRY(rows->write_news(session, true));
  }
  return {};
}

Result<change::Lsn> LetterTrials::begin(postgres::Session& session, bolt::Connection& graph, const Ground& ground,
                                        const apply::LanePosition& at, const std::function<Status()>& wait_until_seen) {
  HeldRows& letters = letters_.rows();
  HeldRows& conflicts = conflicts_.rows();
  CNX_TRY(load(session, ground.position->source, at.position));
  change::Lsn until;
  wait_.reset();
  if (letters.counters().retrying + conflicts.counters().retrying == 0) return until;
  // All that was committed before somebody asked is to be in the graph first.
  for (const HeldRows* rows : {&letters, &conflicts}) {
    const std::optional<change::Lsn> next = rows->next_try(at.position.lsn);
    if (next && (!wait_ || *next < wait_->lsn)) wait_ = {*next, 0};
  }
  if (wait_) until = wait_->lsn;
  if (at.position.ordinal != 0 || at.partial) {
    wait_ = {at.position.lsn, at.position.ordinal + 1};
    return until;
  }
  std::vector<mapping::LackingRow> rows = letters.to_try(ground.catalog, at.position.lsn);
  const size_t chosen = rows.size();
  for (mapping::LackingRow& row : conflicts.to_try(ground.catalog, at.position.lsn)) rows.push_back(std::move(row));
  if (rows.empty()) return until;
  CNX_TRY(wait_until_seen());
  CNX_TRY(std::vector<apply::RefetchedRow> read,
          refetch(options_, ground.catalog, graph, rows, at.position, conflicts_, Clock::now() + kReadMax));
  if (chosen > 0) {
    telemetry::log_info("letters_tried", fmt::format("trying {} dead letters again, as their rows are now", chosen), {{"rows", chosen}});
  }
  if (rows.size() > chosen) {
    telemetry::log_info("conflicts_resolving",
                        fmt::format("PostgreSQL's rows are taken for {} conflicts, as they are now", rows.size() - chosen),
                        {{"rows", rows.size() - chosen}});
  }
  for (const apply::RefetchedRow& row : read) until = std::max(until, row.until);
  refetches_.add(std::move(read));
  letters.trying(at.position);
  conflicts.trying(at.position);
  return until;
}

// What was tried is in the graph, what has ended is closed.
Result<bool> LetterTrials::reach(postgres::Session& session, change::Position reached) {
  CNX_TRY(size_t letters, letters_.reach(session, reached));
  if (letters > 0) {
    telemetry::log_info("letters_applied", fmt::format("{} dead letters were tried again, and are applied", letters), {{"letters", letters}});
  }
  CNX_TRY(std::vector<record::HeldRow> resolved, conflicts_.rows().reach(session, reached));
  const size_t conflicts = resolved.size();
  if (conflicts > 0) {
    telemetry::log_info("conflicts_resolved", fmt::format("{} conflicts are resolved: PostgreSQL's rows are in the graph", conflicts),
                        {{"conflicts", conflicts}});
  }
  return (letters > 0 && letters_.rows().has_more(reached.lsn)) || (conflicts > 0 && conflicts_.rows().has_more(reached.lsn));
}

Result<bool> LetterTrials::end(postgres::Session& session, change::Position reached) {
  CNX_TRY(letters_.rows().write_news(session, true));
  CNX_TRY(conflicts_.rows().write_news(session, true));
  return reach(session, reached);
}

Result<bool> LetterTrials::watch(postgres::Session& session, change::Position reached) {
  CNX_TRY(bool too_much, letters_.rows().write_news(session, false));
  // Of a conflict nothing more is held than a count: its row is read when it is resolved.
  CNX_TRY(conflicts_.rows().write_news(session, false));
  conflicts_.show();
  CNX_TRY(bool more, reach(session, reached));
  const bool due = wait_ && reached.ordinal == 0 && reached >= *wait_;
  return more || too_much || due;
}

}  // namespace cnx::pipeline
