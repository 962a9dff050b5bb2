#include "bolt/router.hpp"

#include <gtest/gtest.h>

#include "bolt/session.hpp"
#include "bolt/testing/stub_listener.hpp"

namespace bolt {
namespace {

using std::chrono_literals::operator""s;
using testing::failure;
using testing::StubListener;
using testing::StubServer;
using testing::success;
using Mode = TransactionOptions::Mode;

// Long enough for a loaded machine; never waited out by a test that passes.
cnx::TimePoint patient() {
  return cnx::Clock::now() + 20s;
}

cnx::Bytes table(int64_t ttl, List routers, List readers, List writers) {
  return success(
      {{"rt", Map{{"ttl", ttl},
                  {"servers", List{Map{{"role", "ROUTE"}, {"addresses", std::move(routers)}},
                                   Map{{"role", "READ"}, {"addresses", std::move(readers)}},
                                   Map{{"role", "WRITE"}, {"addresses", std::move(writers)}}}}}}});
}

StubServer idle_server(size_t) {
  return StubServer();
}

Options seed_options(const StubListener& seed) {
  Options options;
  options.host = "127.0.0.1";
  options.port = seed.port();
  options.routing = true;
  return options;
}

// A seed that answers one ROUTE on each connection, with what `answer` says of the connection.
StubListener::Make routing_seed(std::function<cnx::Bytes(size_t)> answer) {
  return [answer = std::move(answer)](size_t number) {
    StubServer server;
    server.on(Request::route, {answer(number)});
    return server;
  };
}

Access access_of(Mode mode) {
  Access access;
  access.mode = mode;
  return access;
}

TEST(Router, without_routing_it_is_the_one_server_and_asks_nothing) {
  StubListener only(idle_server);
  Options options = seed_options(only);
  options.routing = false;
  Router router(options);
  { EXPECT_EQ(router.acquire({}, patient())->address().port, only.port()); }
  only.stop();
  EXPECT_EQ(only.requests_of(0).size(), 2u) << "HELLO and LOGON";
}

TEST(Router, writes_go_to_the_writer_and_reads_to_the_least_busy_reader) {
  StubListener writer(idle_server);
  StubListener reader_1(idle_server);
  StubListener reader_2(idle_server);
  StubListener seed(routing_seed([&](size_t) {
    return table(300, {"127.0.0.1:1"}, {reader_1.address().c_str(), reader_2.address().c_str()},
                 {writer.address().c_str()});
  }));
  Router router(seed_options(seed));
  auto write = router.acquire(access_of(Mode::write), patient());
  ASSERT_TRUE(write) << write.error().describe();
  EXPECT_EQ(write->address().port, writer.port());
  auto first = router.acquire(access_of(Mode::read), patient());
  auto second = router.acquire(access_of(Mode::read), patient());
  EXPECT_EQ(first->address().port, reader_1.port());
  EXPECT_EQ(second->address().port, reader_2.port());
  EXPECT_EQ(seed.connections(), 1u) << "one table serves all";
}

TEST(Router, an_expired_table_is_asked_for_again) {
  StubListener server(idle_server);
  List addresses = {Value(server.address())};
  StubListener seed([&](size_t) {
    StubServer stub;
    for (int i = 0; i < 3; ++i)
      stub.on(Request::route, {table(0, {"127.0.0.1:1"}, addresses, addresses)});
    return stub;
  });
  Router router(seed_options(seed));
  // A table that lives no second can never be used.
  auto lease = router.acquire({}, patient());
  ASSERT_FALSE(lease);
  EXPECT_EQ(lease.error().kind(), cnx::ErrorKind::unavailable);
}

TEST(Router, a_server_that_is_gone_is_forgotten_for_another) {
  StubListener alive(idle_server);
  StubListener seed(routing_seed([&](size_t) {
    return table(300, {"127.0.0.1:1"}, {"127.0.0.1:1", alive.address().c_str()},
                 {alive.address().c_str()});
  }));
  Router router(seed_options(seed));
  auto lease = router.acquire(access_of(Mode::read), patient());
  ASSERT_TRUE(lease) << lease.error().describe();
  EXPECT_EQ(lease->address().port, alive.port());
}

TEST(Router, a_leader_that_stepped_down_is_no_writer_and_the_table_is_asked_for_anew) {
  StubListener old_leader(idle_server);
  StubListener new_leader(idle_server);
  StubListener seed([&](size_t) {
    StubServer stub;
    List both = {Value(old_leader.address()), Value(new_leader.address())};
    stub.on(Request::route, {table(300, {"127.0.0.1:1"}, both, {old_leader.address().c_str()})});
    stub.on(Request::route, {table(300, {"127.0.0.1:1"}, both, {new_leader.address().c_str()})});
    return stub;
  });
  Router router(seed_options(seed));
  {
    auto lease = router.acquire({}, patient());
    EXPECT_EQ(lease->address().port, old_leader.port());
    router.report(
        *lease,
        cnx::Error(cnx::ErrorKind::server, "Neo.ClientError.Cluster.NotALeader", "no leader"), "");
  }
  EXPECT_EQ(router.acquire({}, patient())->address().port, new_leader.port());
  EXPECT_EQ(router.acquire(access_of(Mode::read), patient())->address().port, old_leader.port())
      << "it still reads";
}

TEST(Router, other_routers_are_asked_before_the_seed_and_the_seed_when_they_are_gone) {
  StubListener server(idle_server);
  List addresses = {Value(server.address())};
  StubListener seed([&](size_t) {
    StubServer stub;
    // The first table has no writer and names a router that nobody runs.
    stub.on(Request::route, {table(300, {"127.0.0.1:1"}, addresses, {})});
    stub.on(Request::route, {table(300, {"127.0.0.1:1"}, addresses, addresses)});
    return stub;
  });
  Router router(seed_options(seed));
  EXPECT_EQ(router.acquire({}, patient()).error().kind(), cnx::ErrorKind::unavailable)
      << "nobody leads yet";
  EXPECT_TRUE(router.acquire({}, patient())) << "somebody does now";
}

TEST(Router, a_refusal_that_every_router_would_give_is_told_at_once) {
  for (const char* code :
       {"Neo.ClientError.Database.DatabaseNotFound", "Neo.ClientError.Security.Forbidden",
        "Neo.ClientError.Transaction.InvalidBookmark"}) {
    StubListener seed(routing_seed([&](size_t) { return failure(code); }));
    Router router(seed_options(seed));
    auto lease = router.acquire({}, patient());
    ASSERT_FALSE(lease);
    EXPECT_EQ(lease.error().kind(), cnx::ErrorKind::server);
    EXPECT_EQ(lease.error().code(), code);
  }
}

TEST(Router, a_seed_that_is_gone_is_unavailable) {
  Options options;
  options.host = "127.0.0.1";
  options.port = 1;
  options.routing = true;
  Router router(options);
  EXPECT_EQ(router.acquire({}, patient()).error().kind(), cnx::ErrorKind::unavailable);
}

TEST(Router, threads_that_need_a_table_at_once_ask_once) {
  StubListener server(idle_server);
  List addresses = {Value(server.address())};
  StubListener seed(
      routing_seed([&](size_t) { return table(300, {"127.0.0.1:1"}, addresses, addresses); }));
  Router router(seed_options(seed));
  std::atomic<int> served = 0;
  {
    std::vector<std::jthread> threads;
    for (int thread = 0; thread < 8; ++thread) {
      threads.emplace_back([&] { served += router.acquire({}, patient()).has_value() ? 1 : 0; });
    }
  }
  EXPECT_EQ(served, 8);
  EXPECT_EQ(seed.connections(), 1u);
}

TEST(Session, each_query_follows_the_one_before) {
  StubListener only([](size_t) {
    StubServer stub;
    stub.on(Request::run, {success()}).on(Request::pull, {success({{"bookmark", "FB:1"}})});
    stub.on(Request::run, {success()}).on(Request::pull, {success({{"bookmark", "FB:2"}})});
    return stub;
  });
  Options options = seed_options(only);
  options.routing = false;
  Router router(options);
  TransactionOptions transaction;
  transaction.bookmarks = {"FB:0", "FB:00"};
  Session session(router, transaction);
  ASSERT_TRUE(session.query("CREATE ()", {}, patient()));
  EXPECT_EQ(session.bookmarks(), std::vector<std::string>{"FB:1"});
  ASSERT_TRUE(session.query("CREATE ()", {}, patient()));
  EXPECT_EQ(session.bookmarks(), std::vector<std::string>{"FB:2"});
  EXPECT_EQ(only.connections(), 1u);
}

}  // namespace
}  // namespace bolt
