// Stub servers behind a real port of the loopback, each connection on a thread of its own, plain or
// over TLS. For tests of what dials. For tests only.
#pragma once

#include <arpa/inet.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

#include "bolt/testing/certificates.hpp"
#include "bolt/testing/stub_server.hpp"

namespace bolt::testing {

class StubListener {
 public:
  // Makes the server of each connection; called with its number, from 0 on, from the listener's
  // threads.
  using Make = std::function<StubServer(size_t)>;

  // `identity` null: plain.
  explicit StubListener(Make make, const Identity* identity = nullptr) : make_(std::move(make)) {
    if (identity != nullptr) {
      tls_.reset(SSL_CTX_new(TLS_server_method()));
      SSL_CTX_use_certificate(tls_.get(), identity->certificate.get());
      SSL_CTX_use_PrivateKey(tls_.get(), identity->key.get());
    }
    listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof(address);
    auto* generic = reinterpret_cast<sockaddr*>(&address);
    EXPECT_EQ(::bind(listener_, generic, size), 0);
    EXPECT_EQ(::listen(listener_, 16), 0);
    ::getsockname(listener_, generic, &size);
    port_ = ntohs(address.sin_port);
    acceptor_ = std::jthread([this] { accept_all(); });
  }
  ~StubListener() { stop(); }
  StubListener(const StubListener&) = delete;
  StubListener& operator=(const StubListener&) = delete;

  uint16_t port() const { return port_; }
  std::string address() const { return "127.0.0.1:" + std::to_string(port_); }
  size_t connections() const { return accepted_; }
  // Closes all connections, as a server that dies does; new ones are still taken.
  void cut() {
    std::lock_guard lock(mutex_);
    for (int descriptor : open_) ::shutdown(descriptor, SHUT_RDWR);
  }
  // Takes no more connections and closes those it has.
  void stop() {
    if (stopping_.exchange(true)) return;
    ::shutdown(listener_, SHUT_RDWR);
    acceptor_.join();
    cut();
    threads_.clear();
    ::close(listener_);
  }
  // The requests of connection `number`, by tag, once it has ended.
  std::vector<uint8_t> requests_of(size_t number) const {
    std::lock_guard lock(mutex_);
    return number < requests_.size() ? requests_[number] : std::vector<uint8_t>();
  }

 private:
  void accept_all() {
    while (true) {
      int descriptor = ::accept(listener_, nullptr, nullptr);
      if (descriptor < 0) return;
      std::lock_guard lock(mutex_);
      size_t number = accepted_++;
      open_.push_back(descriptor);
      requests_.emplace_back();
      threads_.emplace_back([this, descriptor, number] { serve(descriptor, number); });
    }
  }

  void serve(int descriptor, size_t number) {
    // OpenSSL writes without MSG_NOSIGNAL here; on this thread alone, so that the client under test
    // has to do without signals.
    sigset_t broken_pipe;
    sigemptyset(&broken_pipe);
    sigaddset(&broken_pipe, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &broken_pipe, nullptr);
    StubServer server = make_(number);
    std::unique_ptr<SSL, decltype(&SSL_free)> session(nullptr, SSL_free);
    bool up = true;
    if (tls_ != nullptr) {
      session.reset(SSL_new(tls_.get()));
      SSL_set_fd(session.get(), descriptor);
      up = SSL_accept(session.get()) == 1;
    }
    std::array<std::byte, 65536> buffer;
    while (up && !server.closed()) {
      long count = session ? SSL_read(session.get(), buffer.data(), static_cast<int>(buffer.size()))
                           : ::recv(descriptor, buffer.data(), buffer.size(), 0);
      if (count <= 0) break;
      server.receive(cnx::BytesView(buffer).first(static_cast<size_t>(count)));
      cnx::Bytes answer = std::exchange(server.output(), {});
      for (size_t at = 0; up && at < answer.size();) {
        cnx::BytesView left = cnx::BytesView(answer).subspan(at);
        long sent = session ? SSL_write(session.get(), left.data(), static_cast<int>(left.size()))
                            : ::send(descriptor, left.data(), left.size(), MSG_NOSIGNAL);
        up = sent > 0;
        at += up ? static_cast<size_t>(sent) : 0;
      }
    }
    std::lock_guard lock(mutex_);
    for (const Structure& request : server.requests()) requests_[number].push_back(request.tag);
    std::erase(open_, descriptor);
    session.reset();
    ::close(descriptor);
  }

  Make make_;
  std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> tls_{nullptr, SSL_CTX_free};
  int listener_ = -1;
  uint16_t port_ = 0;
  std::atomic<size_t> accepted_ = 0;
  std::atomic<bool> stopping_ = false;
  mutable std::mutex mutex_;
  std::vector<int> open_;
  std::vector<std::vector<uint8_t>> requests_;
  std::jthread acceptor_;
  std::vector<std::jthread> threads_;
};

}  // namespace bolt::testing
