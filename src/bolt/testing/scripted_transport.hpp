// A transport whose other end is a StubServer in the same thread, with faults on request. For tests
// only.
#pragma once

#include <optional>

#include "bolt/testing/stub_server.hpp"
#include "bolt/transport.hpp"

namespace bolt::testing {

struct Faults {
  enum class Kind { broken, closed, silent };
  // The first of the transport's calls that fails, and all after it; SIZE_MAX: none.
  size_t at_call = SIZE_MAX;
  Kind kind = Kind::broken;
  // Bytes that one call moves at most.
  size_t piece = SIZE_MAX;
};

// One thread. The server outlives it.
class ScriptedTransport final : public Transport {
 public:
  ScriptedTransport(StubServer& server, Faults faults) : server_(server), faults_(faults) {}

  cnx::Result<std::optional<size_t>> read(std::span<std::byte> into) override {
    if (faulty()) return faults_.kind == Faults::Kind::closed ? ended() : fault();
    cnx::Bytes& output = server_.output();
    if (output.empty()) return server_.closed() ? ended() : std::nullopt;
    size_t count = std::min({into.size(), output.size(), faults_.piece});
    auto end = output.begin() + static_cast<std::ptrdiff_t>(count);
    std::copy(output.begin(), end, into.begin());
    output.erase(output.begin(), end);
    return count;
  }
  cnx::Result<std::optional<size_t>> write(cnx::BytesView from) override {
    if (faulty()) return fault();
    if (server_.closed())
      return cnx::fail(cnx::ErrorKind::unavailable, "written to a closed connection");
    size_t count = std::min(from.size(), faults_.piece);
    server_.receive(from.first(count));
    return count;
  }
  // No descriptor: a wait for it ends with the deadline.
  int fd() const override { return -1; }
  void close() override { closed_ = true; }
  bool closed() const { return closed_; }

 private:
  bool faulty() { return calls_++ >= faults_.at_call; }
  static std::optional<size_t> ended() { return size_t{0}; }
  cnx::Result<std::optional<size_t>> fault() const {
    if (faults_.kind == Faults::Kind::silent) return std::nullopt;
    return cnx::fail(cnx::ErrorKind::unavailable, "the test cut the connection");
  }

  StubServer& server_;
  Faults faults_;
  size_t calls_ = 0;
  bool closed_ = false;
};

}  // namespace bolt::testing
