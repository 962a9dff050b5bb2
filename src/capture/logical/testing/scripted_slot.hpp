// A replication port that says what a test tells it to, fails where the test wants it to, and keeps
// what was said to it. For tests only.
#pragma once

#include <deque>
#include <vector>

#include "capture/logical/replication_port.hpp"
#include "capture/logical/testing/pgoutput_writer.hpp"

namespace cnx::capture {
namespace testing {

// One thread.
class ScriptedSlot final : public ReplicationPort {
 public:
  static constexpr int kDescriptor = 77;

  struct SentStatus {
    postgres::StatusUpdate update;
    TimePoint at;
  };

  // What the server has to say, in order. It stays until it is read.
  void say(Bytes message) { said_.emplace_back(wal_data(message)); }
  void keep_alive(change::Lsn wal_end, bool reply_requested = false) {
    said_.emplace_back(postgres::KeepAlive{.wal_end = wal_end, .reply_requested = reply_requested});
  }
  void end() { said_.emplace_back(postgres::StreamEnd{}); }
  // What was not read is forgotten, as with a connection.
  void forget() { said_.clear(); }

  // The call of that number (from 0 on) fails, once, with this error.
  void fail_at(size_t call, Error error) {
    failing_call_ = call;
    failure_ = std::move(error);
  }
  void fail_next(Error error) { fail_at(calls_, std::move(error)); }

  TimePoint now{};  // Set by whoever steps the stage.
  Duration status_interval = std::chrono::seconds(15);
  std::vector<SentStatus> statuses;
  std::vector<change::Position> opened;  // With what was held, each time.
  bool connected = false;

  Result<Opened> open(change::Position held, TimePoint) override {
    opened.push_back(held);
    CNX_TRY(call());
    connected = true;
    return Opened{.status_interval = status_interval};
  }
  Result<std::optional<postgres::StreamMessage>> try_read() override {
    CNX_TRY(call());
    if (said_.empty()) return std::optional<postgres::StreamMessage>();
    auto message = std::make_optional(std::move(said_.front()));
    said_.pop_front();
    return message;
  }
  Status send_status(const postgres::StatusUpdate& update) override {
    CNX_TRY(call());
    statuses.push_back({update, now});
    return {};
  }
  Status flush() override { return call(); }
  int descriptor() const override { return kDescriptor; }
  bool wants_write() const override { return false; }
  void close() override { connected = false; }

  size_t calls() const { return calls_; }
  bool all_read() const { return said_.empty(); }

 private:
  Status call() {
    if (calls_++ != failing_call_) return {};
    return fail(*failure_);
  }

  std::deque<postgres::StreamMessage> said_;
  size_t calls_ = 0;
  size_t failing_call_ = SIZE_MAX;
  std::optional<Error> failure_;
};

}  // namespace testing
}  // namespace cnx::capture
