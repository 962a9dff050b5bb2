// A batch stage between a queue that the test fills and one that it empties. For tests only.
#pragma once

#include <gtest/gtest.h>

#include <optional>

#include "apply/batch_stage.hpp"
#include "apply/testing/counted_table.hpp"

namespace cnx::apply::testing {

inline LanePosition streaming(change::Lsn lsn, uint64_t ordinal = 0) {
  return {.position = {lsn, ordinal}, .phase = Phase::stream, .partial = ordinal > 0};
}

// One thread.
class BatchLine : public ::testing::Test {
 protected:
  // Whose batches are as large as they may be from the first one.
  void make(BatchOptions options, stream::QueueLimits batch_limits = {.items_max = 100}) {
    options.rows_first = options.rows_target;
    make_as_it_is(std::move(options), batch_limits);
  }
  void make_as_it_is(BatchOptions options, stream::QueueLimits batch_limits = {.items_max = 100}) {
    if (options.start == LanePosition{}) options.start = streaming(change::Lsn(500));
    events_.emplace(stream::QueueLimits{});
    batches_.emplace(batch_limits);
    stage_.emplace(*events_, *batches_, table_.model(), types_, options);
    end_ = options.start;
  }

  stream::Step settle() {
    for (int i = 0; i < 1000; ++i) {
      stream::Step step = stage_->step(TimePoint{});
      if (step.kind != stream::Step::Kind::progressed) return step;
    }
    ADD_FAILURE() << "it never comes to rest";
    return stream::Step::done();
  }

  void push(change::Event event) { ASSERT_TRUE(events_->try_push(std::move(event), 1)); }
  void begin(change::Lsn final_lsn) { push(change::Begin{final_lsn, change::Xid(7), 1000}); }
  void rows(change::Lsn final_lsn, uint64_t first, uint64_t last, const std::string& value = "1") {
    for (uint64_t i = first; i <= last; ++i) {
      push(table_.row({final_lsn, i}, static_cast<int64_t>(final_lsn.value() + i), value));
    }
  }
  // final_lsn, the end 48 bytes on, and so many rows.
  void transaction(change::Lsn final_lsn, uint64_t count, const std::string& value = "1") {
    begin(final_lsn);
    rows(final_lsn, 1, count, value);
    push(change::Commit{change::Lsn(final_lsn.value() + 48)});
  }
  // Keeps the lane busy: a batch waits in the queue. Takes it away again at the next take().
  void keep_lane_busy() {
    transaction(change::Lsn(900), 1);
    settle();
  }

  // The next batch; each begins where the one before it ended.
  Batch take() {
    std::optional<Batch> batch = batches_->try_pop();
    if (!batch) {
      ADD_FAILURE() << "no batch";
      return {};
    }
    EXPECT_EQ(batch->from, end_) << batch->from.position.to_string();
    EXPECT_LT(end_.position, batch->to.position);
    end_ = batch->to;
    return std::move(*batch);
  }
  static size_t upserts(const Batch& batch) {
    size_t count = 0;
    for (const mapping::NodeMutations& node : batch.mutations.nodes) count += node.upserts.size();
    return count;
  }

  CountedTable table_;
  postgres::TypeCatalog types_ = postgres::TypeCatalog::built_in();
  std::optional<stream::Queue<change::Event>> events_;
  std::optional<stream::Queue<Batch>> batches_;
  std::optional<BatchStage> stage_;
  LanePosition end_;
};

}  // namespace cnx::apply::testing
