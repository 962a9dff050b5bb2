#include "bolt/writer.hpp"

#include <gtest/gtest.h>

#include "bolt/testing/stub_listener.hpp"

namespace bolt {
namespace {

using std::chrono_literals::operator""s;
using testing::failure;
using testing::StubListener;
using testing::StubServer;
using testing::success;

// Long enough for a loaded machine; never waited out by a test that passes.
cnx::TimePoint patient() { return cnx::Clock::now() + 20s; }

StubServer idle_server(size_t) { return StubServer(); }

Options options_of(const StubListener& server, bool routing) {
  Options options;
  options.host = "127.0.0.1";
  options.port = server.port();
  options.routing = routing;
  return options;
}

// A seed that answers its one ROUTE with `answer`, made when it is asked.
StubListener::Make seed_of(std::function<cnx::Bytes()> answer) {
  return [answer = std::move(answer)](size_t) {
    StubServer server;
    server.on(Request::route, {answer()});
    return server;
  };
}

cnx::Bytes table(List writers) {
  return success({{"rt", Map{{"ttl", int64_t{300}},
                             {"servers", List{Map{{"role", "ROUTE"}, {"addresses", List{"127.0.0.1:1"}}},
                                              Map{{"role", "READ"}, {"addresses", List{"127.0.0.1:1"}}},
                                              Map{{"role", "WRITE"}, {"addresses", std::move(writers)}}}}}}});
}

TEST(TheWriter, without_routing_is_the_one_server_and_nothing_is_asked) {
  StubListener only(idle_server);
  {
    auto opened = open_writer(options_of(only, false), patient());
    ASSERT_TRUE(opened) << opened.error().describe();
  }
  only.stop();
  EXPECT_EQ(only.requests_of(0).size(), 3u) << "HELLO, LOGON and GOODBYE";
}

TEST(TheWriter, is_the_one_that_the_routing_table_names) {
  StubListener leader(idle_server);
  StubListener seed(seed_of([&] { return table({leader.address().c_str()}); }));
  auto opened = open_writer(options_of(seed, true), patient());
  ASSERT_TRUE(opened) << opened.error().describe();
  EXPECT_EQ(opened->server().address, leader.address());
}

TEST(TheWriter, may_be_the_seed_itself_and_then_needs_no_second_connection) {
  StubListener* self = nullptr;
  StubListener seed(seed_of([&] { return table({self->address().c_str()}); }));
  self = &seed;
  auto opened = open_writer(options_of(seed, true), patient());
  ASSERT_TRUE(opened) << opened.error().describe();
  EXPECT_EQ(seed.connections(), 1u);
}

TEST(TheWriter, that_is_gone_or_not_elected_is_unavailable) {
  StubListener none(seed_of([] { return table({}); }));
  auto opened = open_writer(options_of(none, true), patient());
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().kind(), cnx::ErrorKind::unavailable);

  StubListener gone(seed_of([] { return table({"127.0.0.1:1"}); }));
  opened = open_writer(options_of(gone, true), patient());
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().kind(), cnx::ErrorKind::unavailable);
}

TEST(TheWriter, tells_what_route_was_refused_with) {
  StubListener seed(seed_of([] { return failure("Neo.ClientError.Database.DatabaseNotFound"); }));
  auto opened = open_writer(options_of(seed, true), patient());
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code(), "Neo.ClientError.Database.DatabaseNotFound");
}

}  // namespace
}  // namespace bolt
