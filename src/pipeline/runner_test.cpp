#include "pipeline/runner.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <csignal>
#include <functional>
#include <stdexcept>

#include "stream/queue.hpp"

namespace cnx::pipeline {
namespace {

using stream::Step;

class Source final : public stream::Stage {
 public:
  Source(stream::Queue<int>& out, int count) : out_(out), count_(count) {}
  std::string_view name() const override { return "source"; }
  Step step(TimePoint) override {
    if (next_ == count_ || stops_ > 0) {
      out_.close();
      return Step::done();
    }
    int item = next_;
    if (!out_.try_push(std::move(item), 1)) return Step::wait_until(kNever);
    ++next_;
    return Step::progressed();
  }
  void stop() override { ++stops_; }
  int stops() const { return stops_; }
  int pushed() const { return next_; }

 private:
  stream::Queue<int>& out_;
  int count_;
  int next_ = 0;
  int stops_ = 0;
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
    ++popped_;
    return Step::progressed();
  }
  void stop() override {}
  long sum() const { return sum_; }
  int popped() const { return popped_; }

 private:
  stream::Queue<int>& in_;
  int fails_at_;
  long sum_ = 0;
  int popped_ = 0;
};

// A stage that does what the test says.
class Told final : public stream::Stage {
 public:
  explicit Told(std::function<Step(TimePoint)> step) : step_(std::move(step)) {}
  std::string_view name() const override { return "told"; }
  Step step(TimePoint now) override { return step_(now); }
  void stop() override { stopped_ = true; }
  bool stopped() const { return stopped_; }

 private:
  std::function<Step(TimePoint)> step_;
  bool stopped_ = false;
};

void join(Runner& runner, Waker& supervisor) {
  while (!runner.all_ended()) {
    supervisor.arm();
    if (!runner.all_ended()) wait_for(supervisor, Step::wait_until(kNever));
    supervisor.disarm();
  }
  runner.join();
}

// A source and a sink with a queue between them.
struct Line {
  Line(stream::QueueLimits limits, int count, int fails_at = -1)
      : queue(limits), source(queue, count), sink(queue, fails_at), runner(supervisor) {
    Waker& source_waker = runner.add(source);
    Waker& sink_waker = runner.add(sink);
    queue.on_room([&source_waker] { source_waker.wake(); });
    queue.on_readable([&sink_waker] { sink_waker.wake(); });
  }
  Waker supervisor;
  stream::Queue<int> queue;
  Source source;
  Sink sink;
  Runner runner;
};

TEST(Runner, moves_everything_through_a_small_queue_and_loses_no_wake_up) {
  for (size_t items = 1; items <= 20; ++items) {
    Line line({.items_max = items, .bytes_max = 10}, 2'000);
    line.runner.start();
    join(line.runner, line.supervisor);
    EXPECT_FALSE(line.runner.failure());
    EXPECT_EQ(line.sink.sum(), 1'999'000);
  }
}

TEST(Runner, turns_an_exception_into_an_error_that_names_the_stage) {
  Line line({.items_max = 4, .bytes_max = 10}, 3, 2);
  line.runner.start();
  join(line.runner, line.supervisor);
  ASSERT_TRUE(line.runner.failure());
  EXPECT_EQ(line.runner.failure()->kind(), ErrorKind::internal);
  EXPECT_NE(line.runner.failure()->message().find("sink"), std::string::npos);
}

TEST(Runner, tells_the_supervisor_of_a_failure_while_others_run) {
  Line line({.items_max = 4, .bytes_max = 10}, 1'000'000, 2);
  line.runner.start();
  while (!line.runner.failure()) {
    line.supervisor.arm();
    if (!line.runner.failure()) wait_for(line.supervisor, Step::wait_until(kNever));
    line.supervisor.disarm();
  }
  EXPECT_TRUE(line.runner.ended(1));
  EXPECT_FALSE(line.runner.ended(0)) << "the source waits for room";
  line.queue.fail(*line.runner.failure());  // As the supervisor does: the other end finds it there.
  line.runner.stop(0);
  join(line.runner, line.supervisor);
}

TEST(Runner, keeps_the_first_failure) {
  Waker supervisor;
  std::atomic<bool> first_ended = false;
  Told first([](TimePoint) { return Step::failed(Error(ErrorKind::state, "first")); });
  Told second([&](TimePoint now) {
    if (!first_ended) return Step::wait_until(now + std::chrono::milliseconds(1));
    return Step::failed(Error(ErrorKind::state, "second"));
  });
  Runner runner(supervisor);
  runner.add(first);
  runner.add(second);
  runner.start();
  while (!runner.ended(0)) {
    supervisor.arm();
    if (!runner.ended(0)) wait_for(supervisor, Step::wait_until(kNever));
    supervisor.disarm();
  }
  first_ended = true;
  join(runner, supervisor);
  EXPECT_EQ(runner.failure()->message(), "first");
}

TEST(Runner, tells_a_waiting_stage_to_stop_once) {
  Line line({.items_max = 1, .bytes_max = 10}, 1'000'000'000);
  line.runner.start();
  line.runner.stop(0);
  line.runner.stop(0);
  join(line.runner, line.supervisor);
  EXPECT_EQ(line.source.stops(), 1);
  EXPECT_EQ(line.source.pushed(), line.sink.popped()) << "what was on its way has arrived";
}

TEST(Runner, wakes_a_stage_that_waits_for_nothing_to_stop_it) {
  for (int round = 0; round < 200; ++round) {
    Waker supervisor;
    Told* told = nullptr;
    Told stage(
        [&told](TimePoint) { return told->stopped() ? Step::done() : Step::wait_until(kNever); });
    told = &stage;
    Runner runner(supervisor);
    runner.add(stage);
    runner.start();
    runner.stop(0);
    join(runner, supervisor);
  }
}

TEST(Runner, steps_a_stage_again_when_its_time_has_come) {
  Waker supervisor;
  TimePoint due = TimePoint::min();
  TimePoint stepped{};
  Told stage([&](TimePoint now) {
    if (due == TimePoint::min()) due = now + std::chrono::milliseconds(5);
    if (now < due) return Step::wait_until(due);
    stepped = now;
    return Step::done();
  });
  Runner runner(supervisor);
  runner.add(stage);
  runner.start();
  join(runner, supervisor);
  EXPECT_GE(stepped, due);
}

TEST(Runner, steps_a_stage_again_when_its_descriptor_is_ready) {
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  Waker supervisor;
  Told stage([&](TimePoint) {
    static thread_local int steps = 0;
    if (++steps <= 2) return Step::wait_until(kNever).on(ends[0], true, false);
    return Step::done();
  });
  Runner runner(supervisor);
  runner.add(stage);
  runner.start();
  ASSERT_EQ(::write(ends[1], "x", 1), 1);
  join(runner, supervisor);
  ::close(ends[0]);
  ::close(ends[1]);
}

TEST(Runner, joins_what_it_started_before_it_goes) {
  Line line({.items_max = 1, .bytes_max = 10}, 1'000);
  line.runner.start();
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

Waker* woken_by_signal = nullptr;

TEST(Waker, may_be_woken_by_a_signal_handler) {
  Waker waker;
  woken_by_signal = &waker;
  auto before = std::signal(SIGUSR1, [](int) { woken_by_signal->wake(); });
  waker.arm();
  std::raise(SIGUSR1);
  wait_for(waker, Step::wait_until(kNever));
  waker.disarm();
  std::signal(SIGUSR1, before);
}

TEST(Waker, wakes_from_many_threads) {
  Waker waker;
  std::atomic<int> work = 0;
  constexpr int kThreads = 4, kEach = 2'000;
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&] {
      for (int k = 0; k < kEach; ++k) {
        ++work;
        waker.wake();
      }
    });
  }
  for (int done = 0; done < kThreads * kEach;) {
    waker.arm();
    if (work == done) wait_for(waker, Step::wait_until(kNever));
    waker.disarm();
    done = work;
  }
  for (std::thread& thread : threads) thread.join();
}

}  // namespace
}  // namespace cnx::pipeline
