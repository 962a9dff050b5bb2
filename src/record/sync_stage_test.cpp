#include "record/sync_stage.hpp"

#include <gmock/gmock.h>

#include <map>
#include <set>

namespace cnx::record {
namespace {

using stream::Step;

// Rows of two tables in memory: key → version; what is pending, locked, stale and in the graph. A key of the table `u` begins
// with u.
class SimulatedPort final : public SyncPort {
 public:
  Status open(TimePoint) override {
    ++opened;
    if (down) return fail(ErrorKind::unavailable, "down");
    return {};
  }
  void close() override {}
  size_t tables() const override { return 2; }
  std::string table_name(size_t table) const override { return table == 0 ? "t" : "u"; }
  std::optional<size_t> table_of(const AppliedRow& row) const override { return number(std::get<std::string>(row.key.front())); }
  Result<std::vector<AppliedRow>> write(size_t table, const std::vector<AppliedRow>& rows, TimePoint) override {
    if (refused == table) return fail(Error(ErrorKind::server, "42501", "permission denied"));
    std::vector<AppliedRow> skipped;
    for (const AppliedRow& row : rows) {
      const std::string& key = std::get<std::string>(row.key.front());
      if (locked.contains(key)) {
        if (pending.contains(key) || stale.contains(key)) skipped.push_back(row);
        continue;
      }
      if (pending.contains(key) && pending[key] == row.version) pending.erase(key);
      stale.erase(key);
    }
    return skipped;
  }
  Result<SweptPage> sweep(size_t table, Sought sought, const std::optional<SweepCursor>& after, TimePoint) override {
    SweptPage page;
    if (after) return page;
    ++sweeps;
    asked.push_back(sought);
    for (const auto& [key, version] : sought == Sought::stale ? stale : pending) {
      if (number(key) == table && graph[key] == version) page.rows.push_back({{"public", "t"}, {mapping::Key(key)}, version});
    }
    if (!page.rows.empty()) page.next = SweepCursor{};
    return page;
  }
  bool may_be_stale() const override { return filled; }
  Status forget_stale(TimePoint) override {
    filled = false;
    return {};
  }
  Status record(const SyncLedger& figures, TimePoint) override {
    recorded.push_back(figures);
    return {};
  }

  std::map<std::string, int64_t> pending;
  std::map<std::string, int64_t> stale;
  std::map<std::string, int64_t> graph;
  std::set<std::string> locked;
  std::vector<SyncLedger> recorded;
  std::vector<Sought> asked;      // By each sweep.
  std::optional<size_t> refused;  // The table whose writes are.
  bool filled = false;
  bool down = false;
  int opened = 0;
  int sweeps = 0;

 private:
  static size_t number(const std::string& key) { return key.starts_with("u") ? 1 : 0; }
};

AppliedRow row(const std::string& key, int64_t version) { return {{"public", "t"}, {mapping::Key(key)}, version}; }

class SyncStageTest : public ::testing::Test {
 protected:
  // Steps until the stage waits or ends, at the same moment.
  Step settle() { return settle(stage); }
  Step settle(SyncStage& other) {
    for (int i = 0; i < 1000; ++i) {
      Step step = other.step(now);
      if (step.kind != Step::Kind::progressed) return step;
    }
    return Step::failed(Error(ErrorKind::internal, "it does not come to rest"));
  }

  SyncQueue queue{3};
  SimulatedPort port;
  SyncCounters counters;
  std::vector<std::string> told;
  SyncStage stage{queue, port, counters, {.linger = Duration::zero()}, [this](const std::string& table, const Error* error) {
                    told.push_back(table + (error != nullptr ? ": " + error->message() : " is well"));
                  }};
  TimePoint now{std::chrono::seconds(1)};
};

TEST_F(SyncStageTest, an_applied_row_is_marked) {
  settle();
  port.pending["a"] = 2;
  queue.push({row("a", 2)});
  EXPECT_EQ(settle().kind, Step::Kind::waiting);
  EXPECT_TRUE(port.pending.empty());
}

TEST_F(SyncStageTest, few_rows_wait_for_others) {
  SyncStage lingering(queue, port, counters, {.rows_at_once = 3}, {});
  settle(lingering);
  port.pending = {{"a", 2}, {"b", 1}};
  queue.push({row("a", 2)});
  const TimePoint due = now + SyncOptions().linger;
  EXPECT_EQ(settle(lingering).until, due);
  now += std::chrono::milliseconds(1);
  queue.push({row("b", 1)});
  EXPECT_EQ(settle(lingering).until, due) << "from the first on";
  EXPECT_EQ(port.pending.size(), 2u);
  now = due;
  settle(lingering);
  EXPECT_TRUE(port.pending.empty());
}

TEST_F(SyncStageTest, many_rows_wait_for_none_nor_does_the_end) {
  SyncStage lingering(queue, port, counters, {.rows_at_once = 3}, {});
  settle(lingering);
  port.pending = {{"a", 1}, {"b", 1}, {"c", 1}, {"d", 1}};
  queue.push({row("a", 1), row("b", 1), row("c", 1)});
  settle(lingering);
  EXPECT_EQ(port.pending.size(), 1u);
  queue.push({row("d", 1)});
  lingering.stop();
  EXPECT_EQ(settle(lingering).kind, Step::Kind::done);
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

TEST_F(SyncStageTest, all_that_is_not_synced_is_looked_at_first_and_after_a_loss) {
  Step step = settle();
  EXPECT_EQ(port.asked, (std::vector{Sought::unsynced, Sought::unsynced})) << "of two tables";
  port.asked.clear();
  now = step.until;
  step = settle();
  EXPECT_EQ(port.asked, (std::vector{Sought::pending, Sought::pending}));
  port.asked.clear();
  queue.push({row("a", 1), row("b", 1), row("c", 1), row("d", 1)});
  step = settle();
  now = step.until;
  settle();
  EXPECT_EQ(port.asked, (std::vector{Sought::unsynced, Sought::unsynced}));
}

TEST_F(SyncStageTest, locked_rows_that_are_let_go_are_looked_for_among_all) {
  SyncStage small(queue, port, counters, {.linger = Duration::zero(), .locked_max = 0}, {});
  settle(small);
  port.asked.clear();
  port.pending["a"] = port.graph["a"] = 2;
  port.locked.insert("a");
  queue.push({row("a", 2)});
  settle(small);
  port.locked.clear();
  now += SyncOptions().sweep_interval;
  settle(small);
  EXPECT_EQ(port.asked.front(), Sought::unsynced);
  EXPECT_TRUE(port.pending.empty());
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

TEST_F(SyncStageTest, a_table_that_cannot_be_written_is_said_once_and_the_others_go_on) {
  port.refused = 0;
  for (const char* key : {"a", "u1"}) port.pending[key] = port.graph[key] = 1;
  queue.push({row("a", 1), row("u1", 1)});
  for (int i = 0; i < 20; ++i) {
    Step step = settle();
    ASSERT_EQ(step.kind, Step::Kind::waiting);
    ASSERT_GT(step.until, now);
    now = step.until;
  }
  EXPECT_EQ(port.pending, (std::map<std::string, int64_t>{{"a", 1}}));
  EXPECT_EQ(told, std::vector<std::string>{"t: permission denied"});
  EXPECT_EQ(port.opened, 1) << "an answer is no reason to connect anew";
  EXPECT_THAT(port.recorded.back().problem, ::testing::HasSubstr("t: permission denied"));
  queue.push({row("a", 1)});
  port.refused.reset();
  for (int i = 0; i < 3; ++i) now = settle().until;
  EXPECT_TRUE(port.pending.empty());
  EXPECT_EQ(told.back(), "t is well");
  EXPECT_EQ(port.recorded.back().problem, "");
}

TEST_F(SyncStageTest, a_connection_that_is_lost_is_said_once) {
  port.down = true;
  for (int i = 0; i < 10; ++i) now = settle().until;
  EXPECT_EQ(told, std::vector<std::string>{": down"});
  port.down = false;
  settle();
  EXPECT_EQ(told.back(), " is well");
}

TEST_F(SyncStageTest, rows_with_element_ids_of_an_older_graph_are_written_once_more) {
  port.filled = true;
  port.stale = port.graph = {{"a", 1}, {"u1", 1}};
  port.locked.insert("u1");
  Step step = settle();
  EXPECT_EQ(port.stale.size(), 1U);
  EXPECT_TRUE(port.filled) << "one of them was locked";
  port.locked.clear();
  for (int i = 0; i < 4 && port.filled; ++i) {
    now = step.until;
    step = settle();
  }
  EXPECT_TRUE(port.stale.empty());
  EXPECT_FALSE(port.filled);
}

TEST_F(SyncStageTest, what_it_did_is_recorded_now_and_then_and_at_the_end) {
  settle();
  for (int i = 0; i < 100; ++i) {
    port.pending["a"] = i;
    queue.push({row("a", i)});
    settle();
    now += std::chrono::milliseconds(10);
  }
  EXPECT_LE(port.recorded.size(), 2U);
  stage.stop();
  settle();
  uint64_t written = 0;
  for (const SyncLedger& figures : port.recorded) written += figures.written;
  EXPECT_EQ(written, 100U);
}

TEST_F(SyncStageTest, at_rest_it_does_nothing_until_the_next_sweep) {
  settle();
  const int sweeps = port.sweeps;
  Step step = settle();
  EXPECT_EQ(port.sweeps, sweeps);
  EXPECT_EQ(step.until, now + SyncOptions().sweep_interval);
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
