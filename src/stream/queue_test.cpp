#include "stream/queue.hpp"

#include <gtest/gtest.h>

#include <string>
#include <thread>

namespace cnx::stream {
namespace {

TEST(Queue, is_limited_by_items) {
  Queue<int> queue({.items_max = 2, .bytes_max = 1000});
  EXPECT_TRUE(queue.try_push(1, 1));
  EXPECT_TRUE(queue.try_push(2, 1));
  EXPECT_FALSE(queue.try_push(3, 1));
  EXPECT_EQ(queue.try_pop(), 1);
  EXPECT_TRUE(queue.try_push(3, 1));
}

TEST(Queue, is_limited_by_bytes_and_admits_a_heavy_item_alone) {
  Queue<int> queue({.items_max = 10, .bytes_max = 100});
  EXPECT_TRUE(queue.try_push(1, 60));
  EXPECT_FALSE(queue.try_push(2, 60));
  EXPECT_EQ(queue.try_pop(), 1);
  EXPECT_TRUE(queue.try_push(2, 5000)) << "an item heavier than the budget would wait for ever";
  EXPECT_FALSE(queue.try_push(3, 1));
  EXPECT_EQ(queue.bytes(), 5000u);
}

TEST(Queue, leaves_an_item_that_found_no_room_with_its_owner) {
  Queue<std::string> queue({.items_max = 1, .bytes_max = 100});
  EXPECT_TRUE(queue.try_push("first", 1));
  std::string kept = "second, long enough not to be small";
  EXPECT_FALSE(queue.try_push(std::move(kept), 1));
  EXPECT_EQ(kept, "second, long enough not to be small");
}

TEST(Queue, drains_after_close) {
  Queue<int> queue({});
  EXPECT_TRUE(queue.try_push(1, 1));
  queue.close();
  EXPECT_FALSE(queue.drained());
  EXPECT_EQ(queue.try_pop(), 1);
  EXPECT_TRUE(queue.drained());
}

TEST(Queue, fails_at_both_ends_with_the_first_reason) {
  Queue<int> queue({});
  EXPECT_TRUE(queue.try_push(1, 1));
  queue.fail(Error(ErrorKind::timeout, "first"));
  queue.fail(Error(ErrorKind::internal, "second"));
  EXPECT_FALSE(queue.try_pop());
  EXPECT_TRUE(queue.try_push(2, 1)) << "dropped: the end is near";
  EXPECT_EQ(queue.failure()->message(), "first");
}

TEST(Queue, wakes_a_producer_that_waits_once_it_runs_low) {
  Queue<int> queue({.items_max = 4, .bytes_max = 1000});
  int woken = 0;
  queue.on_room([&] { ++woken; });
  for (int i = 0; i < 4; ++i) EXPECT_TRUE(queue.try_push(std::move(i), 1));
  EXPECT_FALSE(queue.try_push(9, 1));
  queue.try_pop();
  EXPECT_EQ(woken, 0);
  queue.try_pop();
  EXPECT_EQ(woken, 1);
  queue.try_pop();
  EXPECT_EQ(woken, 1) << "nobody waits any more";
}

TEST(Queue, wakes_a_producer_that_asked_whether_it_is_empty) {
  Queue<int> queue({.items_max = 1, .bytes_max = 1000});
  int woken = 0;
  queue.on_room([&] { ++woken; });
  EXPECT_TRUE(queue.try_push(1, 1));
  EXPECT_FALSE(queue.empty_or_wakes());
  queue.try_pop();
  EXPECT_EQ(woken, 1);
  EXPECT_TRUE(queue.empty_or_wakes());
}

TEST(Queue, keeps_the_order_between_two_threads) {
  Queue<int> queue({.items_max = 8, .bytes_max = 1000});
  constexpr int kItems = 20'000;
  std::thread producer([&] {
    for (int i = 0; i < kItems;) {
      int item = i;
      if (queue.try_push(std::move(item), 1)) {
        ++i;
      } else {
        std::this_thread::yield();
      }
    }
    queue.close();
  });
  int expected = 0;
  while (!queue.drained()) {
    if (auto item = queue.try_pop()) {
      EXPECT_EQ(*item, expected++);
    } else {
      std::this_thread::yield();
    }
  }
  producer.join();
  EXPECT_EQ(expected, kItems);
}

}  // namespace
}  // namespace cnx::stream
