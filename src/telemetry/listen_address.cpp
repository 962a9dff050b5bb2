#include "telemetry/listen_address.hpp"

#include <arpa/inet.h>

#include <array>
#include <charconv>

namespace cnx::telemetry {
namespace {

bool is_numeric(const std::string& host, int family) {
  std::array<unsigned char, sizeof(in6_addr)> bytes;
  return ::inet_pton(family, host.c_str(), bytes.data()) == 1;
}

}  // namespace

bool ListenAddress::is_loopback() const { return host.starts_with("127.") || host == "::1"; }

std::string ListenAddress::to_string() const {
  if (off()) return "off";
  const bool v6 = host.find(':') != std::string::npos;
  return (v6 ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

Result<ListenAddress> parse_listen_address(std::string_view text) {
  if (text == "off") return ListenAddress();
  const auto refuse = [] {
    return fail(Error(ErrorKind::invalid, "this is no address to listen on").advise("write 127.0.0.1:9747, [::1]:9747 or off"));
  };
  const size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return refuse();
  const std::string_view port_text = text.substr(colon + 1);
  ListenAddress address{.host = std::string(text.substr(0, colon)), .port = 0};
  auto [end, error] = std::from_chars(port_text.data(), port_text.data() + port_text.size(), address.port);
  if (error != std::errc{} || end != port_text.data() + port_text.size()) return refuse();
  const bool bracketed = address.host.size() > 2 && address.host.front() == '[' && address.host.back() == ']';
  if (bracketed) address.host = address.host.substr(1, address.host.size() - 2);
  if (!is_numeric(address.host, bracketed ? AF_INET6 : AF_INET)) return refuse();
  return address;
}

}  // namespace cnx::telemetry
