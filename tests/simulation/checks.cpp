#include "checks.hpp"

#include <algorithm>

namespace cnx::simulation {
namespace {

// An event that is heavier than the whole budget is admitted alone.
constexpr size_t kHeaviestEvent = 2'000;

bool is_stub(const std::string& line) {
  return line.find("_cnx_stub") != std::string::npos;
}
bool is_relationship(const std::string& line) {
  return line.find(")-[") != std::string::npos;
}

std::vector<std::string> difference(const std::vector<std::string>& a, const std::vector<std::string>& b) {
  std::vector<std::string> only;
  std::set_difference(a.begin(), a.end(), b.begin(), b.end(), std::back_inserter(only));
  return only;
}

std::string text(const char* head, const std::vector<std::string>& lines) {
  std::string all = lines.empty() ? "" : "\n  " + std::string(head);
  for (const std::string& line : lines) all += "\n    " + line;
  return all;
}

}  // namespace

void Checks::violate(const char* invariant, std::string what) {
  if (!violation_) violation_ = Violation{invariant, std::move(what)};
}

void Checks::start(change::Lsn consistent_point) {
  reference_.start(consistent_point, postgres_.rows(), postgres_.transactions().size());
  looked_at_ = UINT64_MAX;
}

void Checks::begin_gap() {
  gap_ = graph_.commits();
}

void Checks::set_back(const Mark& mark) {
  reference_ = mark.reference;
  compared_ = mark.compared;
  shown_by_copy_ = mark.shown_by_copy;
  copies_ = mark.copies;
  later_until_ = mark.later_until;
  looked_at_ = UINT64_MAX;
}

void Checks::look() {
  if (violation_) return;
  if (!graph_.broken().empty()) return violate("I4", "the graph got what no graph can do: " + graph_.broken());
  if (gap_) {
    if (graph_.commits() != *gap_) violate("I9", "the graph moved though the two sides do not fit together" + at());
    return;
  }
  const apply::LanePosition& lane = graph_.stored().lane;
  if (lane.phase != apply::Phase::stream) return;
  if (postgres_.confirmed() > lane.position.lsn) {
    return violate("I1", "confirmed is " + postgres_.confirmed().to_string() + ", and the graph is" + at());
  }
  if (graph_.commits() == looked_at_) return;
  looked_at_ = graph_.commits();
  look_at_position();
}

void Checks::look_at_position() {
  const apply::LanePosition& lane = graph_.stored().lane;
  const bool in_pieces = lane.position.ordinal > 0;
  // What a removal in pieces has taken out already shows until it is over, also where batches are cut elsewhere meanwhile.
  if (lane.partial && lane.partial_until > lane.position.lsn) read_again_until(lane.partial_until);
  if (lane.partial && lane.partial_until == lane.position.lsn) read_again_until(change::Lsn(lane.partial_until.value() + 1));
  if (in_pieces && !lane.partial) return violate("I3", "half a transaction, and the position does not say so" + at());
  if (!reference_.advance(postgres_.transactions(), lane.position)) return violate("I3", "no place for a position" + at());
  if (copies_ != graph_.copies()) {
    copies_ = graph_.copies();
    compared_ = 0;
    shown_by_copy_.reset();
  }
  // Not yet consistent: copied rows show what the position has not reached.
  if (lane.position < change::Position{std::max(graph_.consistent_from(), later_until_), 0}) return;
  compare_letters();
  compare_effects();
  // A removal in pieces is under way.
  if (lane.partial && !in_pieces) return;
  if (lane.partial && lane.partial_until != change::Lsn()) return;
  compare_graph(!in_pieces);
}

// Between the pieces of a transaction rows are as they were behind its last one; what hangs on a key that changes may be on its way.
void Checks::compare_graph(bool whole) {
  std::vector<std::string> found = graph_.lines();
  if (!whole) std::erase_if(found, [](const std::string& line) { return is_stub(line) || is_relationship(line); });
  const std::vector<std::string> wanted = whole ? reference_.lines() : reference_.node_lines();
  if (found == wanted || violation_) return;
  const std::vector<std::string> lacks = difference(wanted, found), surplus = difference(found, wanted);
  auto speaks_of_rows = [](const std::string& line) { return !is_stub(line) && !is_relationship(line); };
  const char* invariant = std::any_of(surplus.begin(), surplus.end(), speaks_of_rows) ? "I4"
                          : std::any_of(lacks.begin(), lacks.end(), speaks_of_rows)   ? "I6"
                                                                                     : "I5";
  violate(invariant, "the graph is not what the source was" + at() + text("it lacks", lacks) + text("it has", surplus));
}

void Checks::compare_effects() {
  const std::vector<int64_t>& seen = graph_.content().effects;
  const std::vector<int64_t>& wanted = reference_.effects();
  // Effects that the copied rows showed before were not applied again.
  if (!shown_by_copy_) {
    shown_by_copy_ = effects_shown_by_copy();
    if (*shown_by_copy_ > 0) compared_ = seen.size();
  }
  const size_t shown = *shown_by_copy_;
  for (; compared_ < seen.size() && compared_ + shown < wanted.size(); ++compared_) {
    if (seen[compared_] == wanted[compared_ + shown]) continue;
    const int64_t value = seen[compared_];
    const bool again = std::find(seen.begin(), seen.begin() + static_cast<long>(compared_), value) != seen.begin() + static_cast<long>(compared_);
    const bool lost = std::find(seen.begin(), seen.end(), wanted[compared_ + shown]) == seen.end();
    return violate(again ? "I2" : lost ? "I6" : "I4",
                   "change " + std::to_string(value) + " took effect where it was the turn of " +
                       std::to_string(wanted[compared_ + shown]) + at());
  }
  if (seen.size() + shown == wanted.size()) return;
  violate(seen.size() + shown > wanted.size() ? "I2" : "I6",
          std::to_string(seen.size()) + " changes took effect and " + std::to_string(shown) + " were copied, of " +
              std::to_string(wanted.size()) + at());
}

// Of the changes behind the slot, those that the row's segment showed as it was copied.
size_t Checks::effects_shown_by_copy() const {
  using Kind = SourceChange::Kind;
  const auto& transactions = postgres_.transactions();
  size_t shown = 0;
  for (size_t i = postgres_.slot_made_after(); i < transactions.size(); ++i) {
    for (const SourceChange& done : transactions[i].changes) {
      if (done.table != Table::counted || (done.kind != Kind::insert && done.kind != Kind::update)) continue;
      for (const change::Segment& segment : graph_.content().segments) {
        if (segment.table != "counted" || segment.snapshot.empty()) continue;
        if (*change::contains(segment, key_of(Table::counted, done.row))) shown += postgres_.saw(segment.snapshot, i) ? 1 : 0;
      }
    }
  }
  return shown;
}

// What no graph takes is a dead letter by the time that the position has passed it, and nothing else is one.
void Checks::compare_letters() {
  const change::Position position = graph_.stored().lane.position;
  for (const NeededLetter& needed : reference_.letters()) {
    const auto& letters = postgres_.letters();
    const bool written = std::any_of(letters.begin(), letters.end(), [&](const Letter& letter) {
      return letter.key.values == needed.key && letter.since == needed.position;
    });
    if (!written) return violate("I6", "a row was passed without a dead letter: " + needed.key[0] + ", " + needed.position.to_string());
  }
  for (const Letter& letter : postgres_.letters()) {
    const auto& all = reference_.letters();
    const bool needed = std::any_of(all.begin(), all.end(), [&](const NeededLetter& each) {
      return letter.key.values == each.key && letter.since == each.position;
    });
    if (!needed && letter.since <= position) {
      return violate("I6", "a row that could be applied is a dead letter: " + letter.key.values[0] + ", " + letter.since.to_string());
    }
  }
}

void Checks::hear(const postgres::StatusUpdate& update) {
  if (gap_) return;
  const apply::LanePosition& lane = graph_.stored().lane;
  if (lane.phase == apply::Phase::stream && update.flushed <= lane.position.lsn) return;
  violate("I1", "to be confirmed is " + update.flushed.to_string() + ", and the graph is" + at());
}

void Checks::weigh(size_t bytes, size_t bytes_max) {
  if (bytes > std::max(bytes_max, kHeaviestEvent)) {
    violate("I7", std::to_string(bytes) + " bytes wait, of " + std::to_string(bytes_max) + " at most");
  }
}

void Checks::at_rest() {
  Reference all = reference_;
  if (!all.advance(postgres_.transactions(), {postgres_.wal_end(), 0})) return violate("I8", "the position is beyond the log");
  if (graph_.lines() != all.lines()) violate("I8", "all is said to be in the graph, and it is not");
}

}  // namespace cnx::simulation
