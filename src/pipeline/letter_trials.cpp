#include "pipeline/letter_trials.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "pipeline/refetch.hpp"
#include "telemetry/log.hpp"

namespace cnx::pipeline {
namespace {

constexpr Duration kReadMax = std::chrono::seconds(30);

}  // namespace

Result<change::Lsn> LetterTrials::begin(postgres::Session& session, bolt::Connection& graph, const Ground& ground,
                                        const apply::LanePosition& at, const std::function<Status()>& wait_until_seen) {
  CNX_TRY(letters_.load(session, ground.position->source, at.position));
  change::Lsn until;
  wait_.reset();
  if (letters_.counters().retrying == 0) return until;
  // All that was committed before somebody asked is to be in the graph first.
  if (std::optional<change::Lsn> next = letters_.next_try(at.position.lsn)) wait_ = {*next, 0};
  if (wait_) until = wait_->lsn;
  if (at.position.ordinal != 0 || at.partial) {
    wait_ = {at.position.lsn, at.position.ordinal + 1};
    return until;
  }
  const std::vector<mapping::LackingRow> rows = letters_.to_try(ground.catalog, at.position.lsn);
  if (rows.empty()) return until;
  CNX_TRY(wait_until_seen());
  CNX_TRY(std::vector<apply::RefetchedRow> read,
          refetch(options_, ground.catalog, graph, rows, at.position, Clock::now() + kReadMax));
  telemetry::log_info("letters_tried", fmt::format("trying {} dead letters again, as their rows are now", read.size()),
                      {{"rows", read.size()}});
  for (const apply::RefetchedRow& row : read) until = std::max(until, row.until);
  refetches_.add(std::move(read));
  letters_.trying(at.position);
  return until;
}

Result<bool> LetterTrials::watch(postgres::Session& session, change::Position reached) {
  CNX_TRY(bool too_much, letters_.write_news(session, false));
  CNX_TRY(bool more, letters_.reach(session, reached));
  const bool due = wait_ && reached.ordinal == 0 && reached >= *wait_;
  return more || too_much || due;
}

}  // namespace cnx::pipeline
