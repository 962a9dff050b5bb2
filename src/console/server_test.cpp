#include "console/server.hpp"

#include <gtest/gtest.h>
#include <httplib.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <optional>
#include <thread>

namespace cnx::console {
namespace {

// A port that was free a moment ago; while the object holds it, nobody else can.
class HeldPort {
 public:
  HeldPort() : socket_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    EXPECT_EQ(::bind(socket_, reinterpret_cast<sockaddr*>(&address), size), 0);
    EXPECT_EQ(::listen(socket_, 1), 0);
    EXPECT_EQ(::getsockname(socket_, reinterpret_cast<sockaddr*>(&address), &size), 0);
    port_ = ntohs(address.sin_port);
  }
  ~HeldPort() { let_go(); }
  void let_go() {
    if (socket_ >= 0) ::close(socket_);
    socket_ = -1;
  }
  uint16_t port() const { return port_; }

 private:
  int socket_;
  uint16_t port_ = 0;
};

uint16_t free_port() { return HeldPort().port(); }

std::optional<std::pair<int, std::string>> get(uint16_t port, const char* path) {
  httplib::Client client("127.0.0.1", port);
  const auto answer = client.Get(path);
  if (!answer) return std::nullopt;
  return std::pair(answer->status, answer->body);
}

std::pair<int, std::string> get_once_it_listens(uint16_t port, const char* path) {
  while (true) {
    if (auto answer = get(port, path)) return *answer;
    std::this_thread::yield();
  }
}

Pages pages(std::atomic<bool>& ok) {
  return {.metrics = [] { return std::string("a 1\n"); },
          .health = [&] { return Answer{ok, "health"}; },
          .readiness = [&] { return Answer{!ok, "readiness"}; }};
}

TEST(AServer, answers_three_pages_and_no_others) {
  std::atomic<bool> ok{true};
  const uint16_t port = free_port();
  Server server({"127.0.0.1", port}, pages(ok));
  EXPECT_EQ(get_once_it_listens(port, "/metrics"), std::pair(200, std::string("a 1\n")));
  EXPECT_EQ(get(port, "/healthz"), std::pair(200, std::string("health")));
  EXPECT_EQ(get(port, "/readyz"), std::pair(503, std::string("readiness")));
  ok = false;
  EXPECT_EQ(get(port, "/healthz"), std::pair(503, std::string("health")));
  EXPECT_EQ(get(port, "/readyz"), std::pair(200, std::string("readiness")));
  EXPECT_EQ(get(port, "/")->first, 404);
  EXPECT_EQ(httplib::Client("127.0.0.1", port).Post("/metrics", "x", "text/plain")->status, 404);
}

TEST(AServer, shares_its_port_with_nobody) {
  std::atomic<bool> ok{true};
  const uint16_t port = free_port();
  Server first({"127.0.0.1", port}, pages(ok));
  get_once_it_listens(port, "/metrics");
  Server second({"127.0.0.1", port}, {.metrics = [] { return std::string("second"); }, .health = {}, .readiness = {}});
  for (int i = 0; i < 50; ++i) EXPECT_EQ(get(port, "/metrics")->second, "a 1\n");
}

TEST(AServer, ends_also_while_it_has_no_port) {
  std::atomic<bool> ok{true};
  HeldPort held;
  Server server({"127.0.0.1", held.port()}, pages(ok));
}

TEST(AServer, may_end_at_any_moment) {
  std::atomic<bool> ok{true};
  for (int i = 0; i < 50; ++i) Server server({"127.0.0.1", 0}, pages(ok));
}

TEST(AServer, that_is_off_is_nothing) {
  std::atomic<bool> ok{true};
  Server server({}, pages(ok));
}

}  // namespace
}  // namespace cnx::console
