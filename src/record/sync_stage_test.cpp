#include "record/sync_stage.hpp"

#include <gtest/gtest.h>

#include <map>
#include <set>

namespace cnx::record {
namespace {

using stream::Step;

// Rows in memory: key → version; what is pending, locked and in the graph.
class SimulatedPort final : public SyncPort {
 public:
  Status open(TimePoint) override {
    ++opened;
    if (down) return fail(ErrorKind::unavailable, "down");
    return {};
  }
  void close() override {}
  size_t tables() const override { return 1; }
  std::optional<size_t> table_of(const AppliedRow&) const override { return 0; }
  Result<std::vector<AppliedRow>> write(size_t, const std::vector<AppliedRow>& rows, TimePoint) override {
    std::vector<AppliedRow> skipped;
    for (const AppliedRow& row : rows) {
      const std::string& key = std::get<std::string>(row.key.front());
      if (!pending.contains(key) || pending[key] != row.version) continue;
      if (locked.contains(key)) {
        skipped.push_back(row);
      } else {
        pending.erase(key);
      }
    }
    return skipped;
  }
  Result<SweptPage> sweep(size_t, const std::optional<SweepCursor>&, TimePoint) override {
    SweptPage page;
    for (const auto& [key, version] : pending) {
      if (graph[key] == version) page.rows.push_back({{"public", "t"}, {mapping::Key(key)}, version});
    }
    return page;
  }

  std::map<std::string, int64_t> pending;
  std::map<std::string, int64_t> graph;
  std::set<std::string> locked;
  bool down = false;
  int opened = 0;
};

AppliedRow row(const std::string& key, int64_t version) { return {{"public", "t"}, {mapping::Key(key)}, version}; }

class SyncStageTest : public ::testing::Test {
 protected:
  // Steps until the stage waits or ends, at the same moment.
  Step settle() {
    for (int i = 0; i < 1000; ++i) {
      Step step = stage.step(now);
      if (step.kind != Step::Kind::progressed) return step;
    }
    return Step::failed(Error(ErrorKind::internal, "it does not come to rest"));
  }

  SyncQueue queue{3};
  SimulatedPort port;
  SyncCounters counters;
  SyncStage stage{queue, port, counters, {}, {}};
  TimePoint now{std::chrono::seconds(1)};
};

TEST_F(SyncStageTest, an_applied_row_is_marked) {
  settle();
  port.pending["a"] = 2;
  queue.push({row("a", 2)});
  EXPECT_EQ(settle().kind, Step::Kind::waiting);
  EXPECT_TRUE(port.pending.empty());
}

TEST_F(SyncStageTest, a_row_that_a_user_has_changed_since_stays_pending) {
  settle();
  port.pending["a"] = 3;
  queue.push({row("a", 2)});
  settle();
  EXPECT_EQ(port.pending.size(), 1U);
}

TEST_F(SyncStageTest, a_locked_row_is_done_in_a_later_round) {
  settle();
  port.pending["a"] = 2;
  port.locked.insert("a");
  queue.push({row("a", 2)});
  Step step = settle();
  EXPECT_EQ(port.pending.size(), 1U);
  port.locked.clear();
  now = step.until;
  settle();
  EXPECT_TRUE(port.pending.empty());
}

TEST_F(SyncStageTest, the_first_sweep_finds_what_a_crash_left) {
  port.pending = {{"applied", 1}, {"newer", 2}};
  port.graph = {{"applied", 1}, {"newer", 1}};
  settle();
  EXPECT_EQ(port.pending, (std::map<std::string, int64_t>{{"newer", 2}}));
}

TEST_F(SyncStageTest, a_full_queue_drops_to_the_sweep) {
  settle();
  for (const char* key : {"a", "b", "c", "d"}) port.pending[key] = port.graph[key] = 1;
  queue.push({row("a", 1), row("b", 1), row("c", 1), row("d", 1)});
  Step step = settle();
  EXPECT_EQ(port.pending.size(), 4U);
  now = step.until;
  settle();
  EXPECT_TRUE(port.pending.empty());
}

TEST_F(SyncStageTest, a_failure_is_waited_out_and_never_ends_the_stage) {
  port.down = true;
  port.pending["a"] = port.graph["a"] = 1;
  Step step = settle();
  EXPECT_EQ(step.kind, Step::Kind::waiting);
  port.down = false;
  now = step.until;
  settle();
  EXPECT_TRUE(port.pending.empty());
}

TEST_F(SyncStageTest, a_stop_writes_what_was_handed_over_and_ends) {
  settle();
  port.pending["a"] = 1;
  queue.push({row("a", 1)});
  stage.stop();
  EXPECT_EQ(settle().kind, Step::Kind::done);
  EXPECT_TRUE(port.pending.empty());
}

}  // namespace
}  // namespace cnx::record
