#include "telemetry/liveness.hpp"

#include <gtest/gtest.h>

namespace cnx::telemetry {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr Duration kStalledAfter = seconds(60);

// Somebody who looks once a second. Time is made up.
class LivenessTest : public ::testing::Test {
 protected:
  const Health& look() { return liveness_.observe(facts_, now_); }
  // As time passes and nothing happens.
  const Health& after(Duration duration) {
    const TimePoint end = now_ + duration;
    while (now_ < end) {
      now_ += seconds(1);
      look();
    }
    return look();
  }
  // As time passes and this happens each second.
  template <typename Do>
  const Health& after(Duration duration, Do happen) {
    for (const TimePoint end = now_ + duration; now_ < end;) {
      happen();
      now_ += seconds(1);
      look();
    }
    return look();
  }
  // A line that stands and has nothing to do.
  void stream() {
    facts_.activity = Activity::streaming;
    look();
    facts_.source_connected = true;
    ++facts_.heard;
    after(seconds(10));
    ASSERT_EQ(look().state, "idle");
  }

  TimePoint now_ = TimePoint(hours(1));
  Facts facts_;
  Liveness liveness_{kStalledAfter, now_};
};

TEST_F(LivenessTest, is_healthy_while_nothing_should_move_however_long) {
  stream();
  EXPECT_TRUE(after(hours(5)).healthy);
  EXPECT_EQ(look().state, "idle");
}

TEST_F(LivenessTest, stays_idle_where_only_the_position_follows_the_log) {
  stream();
  const TimePoint since = look().since;
  for (int i = 0; i < 20; ++i) {
    facts_.in_hand = true;
    now_ += seconds(1);
    look();
    facts_.in_hand = false;
    ++facts_.applied;
    after(seconds(9));
    EXPECT_EQ(look().state, "idle");
    EXPECT_EQ(look().since, since);
  }
  ++facts_.applied;
  ++facts_.rows;
  after(seconds(1));
  EXPECT_GT(look().since, since);
}

TEST_F(LivenessTest, is_healthy_by_name_where_somebody_wants_it_to_stand) {
  for (const auto& [activity, word] : {std::pair(Activity::paused, "paused"), std::pair(Activity::standby, "standby"),
                                       std::pair(Activity::waiting, "waiting")}) {
    stream();
    facts_.in_hand = true;
    facts_.activity = activity;
    facts_.why = "paused since noon by somebody";
    EXPECT_TRUE(after(hours(2)).healthy) << word;
    EXPECT_EQ(look().state, word);
    EXPECT_EQ(look().reason, "paused since noon by somebody");
    // And what it left is owed from then on only.
    facts_.activity = Activity::streaming;
    EXPECT_TRUE(after(kStalledAfter - seconds(2)).healthy) << word;
    EXPECT_FALSE(after(seconds(3)).healthy) << word;
    facts_.in_hand = false;
    ++facts_.applied;
    after(seconds(1));
  }
}

TEST_F(LivenessTest, is_stalled_where_work_is_in_hand_and_the_graph_answers_nothing) {
  stream();
  after(hours(1));
  facts_.in_hand = true;
  EXPECT_EQ(after(kStalledAfter - seconds(1)).state, "streaming");
  EXPECT_TRUE(look().healthy) << "counted from when there was something to do, not from when it last moved";
  const TimePoint then = now_;
  EXPECT_FALSE(after(seconds(2)).healthy);
  EXPECT_EQ(look().state, "stalled");
  EXPECT_NE(look().reason.find("changes wait"), std::string::npos) << look().reason;
  EXPECT_LT(look().since, then - kStalledAfter + seconds(3)) << "since it last moved";
  facts_.applied += 1;
  EXPECT_TRUE(after(seconds(1)).healthy) << "and at once again when it moves";
}

TEST_F(LivenessTest, takes_what_the_source_sends_for_no_movement_while_the_graph_takes_nothing) {
  stream();
  facts_.in_hand = true;
  after(minutes(2), [&] {
    ++facts_.received;
    ++facts_.heard;
  });
  EXPECT_FALSE(look().healthy) << "a queue may fill for hours";
}

TEST_F(LivenessTest, takes_each_answer_of_the_graph_for_movement_within_one_large_transaction) {
  stream();
  facts_.in_hand = true;
  after(minutes(20), [&, i = 0]() mutable { facts_.applied += ++i % 50 == 0 ? 1 : 0; });
  EXPECT_TRUE(look().healthy);
}

TEST_F(LivenessTest, takes_signs_of_life_for_no_movement) {
  stream();
  facts_.source_ahead = true;
  after(kStalledAfter + seconds(2), [&] { ++facts_.heard; });
  EXPECT_FALSE(look().healthy);
  EXPECT_NE(look().reason.find("the source has more"), std::string::npos) << look().reason;
}

TEST_F(LivenessTest, is_healthy_while_a_transaction_arrives_that_is_not_whole_yet) {
  stream();
  facts_.source_ahead = true;
  after(minutes(10), [&] {
    ++facts_.heard;
    ++facts_.received;
  });
  EXPECT_TRUE(look().healthy);
  EXPECT_EQ(look().state, "streaming");
}

TEST_F(LivenessTest, is_stalled_where_the_source_stays_away) {
  stream();
  facts_.source_connected = false;
  facts_.trouble = "PostgreSQL: connection refused";
  EXPECT_EQ(after(seconds(30)).state, "reconnecting");
  EXPECT_TRUE(look().healthy);
  after(kStalledAfter);
  EXPECT_EQ(look().state, "stalled");
  EXPECT_NE(look().reason.find("connection refused"), std::string::npos) << look().reason;
}

TEST_F(LivenessTest, is_stalled_where_connections_are_made_and_lost_and_nothing_is_heard) {
  stream();
  after(minutes(3), [&] { facts_.source_connected = !facts_.source_connected; });
  EXPECT_FALSE(look().healthy);
}

TEST_F(LivenessTest, is_stalled_where_it_starts_again_and_again_and_gets_nowhere) {
  stream();
  // Each time it looks idle for a moment, reads the same changes, and fails at the graph.
  for (int round = 0; round < 20; ++round) {
    facts_.activity = Activity::starting;
    facts_.in_hand = false;
    after(seconds(3));
    facts_.activity = Activity::streaming;
    facts_.source_connected = true;
    ++facts_.heard;
    after(seconds(2));
    ++facts_.received;
    facts_.in_hand = true;
    after(seconds(2));
  }
  EXPECT_FALSE(look().healthy);
}

TEST_F(LivenessTest, is_stalled_where_it_cannot_start) {
  facts_.trouble = "starting again: connection refused";
  EXPECT_TRUE(after(seconds(30)).healthy);
  EXPECT_NE(look().reason.find("connection refused"), std::string::npos) << look().reason;
  EXPECT_FALSE(after(kStalledAfter).healthy);
}

TEST_F(LivenessTest, copies_as_long_as_anything_of_the_copy_moves) {
  facts_.activity = Activity::copying;
  for (uint64_t Facts::*what : {&Facts::received, &Facts::applied, &Facts::steps}) {
    after(minutes(5), [&] { ++(facts_.*what); });
    EXPECT_TRUE(look().healthy);
    EXPECT_EQ(look().state, "copying");
  }
  EXPECT_FALSE(after(kStalledAfter + seconds(1)).healthy);
}

TEST_F(LivenessTest, says_since_when_its_state_is_what_it_is) {
  stream();
  const TimePoint then = now_;
  facts_.activity = Activity::paused;
  after(minutes(5));
  EXPECT_EQ(look().since, then + seconds(1));
}

TEST_F(LivenessTest, has_a_word_for_every_state) {
  stream();
  bool found = false;
  for (size_t i = 0; i < kStateWords; ++i) found = found || state_word(i) == look().state;
  EXPECT_TRUE(found);
  EXPECT_EQ(state_word(kStateWords - 1), "stalled");
}

}  // namespace
}  // namespace cnx::telemetry
