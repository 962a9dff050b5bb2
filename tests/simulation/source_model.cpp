#include "source_model.hpp"

namespace cnx::simulation {

using Kind = SimulatedChange::Kind;

namespace {

constexpr int64_t kKeys = 8;

// The key at or after a random one that is (or is not) there; -1: none.
int64_t pick_key(Random& random, const Rows& rows, bool there) {
  const int64_t first = static_cast<int64_t>(random() % kKeys);
  for (int64_t i = 0; i < kKeys; ++i) {
    const int64_t key = (first + i) % kKeys;
    if (rows.contains(key) == there) return key;
  }
  return -1;
}

}  // namespace

void apply_change(const SimulatedChange& change, Rows& rows, std::vector<int64_t>& effects) {
  switch (change.kind) {
    case Kind::insert:
    case Kind::update:
      rows[change.key] = change.value;
      break;
    case Kind::move:
      rows.erase(change.key);
      rows[change.new_key] = change.value;
      break;
    case Kind::remove:
      rows.erase(change.key);
      return;
    case Kind::truncate:
      rows.clear();
      return;
    case Kind::elsewhere:
      return;
  }
  effects.push_back(change.value);
}

SimulatedChange random_change(Random& random, const Rows& rows, int64_t value) {
  const int64_t there = pick_key(random, rows, true);
  const int64_t absent = pick_key(random, rows, false);
  const uint64_t choice = random() % 100;
  if (choice < 5) return {.kind = Kind::elsewhere};
  if (choice < 7) return {.kind = Kind::truncate};
  if (choice < 20 && there >= 0) return {.kind = Kind::remove, .key = there};
  if (choice < 30 && there >= 0 && absent >= 0) {
    return {.kind = Kind::move, .key = there, .new_key = absent, .value = value};
  }
  if (absent >= 0 && (there < 0 || choice < 60)) {
    return {.kind = Kind::insert, .key = absent, .value = value};
  }
  return {.kind = Kind::update, .key = there, .value = value};
}

void Expectation::start(change::Lsn consistent_point, Rows rows, size_t transactions) {
  position_ = {consistent_point, 0};
  rows_ = std::move(rows);
  effects_.clear();
  next_ = transactions;
  applied_ = 0;
}

bool Expectation::advance(const std::vector<SimulatedTransaction>& transactions,
                          change::Position position) {
  if (position < position_) return false;
  position_ = position;
  for (; next_ < transactions.size(); ++next_) {
    const SimulatedTransaction& transaction = transactions[next_];
    if (transaction.final_lsn > position.lsn) return true;
    const bool whole = transaction.final_lsn < position.lsn;
    if (whole && transaction.end_lsn > position.lsn) return false;
    const size_t until = whole ? transaction.changes.size() : position.ordinal;
    if (until > transaction.changes.size()) return false;
    for (; applied_ < until; ++applied_) {
      apply_change(transaction.changes[applied_], rows_, effects_);
    }
    if (!whole) return true;
    applied_ = 0;
  }
  return position.ordinal == 0;
}

}  // namespace cnx::simulation
