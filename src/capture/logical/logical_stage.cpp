#include "capture/logical/logical_stage.hpp"

#include <utility>

#include "base/failpoint.hpp"

namespace cnx::capture {
namespace {

using stream::Step;

// Answering each keep-alive at once drew 66,000 in three seconds.
constexpr Duration kReplyInterval = std::chrono::milliseconds(100);
// A new confirmation is worth a message of its own so often.
constexpr Duration kConfirmInterval = std::chrono::seconds(1);
// A stopping server asks ten times a second, a running one never while our status flows.
constexpr size_t kStoppingRequests = 5;
constexpr Duration kStoppingWindow = std::chrono::seconds(1);
// A server that says nothing is asked, with each status, for a sign of life, which it gives at once. After so many of them
// without any the connection is of no use: as long as the server itself would wait for us.
constexpr int kSilentStatuses = 4;
// Messages between two looks at the clock.
constexpr int kMessagesAtOnce = 128;

// Where the event ends something that may be confirmed once it is in the graph; else 0/0. A transaction
// that was passed over moves no position, so that nobody may wait for its end.
change::Lsn whole_end(const change::Event& event) {
  if (const auto* commit = std::get_if<change::Commit>(&event)) {
    return commit->passed_over ? change::Lsn() : commit->end_lsn;
  }
  if (const auto* idle = std::get_if<change::Idle>(&event)) return idle->wal_end;
  return {};
}

}  // namespace

LogicalStage::LogicalStage(ReplicationPort& port, stream::Queue<change::Event>& events,
                           const stream::Acknowledgement& acknowledgement,
                           LogicalCounters& counters, LogicalOptions options,
                           std::function<void(const Error&, Duration)> on_retry)
    : port_(port),
      events_(events),
      acknowledgement_(acknowledgement),
      counters_(counters),
      options_(options),
      on_retry_(std::move(on_retry)),
      reader_(options.start, options.passes_over, options.copied, options.told),
      confirmed_(options.confirmed.value_or(options.start.ordinal == 0 ? options.start.lsn : change::Lsn())),
      backoff_(options.seed) {
  reader_.on_relation(options_.hears_of);
  reader_.holds(options_.last);
  if (options.hand_on_from) reader_.hand_on_from(*options.hand_on_from);
}

void LogicalStage::stop() {
  stopping_ = true;
}

Step LogicalStage::step(TimePoint now) {
  if (std::optional<Error> failure = events_.failure()) return Step::failed(*failure);
  if (stopping_ && !closed_) {
    held_.reset();
    events_.close();
    closed_ = true;
  }
  // Without a connection what was handed on is confirmed at the next start.
  if (closed_ && !connected_) return Step::done();
  return connected_ ? stream(now) : connect(now);
}

Step LogicalStage::connect(TimePoint now) {
  if (now < retry_at_) return Step::wait_until(retry_at_);
  Result<Opened> opened = port_.open(acknowledgement_.position(), now + options_.open_max);
  if (!opened) return lose(std::move(opened.error()), now);
  connected_ = true;
  counters_.connected = true;
  reader_.restart(opened->confirmed);
  status_interval_ = opened->status_interval;
  status_sent_ = now;
  heard_at_ = now;
  idle_since_ = now;
  reply_due_ = false;
  reply_requests_.clear();
  wal_end_ = {};
  in_step_sent_ = confirmed_;
  return Step::progressed();
}

Step LogicalStage::stream(TimePoint now) {
  if (Status sent = send_due_status(now); !sent) return lose(std::move(sent.error()), now);
  // Stopped, and all that was handed on whole is in the graph and confirmed.
  if (closed_ && confirmed_ >= handed_whole_ && !port_.wants_write()) {
    port_.close();
    counters_.connected = false;
    return Step::done();
  }
  if (!closed_) {
    if (held_ && push(std::move(*held_))) held_.reset();
    if (!held_) {
      Result<bool> progressed = read(now);
      if (!progressed) return lose(std::move(progressed.error()), now);
      if (*progressed) return Step::progressed();
    }
  }
  if (is_silent(now)) {
    return lose(Error(ErrorKind::timeout, "PostgreSQL gave no sign of life on the replication connection"), now);
  }
  TimePoint until = status_due();
  if (!closed_ && wal_end_ > reader_.whole())
    until = std::min(until, idle_since_ + options_.idle_advance_max);
  // Nothing is read while an event waits for room: only the socket's end would be of interest.
  return Step::wait_until(until).on(port_.descriptor(), !held_ && !closed_, port_.wants_write());
}

Result<bool> LogicalStage::read(TimePoint now) {
  bool progressed = false;
  for (int i = 0; i < kMessagesAtOnce && !held_; ++i) {
    CNX_TRY(std::optional<postgres::StreamMessage> message, port_.try_read());
    if (!message) break;
    progressed = true;
    heard_at_ = now;
    counters_.heard += 1;
    CNX_TRY(take(std::move(*message), now));
  }
  if (!held_ && hand_on_idle(now)) progressed = true;
  return progressed;
}

Result<bool> LogicalStage::take(postgres::StreamMessage&& message, TimePoint now) {
  if (auto* data = std::get_if<postgres::WalData>(&message)) {
    if (data->start.value() > counters_.wal_end) counters_.wal_end = data->start.value();
    counters_.received += 1;
    counters_.bytes += data->payload.size();
    CNX_TRY(std::optional<change::Event> event, reader_.read(std::move(*data)));
    backoff_.reset();
    if (!event) return true;
    if (std::holds_alternative<change::RowChange>(*event)) counters_.rows += 1;
    if (const auto* commit = std::get_if<change::Commit>(&*event)) {
      reach("transaction_read");
      counters_.transactions += commit->passed_over ? 0 : 1;
      // One of our own is as good as silence: only an idle advance moves the position past it.
      if (commit->passed_over) {
        wal_end_ = std::max(wal_end_, commit->end_lsn);
      } else {
        idle_since_ = now;
      }
    }
    if (!push(std::move(*event))) held_ = std::move(event);
    return true;
  }
  if (const auto* keep_alive = std::get_if<postgres::KeepAlive>(&message)) {
    CNX_TRY(reader_.hear_of(keep_alive->wal_end));
    take_keep_alive(*keep_alive, now);
    bool work_is_held =
        acknowledgement_.position().lsn < reader_.whole() || !reader_.between_transactions();
    if (reply_requests_.size() >= kStoppingRequests && work_is_held) {
      return fail(ErrorKind::unavailable,
                  "PostgreSQL is shutting down and waits for what Neo4j has not taken yet: leaving "
                  "it, to come back later");
    }
    return true;
  }
  return fail(ErrorKind::unavailable, "PostgreSQL ended the replication stream");
}

void LogicalStage::take_keep_alive(const postgres::KeepAlive& keep_alive, TimePoint now) {
  if (keep_alive.wal_end.value() > counters_.wal_end) {
    counters_.wal_end = keep_alive.wal_end.value();
    counters_.received += 1;
  }
  if (reader_.between_transactions() && keep_alive.wal_end > wal_end_)
    wal_end_ = keep_alive.wal_end;
  if (!keep_alive.reply_requested) return;
  reply_due_ = true;
  reply_requests_.push_back(now);
  while (reply_requests_.front() + kStoppingWindow < now) reply_requests_.pop_front();
}

// An idle slot moves: the position in the graph first, by an event that overtakes nothing;
// confirmed only afterwards.
bool LogicalStage::hand_on_idle(TimePoint now) {
  if (!reader_.between_transactions() || wal_end_ <= reader_.whole()) return false;
  bool wanted = reader_.whole() < options_.wanted;
  bool much = wal_end_.value() - reader_.whole().value() >= options_.idle_advance_bytes;
  bool long_ago = now >= idle_since_ + options_.idle_advance_max;
  if (!wanted && !much && !long_ago) return false;
  change::Event event = change::Idle{wal_end_};
  if (!push(std::move(event))) held_ = std::move(event);
  reader_.advance(wal_end_);
  reach("idle_handed_on");
  idle_since_ = now;
  return true;
}

// Up to here all is in the graph or no change of ours. It runs ahead of the position where only the
// write-back's own transactions, or none of ours, follow: those move the position by a lazy idle
// advance, and whoever asks whether the graph is in step need not wait for that.
change::Lsn LogicalStage::in_step() const {
  const bool nothing_open = !held_ && !closed_ && reader_.between_transactions();
  const change::Position handed{reader_.whole(), 0};
  if (!nothing_open || acknowledgement_.position() < handed) return confirmed_;
  return std::max({confirmed_, reader_.whole(), wal_end_});
}

bool LogicalStage::is_silent(TimePoint now) const {
  return !held_ && !closed_ && now - heard_at_ > kSilentStatuses * status_interval_;
}

TimePoint LogicalStage::status_due() const {
  TimePoint due = status_sent_ + status_interval_;
  if (reply_due_ || (closed_ && confirmed_ < handed_whole_))
    due = std::min(due, status_sent_ + kReplyInterval);
  if (acknowledgement_.confirmable(confirmed_) > confirmed_)
    due = std::min(due, status_sent_ + kConfirmInterval);
  if (in_step() > in_step_sent_) due = std::min(due, status_sent_ + kReplyInterval);
  // Asks the server how far it is, for who waits for an LSN in a quiet database.
  if (!closed_ && reader_.whole() < options_.wanted)
    due = std::min(due, status_sent_ + kReplyInterval);
  return due;
}

Status LogicalStage::send_due_status(TimePoint now) {
  if (port_.wants_write()) CNX_TRY(port_.flush());
  if (now < status_due()) return {};
  const change::Lsn before = std::exchange(confirmed_, acknowledgement_.confirmable(confirmed_));
  if (confirmed_ > before) reach("before_confirming");
  postgres::StatusUpdate update;
  in_step_sent_ = std::max(in_step_sent_, in_step());
  update.written = in_step_sent_;
  counters_.in_step = in_step_sent_.value();
  update.flushed = confirmed_;
  update.applied = confirmed_;
  // What waits to be read is none of the server's silence.
  if (held_ || closed_) heard_at_ = now;
  const bool quiet = now - heard_at_ >= status_interval_;
  update.reply_requested = !closed_ && (quiet || reader_.whole() < options_.wanted);
  CNX_TRY(port_.send_status(update));
  if (confirmed_ > before) reach("after_confirming");
  counters_.confirmed = confirmed_.value();
  status_sent_ = now;
  reply_due_ = false;
  return {};
}

// Takes the event only where it says true.
bool LogicalStage::push(change::Event&& event) {
  size_t bytes = change::weight(event);
  const change::Lsn end = whole_end(event);
  if (!events_.try_push(std::move(event), bytes)) return false;
  if (end > handed_whole_) {
    handed_whole_ = end;
    counters_.handed = end.value();
    reach("transaction_handed_on");
  }
  return true;
}

Step LogicalStage::lose(Error error, TimePoint now) {
  port_.close();
  connected_ = false;
  counters_.connected = false;
  if (!stream::is_retried(stream::retry_class(error))) {
    events_.fail(error);
    return Step::failed(std::move(error));
  }
  Duration wait = backoff_.next();
  retry_at_ = now + wait;
  counters_.reconnects += 1;
  if (on_retry_) on_retry_(error, wait);
  return Step::wait_until(retry_at_);
}

}  // namespace cnx::capture
