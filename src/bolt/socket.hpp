// A TCP connection: the plain transport, and what TLS stands on.
#pragma once

#include <string>

#include "base/clock.hpp"
#include "bolt/transport.hpp"

namespace bolt {

// One thread, movable. Owns the descriptor; non-blocking, without Nagle's delay, with the kernel's
// keep-alive.
class Socket final : public Transport {
 public:
  // Tries the addresses of `host` in the system's order until one answers, each for its share of
  // the time left. Blocks until `deadline` at the latest, but for resolving a name, which is the
  // system's. unavailable; timeout.
  static cnx::Result<Socket> connect(const std::string& host, uint16_t port,
                                     cnx::TimePoint deadline);
  // Takes over a descriptor.
  explicit Socket(int descriptor) : descriptor_(descriptor) {}
  Socket(Socket&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}
  Socket& operator=(Socket&& other) noexcept;
  ~Socket() override { close(); }

  cnx::Result<std::optional<size_t>> read(std::span<std::byte> into) override;
  cnx::Result<std::optional<size_t>> write(cnx::BytesView from) override;
  int fd() const override { return descriptor_; }
  void close() override;

 private:
  int descriptor_ = -1;
};

// Waits until the transport is readable (or writable, where `writable`), for `deadline` at the
// latest. timeout. An interrupted wait returns early, without an error.
cnx::Status wait_for(int descriptor, bool writable, cnx::TimePoint deadline);

}  // namespace bolt
