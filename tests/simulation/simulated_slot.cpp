#include "simulated_slot.hpp"

#include "capture/logical/testing/pgoutput_writer.hpp"

namespace cnx::simulation {
namespace {

namespace wire = capture::testing;
using Kind = SourceChange::Kind;

// A stopping server asks so often.
constexpr Duration kAskInterval = std::chrono::milliseconds(100);
// A running one at most so often: it waits for each answer.
constexpr Duration kAskIntervalRunning = std::chrono::milliseconds(400);
constexpr Duration kStatusInterval = std::chrono::seconds(15);
constexpr Duration kStatusMost = std::chrono::milliseconds(100);
// Longer than a connection may be without a sign of life.
constexpr Duration kSilenceMost = std::chrono::seconds(70);

Error lost() {
  return Error(ErrorKind::unavailable, "the simulated connection was lost");
}
Error refused(const char* code) {
  return Error(ErrorKind::server, code, "the simulated server refused");
}

}  // namespace

Result<capture::Opened> SimulatedSlot::open(change::Position held, TimePoint) {
  close();
  if (unlucky()) return fail(lost());
  if (postgres_.stopping_ && postgres_.reader_ == nullptr) postgres_.crash();  // It has stopped.
  if (postgres_.refusals_ > 0) {
    --postgres_.refusals_;
    return fail(refused("57P03"));
  }
  if (postgres_.reader_ != nullptr) return fail(refused("55006"));
  capture::HeldPosition source = options_.held;
  source.position = held;
  const bool asked = options_.planted != Planted::goes_on_over_a_gap;
  if (asked) CNX_TRY(capture::to_status(capture::judge_source(postgres_.facts(source))));
  open_ = true;
  incarnation_ = postgres_.incarnation_;
  postgres_.reader_ = this;
  described_.reset();
  queued_.clear();
  told_ = {};
  answer_due_ = false;
  status_at_ = TimePoint::min();
  // The server starts at its own confirmed position, whatever the client holds.
  next_ = 0;
  while (next_ < postgres_.transactions_.size() && postgres_.transactions_[next_].final_lsn < postgres_.confirmed()) ++next_;
  return capture::Opened{.status_interval = kStatusInterval, .confirmed = postgres_.confirmed()};
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
  if (broken()) return true;
  if (postgres_.now < silent_until_) return false;
  return !queued_.empty() || next_ < postgres_.transactions_.size() || told_ != postgres_.wal_end_ || answer_due_ || asks_again();
}

Result<std::optional<postgres::StreamMessage>> SimulatedSlot::try_read() {
  if (broken() || unlucky()) return fail(lost());
  if (options_.faults.strikes(postgres_.random_, options_.faults.pause)) {
    silent_until_ = postgres_.now + std::chrono::milliseconds(postgres_.random_() % (kSilenceMost / std::chrono::milliseconds(1)));
  }
  if (postgres_.now < silent_until_) return std::optional<postgres::StreamMessage>();
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
  } else if (postgres_.stopping_ && postgres_.confirmed() >= postgres_.wal_end_) {
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

void SimulatedSlot::describe(WireForm form) {
  for (Table table : kTables) queued_.push_back(relation_bytes(postgres_.catalog_[static_cast<size_t>(table)], table, form));
  queued_.push_back(elsewhere_relation_bytes());
  described_ = form.has_filler;
}

void SimulatedSlot::queue_transaction() {
  const SourceTransaction& transaction = postgres_.transactions_[next_++];
  if (transaction.changes.empty() && postgres_.skips_empty_) return;
  const WireForm form{.full = postgres_.full_identity_, .has_filler = transaction.has_filler};
  queued_.push_back(wire::begin(transaction.final_lsn, transaction.xid));
  if (transaction.is_own()) queued_.push_back(wire::origin(kOwnOrigin));
  // The catalog may be told again at any time, and is where it changed.
  if (described_ != form.has_filler || once_in(postgres_.random_, 20)) describe(form);
  std::vector<SourceChange> changes = transaction.changes;
  plant(changes);
  for (const SourceChange& change : changes) {
    queued_.push_back(change.kind == Kind::elsewhere ? elsewhere_bytes() : change_bytes(change, postgres_.catalog_, form));
  }
  queued_.push_back(wire::commit(transaction.final_lsn, transaction.end_lsn));
}

void SimulatedSlot::plant(std::vector<SourceChange>& changes) {
  if (changes.size() < 2 || !once_in(postgres_.random_, 4)) return;
  const size_t at = postgres_.random_() % (changes.size() - 1);
  if (options_.planted == Planted::loses_a_row) changes[at] = {.kind = Kind::elsewhere};
  if (options_.planted == Planted::swaps_two_rows) std::swap(changes[at], changes[at + 1]);
}

Status SimulatedSlot::send_status(const postgres::StatusUpdate& update) {
  if (broken() || unlucky()) return fail(lost());
  bothered_ = bothered_ || (status_at_ != TimePoint::min() && postgres_.now < status_at_ + kStatusMost);
  status_at_ = postgres_.now;
  postgres::StatusUpdate sent = update;
  if (options_.planted == Planted::confirms_what_it_read && next_ > 0) {
    sent.flushed = std::max(sent.flushed, postgres_.transactions_[next_ - 1].end_lsn);
  }
  options_.on_status(sent);
  if (unlucky()) return {};  // It was sent, and does not arrive.
  postgres_.confirm(sent.flushed);
  answer_due_ = sent.reply_requested;
  return {};
}

}  // namespace cnx::simulation
