#include "pipeline/lease.hpp"

#include <gtest/gtest.h>

namespace cnx::pipeline {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

TimePoint at(milliseconds since) { return TimePoint(seconds(1000)) + since; }

TEST(HolderSilence, grows_while_the_sign_stays_the_same) {
  HolderSilence silence;
  for (int look = 0; look <= 8; ++look) silence.look("7 12:00:00", at(look * milliseconds(250)));
  EXPECT_EQ(silence.lasted(), seconds(2));
}

TEST(HolderSilence, ends_with_a_sign_of_life_and_with_another_holder) {
  HolderSilence silence;
  silence.look("7 12:00:00", at(milliseconds(0)));
  silence.look("7 12:00:00", at(milliseconds(250)));
  silence.look("7 12:00:01", at(milliseconds(500)));
  EXPECT_EQ(silence.lasted(), Duration::zero());
  silence.look("7 12:00:01", at(milliseconds(750)));
  silence.look("9 12:00:01", at(milliseconds(1000)));
  EXPECT_EQ(silence.lasted(), Duration::zero());
}

// The process that waits was stopped, or PostgreSQL did not answer: the holder could not be seen meanwhile.
TEST(HolderSilence, of_a_time_without_a_look_nobody_is_blamed) {
  HolderSilence silence;
  silence.look("7 12:00:00", at(milliseconds(0)));
  silence.look("7 12:00:00", at(seconds(60)));
  EXPECT_LE(silence.lasted(), seconds(1));
}

TEST(HolderSilence, of_a_holder_that_is_not_for_our_eyes_is_never_long) {
  HolderSilence silence;
  for (int look = 0; look <= 100; ++look) silence.look("", at(look * milliseconds(250)));
  EXPECT_EQ(silence.lasted(), Duration::zero());
}

}  // namespace
}  // namespace cnx::pipeline
