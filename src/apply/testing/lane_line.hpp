// A lane stage before a scripted graph, with a queue that the test fills. For tests only.
#pragma once

#include <gtest/gtest.h>

#include <optional>

#include "apply/lane_stage.hpp"
#include "apply/testing/scripted_graph.hpp"

namespace cnx::apply::testing {

inline constexpr int64_t kEpoch = 4;

inline LanePosition at(uint64_t lsn) {
  return {.position = {change::Lsn(lsn), 0}};
}

class LaneLine : public ::testing::Test {
 protected:
  LaneLine() { make(at(500)); }

  void make(LanePosition start) {
    graph_ = ScriptedGraph();
    graph_.stored = {start, kEpoch};
    batches_.emplace(stream::QueueLimits{});
    acknowledgement_.emplace();
    if (start.phase == Phase::stream) acknowledgement_->advance(start.position);
    retries_ = 0;
    stage_.emplace(*batches_, graph_, *acknowledgement_, counters_,
                   LaneOptions{.start = graph_.stored}, [this](const Error&, Duration wait) {
                     ++retries_;
                     last_wait_ = wait;
                   });
    end_ = start;
  }

  void batch(LanePosition to, size_t rows = 1) {
    Batch batch;
    batch.from = end_;
    batch.to = to;
    batch.rows = rows;
    batch.transactions = 1;
    end_ = to;
    ASSERT_TRUE(batches_->try_push(std::move(batch), 1));
  }

  stream::Step step() {
    graph_.now = now_;
    return stage_->step(now_);
  }
  stream::Step settle() {
    for (int i = 0; i < 1000; ++i) {
      stream::Step step = this->step();
      if (step.kind != stream::Step::Kind::progressed) return step;
    }
    ADD_FAILURE() << "it never comes to rest";
    return stream::Step::done();
  }
  // Settles through every back-off.
  stream::Step settle_in_time() {
    for (int i = 0; i < 100; ++i) {
      stream::Step step = settle();
      if (step.kind != stream::Step::Kind::waiting || step.until == kNever) return step;
      now_ = step.until;
    }
    ADD_FAILURE() << "it never comes to rest";
    return stream::Step::done();
  }
  change::Lsn acknowledged() const { return acknowledgement_->position().lsn; }

  ScriptedGraph graph_;
  std::optional<stream::Queue<Batch>> batches_;
  std::optional<stream::Acknowledgement> acknowledgement_;
  LaneCounters counters_;
  std::optional<LaneStage> stage_;
  TimePoint now_ = TimePoint(std::chrono::hours(1));
  size_t retries_ = 0;
  Duration last_wait_{};
  LanePosition end_;
};

}  // namespace cnx::apply::testing
