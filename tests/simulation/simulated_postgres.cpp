#include "simulated_postgres.hpp"

namespace cnx::simulation {
namespace {

using Kind = SourceChange::Kind;

constexpr uint32_t kFirstXid = 700;
// Of the last transactions in the log so many may not be visible yet.
constexpr size_t kInvisibleMost = 6;
constexpr const char* kDatabase = "knowledge";

std::string lock_of(Table table, const std::optional<std::string>& key) {
  return std::to_string(static_cast<size_t>(table)) + "/" + key.value_or("");
}

}  // namespace

SimulatedPostgres::SimulatedPostgres(Random& random, References references)
    : random_(random),
      references_(references),
      catalog_(catalog(references)),
      skips_empty_(once_in(random, 2)),
      full_identity_(once_in(random, 4)),
      workload_(references) {
  slot_.name = "contextnexus";
  slot_.plugin = "pgoutput";
  slot_.database = kDatabase;
  slot_.wal_status = "reserved";
  slot_.confirmed_flush = wal_end_;
  record_.graph_identity = "graph";
}

void SimulatedPostgres::commit(size_t commands, bool close, bool poison) {
  write(workload_.transaction(random_, commands, poison), close);
}

void SimulatedPostgres::commit_own(bool close) {
  std::vector<SourceChange> changes;
  for (const auto& [key, row] : rows_of(rows_, Table::parents)) {
    changes.push_back({.kind = Kind::own_update, .table = Table::parents, .old_row = row, .row = row});
  }
  if (!changes.empty()) write(std::move(changes), close);
}

void SimulatedPostgres::write(std::vector<SourceChange> changes, bool close) {
  SourceTransaction transaction;
  for (const SourceChange& change : changes) apply_change(change, rows_);
  transaction.xid = kFirstXid + static_cast<uint32_t>(transactions_.size());
  transaction.has_filler = has_filler_;
  transaction.final_lsn = change::Lsn(wal_end_.value() + (close ? 0 : 40 + changes.size() * 8));
  transaction.end_lsn = change::Lsn(transaction.final_lsn.value() + 48);
  transaction.changes = std::move(changes);
  wal_end_ = transaction.end_lsn;
  transactions_.push_back(std::move(transaction));
}

void SimulatedPostgres::confirm(change::Lsn lsn) {
  slot_.confirmed_flush = std::max(*slot_.confirmed_flush, lsn);
  if (once_in(random_, 3)) on_disk_ = *slot_.confirmed_flush;
}

void SimulatedPostgres::crash() {
  break_off();
  stopping_ = false;
  slot_.confirmed_flush = on_disk_;
  refusals_ = static_cast<int>(random_() % 4);
}

change::Lsn SimulatedPostgres::make_slot() {
  std::vector<SourceChange> mended = workload_.mend();
  if (!mended.empty()) write(std::move(mended), false);
  letters_.clear();
  recreate_slot();
  record_.confirmed.reset();
  slot_made_after_ = transactions_.size();
  return wal_end_;
}

void SimulatedPostgres::recreate_slot() {
  break_off();
  slot_is_there_ = true;
  slot_.wal_status = "reserved";
  slot_.confirmed_flush = wal_end_;
  on_disk_ = wal_end_;
}

SimulatedPostgres::Image SimulatedPostgres::image() const {
  return {workload_, transactions_.size(), rows_, has_filler_, wal_end_, *slot_.confirmed_flush, record_, letters_};
}

void SimulatedPostgres::restore(const Image& image) {
  crash();
  workload_ = image.workload;
  transactions_.resize(image.transactions);
  rows_ = image.rows;
  has_filler_ = image.has_filler;
  wal_end_ = image.wal_end;
  slot_.confirmed_flush = image.confirmed;
  on_disk_ = image.confirmed;
  record_ = image.record;
  letters_ = image.letters;
  std::erase_if(visible_, [&](size_t transaction) { return transaction >= image.transactions; });
}

// What it holds locks on until it is visible, rows that its own refer to included; none: on all.
std::optional<std::set<std::string>> SimulatedPostgres::touched(const SourceTransaction& transaction) const {
  std::set<std::string> locks;
  for (const SourceChange& change : transaction.changes) {
    if (change.kind == Kind::truncate) return std::nullopt;
    if (change.kind == Kind::elsewhere) continue;
    for (const Row* row : {&change.old_row, &change.row}) {
      if (row->empty()) continue;
      std::string own;
      for (const std::string& part : key_of(change.table, *row)) own += part + ",";
      locks.insert(lock_of(change.table, own));
      if (change.table == Table::children || change.table == Table::likes) {
        const bool child = change.table == Table::children;
        locks.insert(lock_of(Table::parents, (*row)[child ? size_t(kParent) : size_t(kLiker)].value_or("") + ","));
        locks.insert(lock_of(Table::children, (*row)[child ? size_t(kElder) : size_t(kLiked)].value_or("") + ","));
      }
    }
  }
  return locks;
}

// One that is not visible yet still holds its rows' locks: no later one that is visible has touched them. A TRUNCATE waits for
// whoever reads the table, and is not seen half done: a table with one is copied anew instead.
SimulatedPostgres::Snapshot SimulatedPostgres::take_snapshot() {
  std::set<size_t> running;
  std::set<std::string> seen_locks;
  bool all_seen = false;
  for (size_t i = transactions_.size(); i > slot_made_after_ && i + kInvisibleMost > transactions_.size(); --i) {
    const auto locks = touched(transactions_[i - 1]);
    bool free = locks && !all_seen && !visible_.contains(i - 1);
    for (const std::string& lock : locks.value_or(std::set<std::string>())) free = free && !seen_locks.contains(lock);
    if (free && once_in(random_, 2)) {
      running.insert(i - 1);
    } else if (locks) {
      seen_locks.insert(locks->begin(), locks->end());
    } else {
      all_seen = true;
    }
  }
  Snapshot snapshot;
  std::string list;
  std::set<size_t> seen;
  for (size_t i = 0; i < transactions_.size(); ++i) {
    if (running.contains(i)) {
      list += (list.empty() ? "" : ",") + std::to_string(kFirstXid + i);
      continue;
    }
    seen.insert(i);
    for (const SourceChange& change : transactions_[i].changes) apply_change(change, snapshot.rows);
  }
  const size_t first = running.empty() ? transactions_.size() : *running.begin();
  snapshot.text = std::to_string(kFirstXid + first) + ":" + std::to_string(kFirstXid + transactions_.size()) + ":" + list;
  // A small transaction behind it has returned: a crash takes nothing back that was seen.
  write_elsewhere(56);
  snapshot.seen_until = wal_end_;
  visible_.insert(seen.begin(), seen.end());
  taken_[snapshot.text] = std::move(seen);
  return snapshot;
}

bool SimulatedPostgres::truncated_since_slot() const {
  for (size_t i = slot_made_after_; i < transactions_.size(); ++i) {
    for (const SourceChange& change : transactions_[i].changes) {
      if (change.kind == Kind::truncate) return true;
    }
  }
  return false;
}

capture::SourceFacts SimulatedPostgres::facts(const capture::HeldPosition& held) const {
  capture::SourceFacts facts;
  facts.held = held;
  facts.graph_identity = record_.graph_identity;
  facts.record = record_;
  facts.system = {.system_identifier = system_identifier_, .timeline = 1, .wal_end = wal_end_, .database = kDatabase};
  if (slot_is_there_) facts.slot = slot_;
  return facts;
}

void SimulatedPostgres::write_letter(const Letter& letter) {
  for (const Letter& held : letters_) {
    if (!held.ended && held.key.values == letter.key.values && held.key.table == letter.key.table) return;
  }
  letters_.push_back(letter);
}

void SimulatedPostgres::end_letter(const mapping::RowKey& key, change::Position at) {
  for (Letter& held : letters_) {
    if (!held.ended && held.key.values == key.values && held.key.table == key.table) held.ended = at;
  }
}

}  // namespace cnx::simulation
