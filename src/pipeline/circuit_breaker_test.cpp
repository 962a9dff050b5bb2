#include "pipeline/circuit_breaker.hpp"

#include <gtest/gtest.h>

namespace cnx::pipeline {
namespace {

constexpr CircuitBreakerOptions kTen{.window_rows = 10, .same_percent_max = 50};

TEST(CircuitBreaker, trips_when_more_than_its_share_of_the_newest_rows_failed_the_same_way) {
  CircuitBreaker breaker(kTen);
  for (int64_t letter = 1; letter <= 5; ++letter) EXPECT_FALSE(breaker.failed(letter, "insert A", "x")) << letter;
  EXPECT_TRUE(breaker.failed(6, "insert A", "x"));
  EXPECT_EQ(breaker.alike(), (std::vector<int64_t>{1, 2, 3, 4, 5, 6}));
}

TEST(CircuitBreaker, rows_that_were_applied_push_failures_out_of_the_window) {
  CircuitBreaker breaker(kTen);
  for (int64_t letter = 1; letter <= 100; ++letter) {
    breaker.applied(1);
    EXPECT_FALSE(breaker.failed(letter, "insert A", "x")) << letter;
  }
  EXPECT_EQ(breaker.alike().size(), 5u);
}

TEST(CircuitBreaker, failures_of_different_kinds_do_not_add_up) {
  CircuitBreaker breaker(kTen);
  for (int64_t letter = 1; letter <= 100; ++letter) {
    EXPECT_FALSE(breaker.failed(letter, letter % 2 == 0 ? "insert A" : "insert B", "x")) << letter;
  }
  EXPECT_FALSE(breaker.failed(101, "insert A", "y"));
  EXPECT_EQ(breaker.alike(), (std::vector<int64_t>{101}));
}

TEST(CircuitBreaker, says_how_many_failures_are_enough) {
  EXPECT_EQ(CircuitBreaker(kTen).failures_enough(), 6u);
  EXPECT_EQ(CircuitBreaker({.window_rows = 1, .same_percent_max = 50}).failures_enough(), 1u);
}

}  // namespace
}  // namespace cnx::pipeline
