#include "telemetry/repeats.hpp"

#include <gtest/gtest.h>

namespace cnx::telemetry {
namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

class RepeatsTest : public ::testing::Test {
 protected:
  // How many lines a storm of `what` makes, one each tenth of a second.
  int storm(Duration duration, const std::string& what) {
    int lines = 0;
    for (const TimePoint end = now_ + duration; now_ < end; now_ += milliseconds(100)) {
      if (std::optional<Repeat> said = repeats_.occur(what, now_)) {
        ++lines;
        counted_ += said->times;
      }
    }
    return lines;
  }

  Repeats repeats_;
  TimePoint now_ = TimePoint(std::chrono::hours(1));
  uint64_t counted_ = 0;
};

TEST_F(RepeatsTest, the_first_is_said_at_once_and_a_storm_is_summed_up_twice_a_minute) {
  ASSERT_TRUE(repeats_.occur("refused", now_));
  now_ += milliseconds(100);
  EXPECT_EQ(storm(minutes(10), "refused"), 20);
  EXPECT_GT(counted_, 5'600u) << "none is forgotten";
}

TEST_F(RepeatsTest, another_trouble_is_said_at_once_too) {
  repeats_.occur("refused", now_);
  EXPECT_TRUE(repeats_.occur("wrong password", now_));
  EXPECT_FALSE(repeats_.occur("wrong password", now_));
  EXPECT_FALSE(repeats_.occur("refused", now_));
}

TEST_F(RepeatsTest, texts_that_differ_each_time_are_no_news_each_time) {
  int lines = 0;
  for (int i = 0; i < 1000; ++i) lines += repeats_.occur("port " + std::to_string(i), now_) ? 1 : 0;
  EXPECT_LE(lines, 10);
}

TEST_F(RepeatsTest, after_a_long_quiet_it_is_news_again) {
  repeats_.occur("refused", now_);
  now_ += minutes(3);
  const std::optional<Repeat> said = repeats_.occur("refused", now_);
  ASSERT_TRUE(said);
  EXPECT_EQ(said->times, 0u);
}

TEST_F(RepeatsTest, its_end_is_told_where_its_beginning_was) {
  EXPECT_EQ(repeats_.over(), 0u) << "nothing was said";
  repeats_.occur("refused", now_);
  repeats_.occur("refused", now_);
  EXPECT_EQ(repeats_.over(), 2u);
  repeats_.occur("refused", now_ + seconds(1));
  EXPECT_EQ(repeats_.over(), 0u) << "a line that comes and goes each second is not told of each time";
}

}  // namespace
}  // namespace cnx::telemetry
