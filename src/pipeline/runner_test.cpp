#include "pipeline/runner.hpp"

#include <gtest/gtest.h>

#include "stream/queue.hpp"

namespace cnx::pipeline {
namespace {

using stream::Step;

class Source final : public stream::Stage {
 public:
  Source(stream::Queue<int>& out, int count) : out_(out), count_(count) {}
  std::string_view name() const override { return "source"; }
  Step step(TimePoint) override {
    if (next_ == count_ || stopped_) {
      out_.close();
      return Step::done();
    }
    int item = next_;
    if (!out_.try_push(std::move(item), 1)) return Step::wait_until(kNever);
    ++next_;
    return Step::progressed();
  }
  void stop() override { stopped_ = true; }

 private:
  stream::Queue<int>& out_;
  int count_;
  int next_ = 0;
  bool stopped_ = false;
};

class Sink final : public stream::Stage {
 public:
  explicit Sink(stream::Queue<int>& in, int fails_at = -1) : in_(in), fails_at_(fails_at) {}
  std::string_view name() const override { return "sink"; }
  Step step(TimePoint) override {
    if (auto failure = in_.failure()) return Step::failed(*failure);
    auto item = in_.try_pop();
    if (!item) return in_.drained() ? Step::done() : Step::wait_until(kNever);
    if (*item == fails_at_) throw std::runtime_error("thrown inside a stage");
    sum_ += *item;
    return Step::progressed();
  }
  void stop() override {}
  long sum() const { return sum_; }

 private:
  stream::Queue<int>& in_;
  int fails_at_;
  long sum_ = 0;
};

void join(Runner& runner, Waker& supervisor) {
  while (!runner.all_ended()) {
    supervisor.arm();
    if (!runner.all_ended()) wait_for(supervisor, Step::wait_until(kNever));
    supervisor.disarm();
  }
  runner.join();
}

TEST(Runner, moves_everything_through_a_small_queue_and_loses_no_wake_up) {
  for (int round = 0; round < 20; ++round) {
    Waker supervisor;
    stream::Queue<int> queue({.items_max = 1, .bytes_max = 10});
    Source source(queue, 2'000);
    Sink sink(queue);
    Runner runner(supervisor);
    Waker& source_waker = runner.add(source);
    Waker& sink_waker = runner.add(sink);
    queue.on_room([&] { source_waker.wake(); });
    queue.on_readable([&] { sink_waker.wake(); });
    runner.start();
    join(runner, supervisor);
    EXPECT_FALSE(runner.failure());
    EXPECT_EQ(sink.sum(), 1'999'000);
  }
}

TEST(Runner, turns_an_exception_into_an_error_that_names_the_stage) {
  Waker supervisor;
  stream::Queue<int> queue({.items_max = 4, .bytes_max = 10});
  Source source(queue, 3);
  Sink sink(queue, 2);
  Runner runner(supervisor);
  Waker& source_waker = runner.add(source);
  Waker& sink_waker = runner.add(sink);
  queue.on_room([&] { source_waker.wake(); });
  queue.on_readable([&] { sink_waker.wake(); });
  runner.start();
  join(runner, supervisor);
  ASSERT_TRUE(runner.failure());
  EXPECT_EQ(runner.failure()->kind(), ErrorKind::internal);
  EXPECT_NE(runner.failure()->message().find("sink"), std::string::npos);
}

TEST(Waker, remembers_a_wake_that_comes_before_the_wait) {
  Waker waker;
  waker.arm();
  waker.wake();
  wait_for(waker, Step::wait_until(kNever));
  waker.disarm();
  waker.wake();  // Nobody waits: nothing is kept.
  waker.arm();
  wait_for(waker, Step::wait_until(Clock::now()));
  waker.disarm();
}

}  // namespace
}  // namespace cnx::pipeline
