// A logical stage between a scripted slot and a queue that the test empties. For tests only.
#pragma once

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <vector>

#include "capture/logical/logical_stage.hpp"
#include "capture/logical/testing/scripted_slot.hpp"

namespace cnx::capture {
namespace testing {

inline constexpr uint32_t kTable = 4711;
inline constexpr change::Lsn kStart(500);

inline Error lost() {
  return Error(ErrorKind::unavailable, "the connection was cut");
}

// One thread.
class LogicalLine : public ::testing::Test {
 protected:
  void make(LogicalOptions options, stream::QueueLimits limits = {}) {
    if (options.start == change::Position{}) options.start = {kStart, 0};
    events_.emplace(limits);
    acknowledgement_.emplace();
    acknowledgement_->advance(options.start);
    stage_.emplace(slot_, *events_, *acknowledgement_, counters_, options,
                   [this](const Error& error, Duration wait) {
                     retries_.push_back(error.message());
                     last_wait_ = wait;
                   });
  }

  stream::Step step() {
    slot_.now = now_;
    return stage_->step(now_);
  }
  // stream::Steps until there is nothing more to do now.
  stream::Step settle() {
    for (int i = 0; i < 1000; ++i) {
      stream::Step step = this->step();
      if (step.kind != stream::Step::Kind::progressed) return step;
    }
    ADD_FAILURE() << "it never comes to rest";
    return stream::Step::done();
  }
  stream::Step after(Duration duration) {
    now_ += duration;
    return settle();
  }

  void say_transaction(change::Lsn final_lsn, change::Lsn end_lsn, int rows = 1) {
    slot_.say(begin(final_lsn));
    slot_.say(relation(kTable, "counted", {"id", "value"}));
    for (int i = 0; i < rows; ++i) slot_.say(insert(kTable, {std::to_string(i), "1"}));
    slot_.say(commit(final_lsn, end_lsn));
  }

  // What was handed on since the last call: B, I, C, or W for an idle advance.
  std::string handed() {
    std::string kinds;
    while (std::optional<change::Event> event = events_->try_pop()) {
      if (std::holds_alternative<change::Begin>(*event)) kinds += 'B';
      if (std::holds_alternative<change::RowChange>(*event)) kinds += 'I';
      if (std::holds_alternative<change::Commit>(*event)) kinds += 'C';
      if (const auto* idle = std::get_if<change::Idle>(&*event)) {
        kinds += 'W';
        idle_at_ = idle->wal_end;
      }
    }
    return kinds;
  }

  change::Lsn flushed() const {
    return slot_.statuses.empty() ? change::Lsn() : slot_.statuses.back().update.flushed;
  }

  change::Lsn written() const {
    return slot_.statuses.empty() ? change::Lsn() : slot_.statuses.back().update.written;
  }

  ScriptedSlot slot_;
  std::optional<stream::Queue<change::Event>> events_;
  std::optional<stream::Acknowledgement> acknowledgement_;
  LogicalCounters counters_;
  std::optional<LogicalStage> stage_;
  TimePoint now_ = TimePoint(std::chrono::hours(1));
  std::vector<std::string> retries_;
  Duration last_wait_{};
  change::Lsn idle_at_;
};

}  // namespace testing
}  // namespace cnx::capture
