#include "bolt/socket.hpp"

#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <memory>
#include <system_error>

namespace bolt {
namespace {

using cnx::ErrorKind;
using cnx::Result;

std::string system_text(int number) {
  return std::generic_category().message(number);
}

cnx::Error lost(const char* doing, int number) {
  return cnx::Error(ErrorKind::unavailable, std::string("connection to Neo4j lost while ") + doing +
                                                ": " + system_text(number));
}

bool would_block(int number) {
  return number == EAGAIN || number == EWOULDBLOCK || number == EINTR;
}

struct AddressesDelete {
  void operator()(addrinfo* list) const { freeaddrinfo(list); }
};
using Addresses = std::unique_ptr<addrinfo, AddressesDelete>;

Result<Addresses> resolve(const std::string& host, uint16_t port) {
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_NUMERICSERV;
  addrinfo* list = nullptr;
  int failed = getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &list);
  if (failed != 0) {
    return cnx::fail(ErrorKind::unavailable,
                     "cannot resolve host '" + host + "': " + gai_strerror(failed));
  }
  return Addresses(list);
}

// Before anything is sent: requests are small and go out whole, so Nagle would only delay them; and
// the kernel should notice a host that is gone although nothing is owed.
void set_options(int descriptor) {
  int on = 1;
  setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  setsockopt(descriptor, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
}

Result<Socket> connect_to(const addrinfo& address, cnx::TimePoint deadline) {
  Socket socket(::socket(address.ai_family, address.ai_socktype | SOCK_NONBLOCK | SOCK_CLOEXEC,
                         address.ai_protocol));
  if (socket.fd() < 0) return cnx::fail(ErrorKind::unavailable, "no socket: " + system_text(errno));
  set_options(socket.fd());
  if (::connect(socket.fd(), address.ai_addr, address.ai_addrlen) == 0) return socket;
  if (errno != EINPROGRESS && errno != EINTR)
    return cnx::fail(ErrorKind::unavailable, system_text(errno));
  while (true) {
    CNX_TRY(wait_for(socket.fd(), true, deadline));
    pollfd state{socket.fd(), POLLOUT, 0};
    if (::poll(&state, 1, 0) <= 0) continue;  // The wait was interrupted.
    int failure = 0;
    socklen_t size = sizeof(failure);
    getsockopt(socket.fd(), SOL_SOCKET, SO_ERROR, &failure, &size);
    if (failure != 0) return cnx::fail(ErrorKind::unavailable, system_text(failure));
    return socket;
  }
}

}  // namespace

cnx::Status wait_for(int descriptor, bool writable, cnx::TimePoint deadline) {
  pollfd state{descriptor, static_cast<short>(writable ? POLLIN | POLLOUT : POLLIN), 0};
  int ready = ::poll(&state, 1, cnx::poll_timeout(deadline, cnx::Clock::now()));
  if (ready > 0) return {};
  if (ready == 0) return cnx::fail(ErrorKind::timeout, "no answer from Neo4j in time");
  if (errno == EINTR) return {};
  return cnx::fail(ErrorKind::internal, "poll: " + system_text(errno));
}

Result<Socket> Socket::connect(const std::string& host, uint16_t port, cnx::TimePoint deadline) {
  CNX_TRY(Addresses addresses, resolve(host, port));
  int left = 0;
  for (const addrinfo* address = addresses.get(); address != nullptr; address = address->ai_next)
    ++left;
  cnx::Error last(ErrorKind::unavailable, "host has no address");
  for (const addrinfo* address = addresses.get(); address != nullptr;
       address = address->ai_next, --left) {
    cnx::TimePoint now = cnx::Clock::now();
    cnx::TimePoint share = deadline == cnx::kNever ? deadline : now + (deadline - now) / left;
    Result<Socket> socket = connect_to(*address, share);
    if (socket) return socket;
    last = std::move(socket).error();
  }
  return cnx::fail(
      std::move(last).wrap("cannot connect to " + host + " port " + std::to_string(port)));
}

Socket& Socket::operator=(Socket&& other) noexcept {
  if (this != &other) {
    close();
    descriptor_ = std::exchange(other.descriptor_, -1);
  }
  return *this;
}

Result<std::optional<size_t>> Socket::read(std::span<std::byte> into) {
  ssize_t count = ::recv(descriptor_, into.data(), into.size(), 0);
  if (count >= 0) return static_cast<size_t>(count);
  if (would_block(errno)) return std::nullopt;
  return cnx::fail(lost("reading", errno));
}

Result<std::optional<size_t>> Socket::write(cnx::BytesView from) {
  ssize_t count = ::send(descriptor_, from.data(), from.size(), MSG_NOSIGNAL);
  if (count >= 0) return static_cast<size_t>(count);
  if (would_block(errno)) return std::nullopt;
  return cnx::fail(lost("writing", errno));
}

void Socket::close() {
  if (descriptor_ >= 0) ::close(std::exchange(descriptor_, -1));
}

}  // namespace bolt
