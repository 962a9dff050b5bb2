#include "telemetry/watch.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <nlohmann/json.hpp>

#include "telemetry/listen_address.hpp"

namespace cnx::telemetry {
namespace {

TEST(AWatch, looks_by_itself_and_ends_when_it_is_done_with) {
  std::atomic<int> looks{0};
  {
    Watch watch(
        [&] {
          ++looks;
          Facts facts;
          facts.activity = Activity::paused;
          return facts;
        },
        std::chrono::seconds(60));
    EXPECT_EQ(watch.health().state, "paused") << "known from the beginning";
    while (looks < 3) std::this_thread::yield();
  }
  EXPECT_GE(looks, 3);
}

TEST(TheBodyOfHealth, is_one_line_of_json) {
  const Health health{.healthy = false, .state = "stalled", .reason = "a \"reason\" \xff", .since = {}};
  const std::string body = health_json("p", health, std::chrono::system_clock::time_point());
  EXPECT_EQ(body.find('\n'), body.size() - 1);
  const auto json = nlohmann::json::parse(body);
  EXPECT_EQ(json["pipeline"], "p");
  EXPECT_EQ(json["healthy"], false);
  EXPECT_EQ(json["state"], "stalled");
  EXPECT_EQ(json["since"], "1970-01-01T00:00:00.000Z");
  const auto ready = nlohmann::json::parse(readiness_json("p", health, {.ready = false, .reason = "behind", .lag_seconds = 2.5}));
  EXPECT_EQ(ready["ready"], false);
  EXPECT_EQ(ready["reason"], "behind");
  EXPECT_EQ(ready["lag_seconds"], 2.5);
}

TEST(AListenAddress, is_an_ip_address_with_a_port_or_off) {
  for (const char* text : {"127.0.0.1:9747", "[::1]:9747", "0.0.0.0:1", "[2001:db8::1]:65535", "off"}) {
    const Result<ListenAddress> address = parse_listen_address(text);
    ASSERT_TRUE(address) << text;
    EXPECT_EQ(address->to_string(), text);
  }
  for (const char* text : {"", "localhost:9747", "127.0.0.1", "127.0.0.1:", "127.0.0.1:65536", "127.0.0.1:-1", "::1:9747", "[]:1",
                           "[127.0.0.1]:1", ":9747", "127.1:9747", "127.0.0.1:97 47"}) {
    EXPECT_FALSE(parse_listen_address(text)) << text;
  }
}

TEST(AListenAddress, knows_what_only_this_machine_reaches) {
  for (const char* text : {"127.0.0.1:1", "127.8.9.1:1", "[::1]:1"}) EXPECT_TRUE(parse_listen_address(text)->is_loopback()) << text;
  for (const char* text : {"0.0.0.0:1", "[::]:1", "10.0.0.1:1"}) EXPECT_FALSE(parse_listen_address(text)->is_loopback()) << text;
  EXPECT_TRUE(parse_listen_address("off")->off());
}

}  // namespace
}  // namespace cnx::telemetry
