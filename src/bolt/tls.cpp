#include "bolt/tls.hpp"

#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <array>
#include <limits>
#include <string>

namespace bolt {
namespace {

using cnx::ErrorKind;
using cnx::Result;

template <auto kFree>
struct Free {
  template <typename T>
  void operator()(T* object) const {
    kFree(object);
  }
};
using Context = std::unique_ptr<SSL_CTX, Free<SSL_CTX_free>>;
using Session = std::unique_ptr<SSL, Free<SSL_free>>;
using BioMethod = std::unique_ptr<BIO_METHOD, Free<BIO_meth_free>>;

// The oldest reason of OpenSSL's queue, which is emptied.
std::string openssl_reason() {
  unsigned long code = ERR_get_error();
  ERR_clear_error();
  const char* reason = ERR_reason_error_string(code);
  return reason == nullptr ? "unknown reason" : reason;
}

// OpenSSL's own socket BIO would raise SIGPIPE; this one reads and writes by Socket, and keeps its
// error.
struct SocketEnd {
  Socket socket;
  std::optional<cnx::Error> error;
};

SocketEnd& end_of(BIO* bio) {
  return *static_cast<SocketEnd*>(BIO_get_data(bio));
}

int bio_result(BIO* bio, Result<std::optional<size_t>> moved, size_t* count, int retry_flags) {
  BIO_clear_retry_flags(bio);
  *count = 0;
  if (!moved) {
    end_of(bio).error = std::move(moved).error();
    return 0;
  }
  if (!*moved) {
    BIO_set_flags(bio, retry_flags | BIO_FLAGS_SHOULD_RETRY);
    return 0;
  }
  *count = **moved;
  return **moved > 0 ? 1 : 0;
}

int bio_read(BIO* bio, char* data, size_t size, size_t* count) {
  auto into = std::as_writable_bytes(std::span(data, size));
  return bio_result(bio, end_of(bio).socket.read(into), count, BIO_FLAGS_READ);
}

int bio_write(BIO* bio, const char* data, size_t size, size_t* count) {
  return bio_result(bio, end_of(bio).socket.write(std::as_bytes(std::span(data, size))), count,
                    BIO_FLAGS_WRITE);
}

// Nothing is buffered below: a flush has always succeeded. Everything else is unknown.
long bio_control(BIO*, int command, long, void*) {
  return command == BIO_CTRL_FLUSH ? 1 : 0;
}

BIO* make_bio(SocketEnd& end) {
  static const BioMethod method = [] {
    BioMethod made(BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "bolt socket"));
    BIO_meth_set_read_ex(made.get(), bio_read);
    BIO_meth_set_write_ex(made.get(), bio_write);
    BIO_meth_set_ctrl(made.get(), bio_control);
    return made;
  }();
  BIO* bio = BIO_new(method.get());
  BIO_set_data(bio, &end);
  BIO_set_init(bio, 1);
  return bio;
}

bool is_address(const std::string& host) {
  std::array<unsigned char, sizeof(in6_addr)> parsed;
  return inet_pton(AF_INET, host.c_str(), parsed.data()) == 1 ||
         inet_pton(AF_INET6, host.c_str(), parsed.data()) == 1;
}

Result<Context> make_context(const Options& options) {
  ERR_clear_error();
  Context context(SSL_CTX_new(TLS_client_method()));
  if (context == nullptr) return cnx::fail(ErrorKind::internal, "TLS: " + openssl_reason());
  SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION);
  // What is to be sent may grow, and with it move, between two tries.
  SSL_CTX_set_mode(context.get(),
                   SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  if (options.encryption == Encryption::trusting) {
    SSL_CTX_set_verify(context.get(), SSL_VERIFY_NONE, nullptr);
    return context;
  }
  SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER, nullptr);
  int loaded = options.ca_file.empty()
                   ? SSL_CTX_set_default_verify_paths(context.get())
                   : SSL_CTX_load_verify_file(context.get(), options.ca_file.c_str());
  if (loaded != 1) {
    return cnx::fail(ErrorKind::invalid, "cannot read the certificate authorities of '" +
                                             options.ca_file + "': " + openssl_reason());
  }
  return context;
}

// The certificate must be for the very host that was asked for.
bool expect_host(SSL* session, const std::string& host) {
  X509_VERIFY_PARAM* expected = SSL_get0_param(session);
  if (is_address(host)) return X509_VERIFY_PARAM_set1_ip_asc(expected, host.c_str()) == 1;
  X509_VERIFY_PARAM_set_hostflags(expected, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
  return X509_VERIFY_PARAM_set1_host(expected, host.data(), host.size()) == 1;
}

class TlsTransport final : public Transport {
 public:
  TlsTransport(Context context, Socket socket)
      : context_(std::move(context)), end_{std::move(socket), std::nullopt} {
    session_.reset(SSL_new(context_.get()));
    BIO* bio = make_bio(end_);
    SSL_set_bio(session_.get(), bio, bio);
  }

  cnx::Status connect(const Options& options, cnx::TimePoint deadline) {
    if (!is_address(options.host)) SSL_set_tlsext_host_name(session_.get(), options.host.c_str());
    if (options.encryption == Encryption::verified && !expect_host(session_.get(), options.host)) {
      return cnx::fail(ErrorKind::invalid, "no certificate can be for this host");
    }
    while (true) {
      ERR_clear_error();
      int result = SSL_connect(session_.get());
      if (result == 1) return {};
      CNX_TRY(bool again, may_go_on(result));
      if (!again)
        return cnx::fail(ErrorKind::unavailable,
                         "the server closed the connection; it may not speak TLS");
      CNX_TRY(wait_for(fd(), wants_write_, deadline));
    }
  }

  Result<std::optional<size_t>> read(std::span<std::byte> into) override {
    ERR_clear_error();
    size_t count = 0;
    int result = SSL_read_ex(session_.get(), into.data(), into.size(), &count);
    return moved(result, count);
  }

  Result<std::optional<size_t>> write(cnx::BytesView from) override {
    ERR_clear_error();
    size_t count = 0;
    int result = SSL_write_ex(session_.get(), from.data(), from.size(), &count);
    return moved(result, count);
  }

  int fd() const override { return end_.socket.fd(); }
  bool wants_write() const override { return wants_write_; }

  void close() override {
    // One try: whoever is gone needs no farewell.
    if (fd() >= 0 && SSL_is_init_finished(session_.get()) == 1) SSL_shutdown(session_.get());
    ERR_clear_error();
    end_.socket.close();
  }

 private:
  Result<std::optional<size_t>> moved(int result, size_t count) {
    if (result == 1) {
      wants_write_ = false;
      return count;
    }
    CNX_TRY(bool again, may_go_on(result));
    if (again) return std::nullopt;
    return size_t{0};
  }

  // true: later; false: the other side has closed in order.
  Result<bool> may_go_on(int result) {
    int why = SSL_get_error(session_.get(), result);
    wants_write_ = why == SSL_ERROR_WANT_WRITE;
    if (why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE) return true;
    if (why == SSL_ERROR_ZERO_RETURN) return false;
    if (end_.error) return cnx::fail(*end_.error);
    return cnx::fail(failure());
  }

  cnx::Error failure() {
    long verified = SSL_get_verify_result(session_.get());
    if (verified != X509_V_OK && SSL_get_verify_mode(session_.get()) != SSL_VERIFY_NONE) {
      ERR_clear_error();
      return cnx::Error(ErrorKind::unavailable,
                        std::string("the server's certificate was refused: ") +
                            X509_verify_cert_error_string(verified))
          .advise(
              "the authority that signed it can be named as ca_file; the host of the URL must be "
              "one of the certificate's names");
    }
    unsigned long code = ERR_peek_error();
    if (ERR_GET_REASON(code) == SSL_R_UNEXPECTED_EOF_WHILE_READING || code == 0) {
      ERR_clear_error();
      return cnx::Error(ErrorKind::unavailable, "the server closed the connection");
    }
    if (ERR_GET_REASON(code) == SSL_R_WRONG_VERSION_NUMBER) {
      ERR_clear_error();
      return cnx::Error(ErrorKind::unavailable, "the server does not speak TLS on this port");
    }
    return cnx::Error(ErrorKind::unavailable, "TLS: " + openssl_reason());
  }

  Context context_;
  SocketEnd end_;  // Before the session, whose BIO points to it.
  Session session_;
  bool wants_write_ = false;
};

}  // namespace

Result<std::unique_ptr<Transport>> start_tls(Socket socket, const Options& options,
                                             cnx::TimePoint deadline) {
  CNX_TRY(Context context, make_context(options));
  auto transport = std::make_unique<TlsTransport>(std::move(context), std::move(socket));
  cnx::Status connected = transport->connect(options, deadline);
  if (!connected) {
    return cnx::fail(std::move(connected).error().wrap("TLS with " + options.host + ":" +
                                                       std::to_string(options.port)));
  }
  return transport;
}

}  // namespace bolt
