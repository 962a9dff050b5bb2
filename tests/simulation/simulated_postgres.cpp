#include "simulated_postgres.hpp"

#include <gtest/gtest.h>

#include "capture/logical/testing/pgoutput_writer.hpp"

namespace cnx::simulation {
namespace {

namespace wire = capture::testing;

// A stopping server asks so often.
constexpr Duration kAskInterval = std::chrono::milliseconds(100);
// A running one at most so often: it waits for each answer.
constexpr Duration kAskIntervalRunning = std::chrono::milliseconds(400);
constexpr Duration kStatusInterval = std::chrono::seconds(15);
constexpr uint32_t kFirstXid = 700;
constexpr Duration kStatusMost = std::chrono::milliseconds(100);

Error lost() {
  return Error(ErrorKind::unavailable, "the simulated connection was lost");
}
Error refused(const char* code) {
  return Error(ErrorKind::server, code, "the simulated server refused");
}

std::string text(int64_t number) {
  return std::to_string(number);
}

}  // namespace

void SimulatedPostgres::commit(size_t changes, bool close) {
  SimulatedTransaction transaction;
  std::vector<int64_t> effects;
  for (size_t i = 0; i < changes; ++i) {
    transaction.changes.push_back(random_change(random_, rows_, ++last_value_));
    apply_change(transaction.changes.back(), rows_, effects);
  }
  transaction.xid = kFirstXid + static_cast<uint32_t>(transactions_.size());
  transaction.final_lsn = change::Lsn(wal_end_.value() + (close ? 0 : 40 + changes * 8));
  transaction.end_lsn = change::Lsn(transaction.final_lsn.value() + 48);
  wal_end_ = transaction.end_lsn;
  transactions_.push_back(std::move(transaction));
}

change::Lsn SimulatedPostgres::make_slot() {
  ++incarnation_;
  reader_ = nullptr;
  confirmed_ = wal_end_;
  on_disk_ = wal_end_;
  slot_made_after_ = transactions_.size();
  return wal_end_;
}

// One that is not visible yet still holds its rows' locks: no later one that is has touched them.
SimulatedPostgres::Snapshot SimulatedPostgres::take_snapshot() {
  using Kind = SimulatedChange::Kind;
  std::set<size_t> running;
  std::set<int64_t> touched;
  bool all_touched = false;
  for (size_t i = transactions_.size(); i > slot_made_after_ && i + 6 > transactions_.size(); --i) {
    std::set<int64_t> keys;
    bool truncates = false;
    for (const SimulatedChange& change : transactions_[i - 1].changes) {
      if (change.kind == Kind::elsewhere) continue;
      truncates = truncates || change.kind == Kind::truncate;
      keys.insert(change.key);
      if (change.kind == Kind::move) keys.insert(change.new_key);
    }
    bool free = !all_touched && !(truncates && !touched.empty());
    for (int64_t key : keys) free = free && !touched.contains(key);
    // A TRUNCATE waits for whoever reads the table, and is not seen half done: a table with one is copied anew instead.
    if (free && !truncates && once_in(random_, 2)) {
      running.insert(i - 1);
    } else {
      touched.insert(keys.begin(), keys.end());
      all_touched = all_touched || truncates;
    }
  }
  Snapshot snapshot;
  std::vector<int64_t> effects;
  std::string list;
  std::set<size_t> seen;
  for (size_t i = 0; i < transactions_.size(); ++i) {
    if (running.contains(i)) {
      list += (list.empty() ? "" : ",") + std::to_string(kFirstXid + i);
      continue;
    }
    seen.insert(i);
    for (const SimulatedChange& change : transactions_[i].changes) apply_change(change, snapshot.rows, effects);
  }
  const size_t first = running.empty() ? transactions_.size() : *running.begin();
  snapshot.text = std::to_string(kFirstXid + first) + ":" + std::to_string(kFirstXid + transactions_.size()) + ":" + list;
  snapshot.seen_until = wal_end_;
  taken_[snapshot.text] = std::move(seen);
  return snapshot;
}

bool SimulatedPostgres::truncated_since_slot() const {
  for (size_t i = slot_made_after_; i < transactions_.size(); ++i) {
    for (const SimulatedChange& change : transactions_[i].changes) {
      if (change.kind == SimulatedChange::Kind::truncate) return true;
    }
  }
  return false;
}

void SimulatedPostgres::confirm(change::Lsn lsn) {
  confirmed_ = std::max(confirmed_, lsn);
  if (once_in(random_, 3)) on_disk_ = confirmed_;
}

void SimulatedPostgres::crash() {
  ++incarnation_;
  reader_ = nullptr;
  stopping_ = false;
  confirmed_ = on_disk_;
  refusals_ = static_cast<int>(random_() % 4);
}

capture::HeldPosition SimulatedSlot::source() {
  return {.position = {},
          .system_identifier = "77",
          .timeline = 1,
          .database = "knowledge",
          .slot = "contextnexus"};
}

Result<capture::Opened> SimulatedSlot::open(change::Position held, TimePoint) {
  close();
  if (unlucky()) return fail(lost());
  if (postgres_.stopping_ && postgres_.reader_ == nullptr) postgres_.crash();  // It has stopped.
  if (postgres_.refusals_ > 0) {
    --postgres_.refusals_;
    return fail(refused("57P03"));
  }
  if (postgres_.reader_ != nullptr) return fail(refused("55006"));
  capture::HeldPosition source = SimulatedSlot::source();
  source.position = held;
  postgres::SlotState slot;
  slot.name = source.slot;
  slot.plugin = "pgoutput";
  slot.database = source.database;
  slot.confirmed_flush = postgres_.confirmed_;
  slot.wal_status = "reserved";
  CNX_TRY(capture::to_status(capture::judge_source({.held = source,
                                                    .system = {.system_identifier = 77,
                                                               .timeline = 1,
                                                               .wal_end = postgres_.wal_end_,
                                                               .database = source.database},
                                                    .slot = slot})));
  open_ = true;
  incarnation_ = postgres_.incarnation_;
  postgres_.reader_ = this;
  described_ = false;
  queued_.clear();
  told_ = {};
  answer_due_ = false;
  status_at_ = TimePoint::min();
  // The server starts at its own confirmed position, whatever the client holds.
  next_ = 0;
  while (next_ < postgres_.transactions_.size() &&
         postgres_.transactions_[next_].final_lsn < postgres_.confirmed_) {
    ++next_;
  }
  return capture::Opened{.status_interval = kStatusInterval};
}

void SimulatedSlot::close() {
  if (!open_) return;
  open_ = false;
  if (postgres_.reader_ != this) return;
  postgres_.reader_ = nullptr;
  // A server that has not noticed yet keeps the slot for a while.
  if (once_in(postgres_.random_, 4)) postgres_.refusals_ += 1;
}

bool SimulatedSlot::asks_again() const {
  return postgres_.stopping_ && postgres_.now >= asked_at_ + kAskInterval;
}

bool SimulatedSlot::readable() const {
  if (!open_) return false;
  return broken() || !queued_.empty() || next_ < postgres_.transactions_.size() ||
         told_ != postgres_.wal_end_ || answer_due_ || asks_again();
}

Result<std::optional<postgres::StreamMessage>> SimulatedSlot::try_read() {
  if (broken() || unlucky()) return fail(lost());
  return next_message();
}

std::optional<postgres::StreamMessage> SimulatedSlot::next_message() {
  std::optional<postgres::StreamMessage> message;
  if (asks_again()) {
    asked_at_ = postgres_.now;
    return keep_alive(true);
  }
  // Between any two messages.
  if (once_in(postgres_.random_, 15)) {
    const bool ask = !postgres_.stopping_ && postgres_.now >= asked_at_ + kAskIntervalRunning;
    if (ask) asked_at_ = postgres_.now;
    return keep_alive(ask);
  }
  while (queued_.empty() && next_ < postgres_.transactions_.size()) queue_transaction();
  if (!queued_.empty()) {
    message.emplace(wire::wal_data(queued_.front()));
    queued_.pop_front();
  } else if (answer_due_ || told_ != postgres_.wal_end_) {
    message.emplace(keep_alive(false));
  } else if (postgres_.stopping_ && postgres_.confirmed_ >= postgres_.wal_end_) {
    message.emplace(postgres::StreamEnd{});
  }
  return message;
}

// Says how far the server has read its log: never past a commit that it has not sent.
postgres::KeepAlive SimulatedSlot::keep_alive(bool reply_requested) {
  const auto& transactions = postgres_.transactions_;
  if (!queued_.empty()) {  // Inside the transaction before `next_`.
    told_ = transactions[next_ - 1].final_lsn;
  } else {
    told_ = next_ < transactions.size() ? transactions[next_].final_lsn : postgres_.wal_end_;
    answer_due_ = false;
  }
  return {.wal_end = told_, .reply_requested = reply_requested};
}

void SimulatedSlot::describe() {
  queued_.push_back(wire::relation(SimulatedPostgres::kTable, "counted", {"id", "value"}));
  queued_.push_back(wire::relation(SimulatedPostgres::kElsewhere, "elsewhere", {"id", "value"}));
  described_ = true;
}

void SimulatedSlot::queue_transaction() {
  const SimulatedTransaction& transaction = postgres_.transactions_[next_++];
  if (transaction.changes.empty() && postgres_.skips_empty_) return;
  queued_.push_back(wire::begin(transaction.final_lsn, transaction.xid));
  // The catalog may be told again at any time.
  if (!described_ || once_in(postgres_.random_, 20)) describe();
  for (const SimulatedChange& change : transaction.changes) queued_.push_back(bytes_of(change));
  queued_.push_back(wire::commit(transaction.final_lsn, transaction.end_lsn));
}

Bytes SimulatedSlot::bytes_of(const SimulatedChange& change) const {
  using Kind = SimulatedChange::Kind;
  constexpr uint32_t kTable = SimulatedPostgres::kTable;
  const std::string value = text(change.value);
  switch (change.kind) {
    case Kind::insert:
      return wire::insert(kTable, {text(change.key), value});
    case Kind::update:
      return wire::update(kTable, {text(change.key), value});
    case Kind::move:
      return wire::update(kTable, {text(change.new_key), value}, {text(change.key), {}});
    case Kind::remove:
      return wire::remove(kTable, {text(change.key), {}});
    case Kind::truncate:
      return wire::truncate({kTable});
    case Kind::elsewhere:
      break;
  }
  return wire::insert(SimulatedPostgres::kElsewhere, {"1", "1"});
}

Status SimulatedSlot::send_status(const postgres::StatusUpdate& update) {
  if (broken() || unlucky()) return fail(lost());
  EXPECT_TRUE(status_at_ == TimePoint::min() || postgres_.now >= status_at_ + kStatusMost)
      << "status is sent at most every 100 ms";
  status_at_ = postgres_.now;
  on_status_(update.flushed);
  if (unlucky()) return {};  // It was sent, and does not arrive.
  postgres_.confirm(update.flushed);
  answer_due_ = update.reply_requested;
  return {};
}

}  // namespace cnx::simulation
