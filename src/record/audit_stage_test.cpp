#include "record/audit_stage.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

namespace cnx::record {
namespace {

using stream::Step;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr int64_t kDay = int64_t{86'400} * 1'000'000;

// A table in memory that has the days it was asked to have.
class SimulatedTable final : public AuditPort {
 public:
  Status open(TimePoint) override {
    ++opened;
    return refused ? fail(ErrorKind::unavailable, "away") : Status();
  }
  void close() override { ++closed; }
  Status keep_days(int64_t first, int64_t last, TimePoint) override {
    ++kept;
    for (int64_t day = first; day <= last; ++day) days.insert(day);
    return {};
  }
  Status write(std::string_view lines, TimePoint) override {
    if (broken) return fail(Error(ErrorKind::server, "42501", "permission denied"));
    ++writes;
    rows += static_cast<size_t>(std::count(lines.begin(), lines.end(), '\n'));
    text += lines;
    return {};
  }
  bool refused = false;
  bool broken = false;
  int opened = 0;
  int closed = 0;
  int kept = 0;
  int writes = 0;
  size_t rows = 0;
  std::string text;
  std::set<int64_t> days;
};

class AuditStageTest : public ::testing::Test {
 protected:
  AuditStageTest() {
    AuditStageOptions options{.pipeline = "p"};
    options.tell = [this](const Error* error) { told_.push_back(error == nullptr ? "over" : error->describe()); };
    options.on_written = [this](change::Lsn whole) { whole_ = whole; };
    options.wall_clock = [this] { return wall_; };
    stage_.emplace(queue_, table_, counters_, options);
  }
  Step settle() {
    for (int i = 0; i < 1000; ++i) {
      Step step = stage_->step(now_);
      if (step.kind != Step::Kind::progressed) return step;
    }
    ADD_FAILURE() << "it never comes to rest";
    return Step::done();
  }
  // What was pushed has woken the stage.
  Step after(Duration duration) {
    settle();
    now_ += duration;
    return settle();
  }
  AuditEntry batch(uint64_t lsn) const {
    return {.at_microseconds = wall_, .operation = "batch", .position = {change::Lsn(lsn), 0}, .attempt = 1, .outcome = "applied", .whole = change::Lsn(lsn)};
  }

  AuditQueue queue_{4'000};
  SimulatedTable table_;
  AuditCounters counters_;
  std::optional<AuditStage> stage_;
  TimePoint now_ = TimePoint(std::chrono::hours(1));
  int64_t wall_ = 100 * kDay + 5;
  std::vector<std::string> told_;
  change::Lsn whole_;
};

TEST_F(AuditStageTest, entries_that_come_close_together_are_one_write) {
  settle();
  for (uint64_t lsn : {600u, 700u, 800u}) {
    queue_.push(batch(lsn));
    after(AuditStageOptions().linger / 4);
  }
  EXPECT_EQ(table_.writes, 0);
  after(AuditStageOptions().linger);
  EXPECT_EQ(table_.writes, 1);
  EXPECT_EQ(table_.rows, 3u);
  EXPECT_EQ(whole_, change::Lsn(800));
  EXPECT_EQ(counters_.written, 3u);
  EXPECT_EQ(queue_.bytes(), 0u);
}

TEST_F(AuditStageTest, tomorrows_day_is_made_ahead_and_each_hour_is_asked_again) {
  settle();
  EXPECT_EQ(table_.days, (std::set<int64_t>{100, 101}));
  EXPECT_EQ(table_.kept, 1);
  after(seconds(3599));
  EXPECT_EQ(table_.kept, 1);
  wall_ += kDay;
  after(seconds(2));
  EXPECT_EQ(table_.days, (std::set<int64_t>{100, 101, 102}));
}

TEST_F(AuditStageTest, an_entry_of_a_day_that_has_no_partition_gets_one) {
  settle();
  AuditEntry old = batch(600);
  old.at_microseconds = 98 * kDay;
  queue_.push(std::move(old));
  after(seconds(1));
  EXPECT_TRUE(table_.days.contains(98));
  EXPECT_EQ(table_.rows, 1u);
}

TEST_F(AuditStageTest, what_cannot_be_written_is_kept_and_told_and_written_later_once) {
  settle();
  table_.broken = true;
  queue_.push(batch(600));
  after(seconds(1));
  for (int i = 0; i < 5; ++i) after(seconds(40));
  EXPECT_GE(counters_.failures, 5u);
  EXPECT_EQ(whole_, change::Lsn()) << "nothing is confirmed by what is not written";
  EXPECT_GT(queue_.bytes(), 0u) << "and it counts while it waits";
  queue_.push(batch(700));
  table_.broken = false;
  after(seconds(40));
  after(seconds(1));
  EXPECT_EQ(table_.rows, 2u);
  EXPECT_EQ(whole_, change::Lsn(700));
  EXPECT_EQ(told_.back(), "over");
  EXPECT_EQ(queue_.bytes(), 0u);
}

TEST_F(AuditStageTest, a_server_that_is_away_ends_nothing) {
  table_.refused = true;
  queue_.push(batch(600));
  after(seconds(1));
  EXPECT_EQ(settle().kind, Step::Kind::waiting);
  table_.refused = false;
  after(seconds(40));
  EXPECT_EQ(table_.rows, 1u);
}

TEST_F(AuditStageTest, a_full_queue_says_so_until_something_is_written) {
  EXPECT_TRUE(queue_.has_room());
  while (queue_.has_room()) queue_.push(batch(600));
  queue_.push(batch(700));
  EXPECT_FALSE(queue_.has_room());
  after(seconds(1));
  EXPECT_TRUE(queue_.has_room()) << "what was told beyond it is not forgotten either";
  EXPECT_EQ(whole_, change::Lsn(700));
}

TEST_F(AuditStageTest, what_only_says_how_far_the_log_is_writes_nothing) {
  settle();
  queue_.push({.whole = change::Lsn(900)});
  after(seconds(1));
  EXPECT_EQ(table_.writes, 0);
  EXPECT_EQ(whole_, change::Lsn(900));
}

TEST_F(AuditStageTest, the_end_writes_what_is_left_first) {
  settle();
  queue_.push(batch(600));
  stage_->stop();
  EXPECT_EQ(settle().kind, Step::Kind::done);
  EXPECT_EQ(table_.rows, 1u);
}

TEST_F(AuditStageTest, an_abandoned_queue_ends_a_stage_that_cannot_write) {
  settle();
  table_.broken = true;
  queue_.push(batch(600));
  stage_->stop();
  EXPECT_EQ(settle().kind, Step::Kind::waiting);
  queue_.abandon();
  EXPECT_EQ(settle().kind, Step::Kind::done);
}

}  // namespace
}  // namespace cnx::record
