#include "bolt/pool.hpp"

#include <gtest/gtest.h>

#include <thread>

#include "bolt/testing/stub_listener.hpp"

namespace bolt {
namespace {

using std::chrono_literals::operator""s;
using testing::StubListener;
using testing::StubServer;
using testing::success;

// Long enough for a loaded machine; never waited out by a test that passes.
cnx::TimePoint patient() {
  return cnx::Clock::now() + 20s;
}

Options options_for(const StubListener& listener) {
  Options options;
  options.host = "127.0.0.1";
  options.port = listener.port();
  return options;
}

StubServer idle_server(size_t) {
  return StubServer();
}

constexpr auto kReset = static_cast<uint8_t>(Request::reset);

long resets(const std::vector<uint8_t>& requests) {
  return std::count(requests.begin(), requests.end(), kReset);
}

TEST(Pool, lends_the_same_connection_again) {
  StubListener listener(idle_server);
  Pool pool(options_for(listener), {});
  for (int round = 0; round < 3; ++round) {
    auto lease = pool.acquire(patient());
    ASSERT_TRUE(lease) << lease.error().describe();
    EXPECT_EQ(pool.in_use(), 1u);
  }
  EXPECT_EQ(pool.in_use(), 0u);
  EXPECT_EQ(listener.connections(), 1u);
  pool.close_all();
  listener.stop();
  EXPECT_EQ(resets(listener.requests_of(0)), 0) << "it was idle for no time at all";
}

TEST(Pool, lends_different_connections_at_once_up_to_its_limit) {
  StubListener listener(idle_server);
  PoolOptions two;
  two.connections_max = 2;
  Pool pool(options_for(listener), two);
  auto first = pool.acquire(patient());
  auto second = pool.acquire(patient());
  ASSERT_TRUE(first && second);
  auto third = pool.acquire(cnx::Clock::now());
  ASSERT_FALSE(third);
  EXPECT_EQ(third.error().kind(), cnx::ErrorKind::timeout);
  EXPECT_EQ(pool.in_use(), 2u);
}

TEST(Pool, whoever_waits_gets_what_comes_back) {
  StubListener listener(idle_server);
  PoolOptions one;
  one.connections_max = 1;
  Pool pool(options_for(listener), one);
  std::optional<Lease> held = pool.acquire(patient()).value();
  std::atomic<bool> got = false;
  std::jthread waiter([&] { got = pool.acquire(patient()).has_value(); });
  held.reset();
  waiter.join();
  EXPECT_TRUE(got);
  EXPECT_EQ(listener.connections(), 1u);
}

TEST(Pool, one_that_was_idle_answers_a_reset_before_it_is_lent) {
  StubListener listener(idle_server);
  PoolOptions always;
  always.check_after = 0s;
  Pool pool(options_for(listener), always);
  for (int round = 0; round < 3; ++round) ASSERT_TRUE(pool.acquire(patient()));
  EXPECT_EQ(listener.connections(), 1u);
  pool.close_all();
  listener.stop();
  EXPECT_EQ(resets(listener.requests_of(0)), 2);
}

TEST(Pool, one_that_died_in_idleness_is_replaced) {
  StubListener listener([](size_t number) {
    StubServer server;
    // The first dies of the check.
    if (number == 0) server.on(Request::reset, {}).then_close();
    return server;
  });
  PoolOptions always;
  always.check_after = 0s;
  Pool pool(options_for(listener), always);
  { ASSERT_TRUE(pool.acquire(patient())); }
  auto again = pool.acquire(patient());
  ASSERT_TRUE(again) << again.error().describe();
  EXPECT_EQ(listener.connections(), 2u);
}

TEST(Pool, one_past_its_lifetime_is_replaced) {
  StubListener listener(idle_server);
  PoolOptions short_lived;
  short_lived.lifetime_max = 0s;
  Pool pool(options_for(listener), short_lived);
  ASSERT_TRUE(pool.acquire(patient()));
  ASSERT_TRUE(pool.acquire(patient()));
  EXPECT_EQ(listener.connections(), 2u);
}

TEST(Pool, one_given_back_in_the_middle_of_a_conversation_is_closed) {
  StubListener listener([](size_t) {
    StubServer server;
    server.on(Request::begin, {success()});
    return server;
  });
  Pool pool(options_for(listener), {});
  {
    auto lease = pool.acquire(patient());
    (*lease)->begin({});
  }
  ASSERT_TRUE(pool.acquire(patient()));
  EXPECT_EQ(listener.connections(), 2u);
}

TEST(Pool, one_given_back_after_a_failure_is_reset_before_it_is_lent) {
  StubListener listener([](size_t) {
    StubServer server;
    server.on(Request::begin, {testing::failure("Neo.ClientError.Database.DatabaseNotFound")});
    return server;
  });
  Pool pool(options_for(listener), {});
  {
    auto lease = pool.acquire(patient());
    (*lease)->begin({});
    EXPECT_FALSE((*lease)->await_reply(patient())->ok());
  }
  {
    auto lease = pool.acquire(patient());
    ASSERT_TRUE(lease);
    EXPECT_FALSE((*lease)->failed());
  }
  EXPECT_EQ(listener.connections(), 1u);
}

TEST(Pool, a_refusal_gives_its_place_back) {
  StubListener listener([](size_t) {
    StubServer server;
    server.on(Request::logon, {testing::failure("Neo.ClientError.Security.Unauthorized")})
        .then_close();
    return server;
  });
  PoolOptions one;
  one.connections_max = 1;
  Pool pool(options_for(listener), one);
  for (int round = 0; round < 3; ++round) {
    EXPECT_EQ(pool.acquire(patient()).error().code(), "Neo.ClientError.Security.Unauthorized");
  }
  EXPECT_EQ(pool.in_use(), 0u);
}

TEST(Pool, a_lease_may_outlive_its_pool) {
  StubListener listener(idle_server);
  std::optional<Lease> lease;
  {
    Pool pool(options_for(listener), {});
    lease = pool.acquire(patient()).value();
  }
  EXPECT_TRUE((*lease)->recover(patient()));
}

TEST(Pool, threads_share_it) {
  StubListener listener([](size_t) {
    StubServer server;
    for (int i = 0; i < 400; ++i)
      server.on(Request::run, {success()}).on(Request::pull, {success()});
    return server;
  });
  PoolOptions two;
  two.connections_max = 2;
  Pool pool(options_for(listener), two);
  std::atomic<int> done = 0;
  {
    std::vector<std::jthread> threads;
    for (int thread = 0; thread < 4; ++thread) {
      threads.emplace_back([&] {
        for (int i = 0; i < 25; ++i) {
          auto lease = pool.acquire(patient());
          if (lease && (*lease)->query("RETURN 1", {}, patient())) ++done;
        }
      });
    }
  }
  EXPECT_EQ(done, 100);
  EXPECT_LE(listener.connections(), 2u);
}

}  // namespace
}  // namespace bolt
