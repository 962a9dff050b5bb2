#include "bolt/tls.hpp"

#include <gtest/gtest.h>

#include "bolt/connection.hpp"
#include "bolt/testing/stub_listener.hpp"

namespace bolt {
namespace {

using std::chrono_literals::operator""s;
using testing::CertificateOptions;
using testing::Identity;
using testing::StubListener;
using testing::StubServer;
using testing::success;

// Long enough for a loaded machine; never waited out by a test that passes.
cnx::TimePoint patient() {
  return cnx::Clock::now() + 20s;
}

class Tls : public ::testing::Test {
 protected:
  void SetUp() override {
    CertificateOptions authority;
    authority.authority = true;
    authority_ = testing::make_identity("Test authority", authority);
    ca_file_ = ::testing::TempDir() + "bolt_tls_test_" + std::to_string(::getpid()) + ".pem";
    ASSERT_TRUE(authority_.write_pem(ca_file_));
  }
  void TearDown() override { std::remove(ca_file_.c_str()); }

  CertificateOptions signed_for(std::string names) const {
    CertificateOptions options;
    options.names = std::move(names);
    options.issuer = &authority_;
    return options;
  }
  Options options_for(const StubListener& listener,
                      Encryption encryption = Encryption::verified) const {
    Options options;
    options.host = "127.0.0.1";
    options.port = listener.port();
    options.encryption = encryption;
    options.ca_file = ca_file_;
    options.auth = {Auth::Scheme::basic, "neo4j", cnx::Secret("hush")};
    return options;
  }
  static StubServer idle_server(size_t) { return StubServer(); }

  // What opening says; the server must then not have heard a word of Bolt.
  cnx::Error refusal(const Identity* identity, Options (*change)(Options) = nullptr) {
    StubListener listener(idle_server, identity);
    Options options = options_for(listener);
    if (change != nullptr) options = change(options);
    auto connection = Connection::open(options, patient());
    EXPECT_FALSE(connection);
    listener.stop();
    EXPECT_TRUE(listener.requests_of(0).empty()) << "credentials were sent";
    return connection ? cnx::Error(cnx::ErrorKind::internal, "it opened") : connection.error();
  }

  Identity authority_;
  std::string ca_file_;
};

TEST_F(Tls, a_certificate_for_the_host_lets_a_conversation_through) {
  for (auto [names, host] :
       {std::pair{"IP:127.0.0.1", "127.0.0.1"}, std::pair{"DNS:localhost", "localhost"}}) {
    SCOPED_TRACE(host);
    Identity server = testing::make_identity("server", signed_for(names));
    std::string text(300000, 'x');
    StubListener listener(
        [&](size_t) {
          StubServer stub;
          stub.on(Request::run, {success()})
              .on(Request::pull, {testing::record({Value(text)}), success()});
          return stub;
        },
        &server);
    Options options = options_for(listener);
    options.host = host;
    auto connection = Connection::open(options, patient());
    ASSERT_TRUE(connection) << connection.error().describe();
    auto result = connection->query("RETURN $x", Map{{"x", std::string(5 << 20, 'y')}}, patient());
    ASSERT_TRUE(result) << result.error().describe();
    EXPECT_EQ(result->records[0][0], Value(text));
  }
}

TEST_F(Tls, a_certificate_of_another_host_is_refused_before_credentials_are_sent) {
  for (const char* names : {"IP:127.0.0.2", "DNS:localhost", "DNS:127.0.0.1"}) {
    Identity server = testing::make_identity("127.0.0.1", signed_for(names));
    cnx::Error error = refusal(&server);
    EXPECT_EQ(error.kind(), cnx::ErrorKind::unavailable);
    EXPECT_NE(error.describe().find("mismatch"), std::string::npos) << error.describe();
  }
}

TEST_F(Tls, an_expired_or_future_certificate_is_refused) {
  CertificateOptions expired = signed_for("IP:127.0.0.1");
  expired.valid_to_seconds = -60;
  Identity old = testing::make_identity("server", expired);
  EXPECT_NE(refusal(&old).describe().find("certificate has expired"), std::string::npos);
  CertificateOptions future = signed_for("IP:127.0.0.1");
  future.valid_from_seconds = 1800;
  Identity young = testing::make_identity("server", future);
  EXPECT_NE(refusal(&young).describe().find("not yet valid"), std::string::npos);
}

TEST_F(Tls, a_self_signed_certificate_and_one_of_another_authority_are_refused) {
  CertificateOptions alone;
  alone.names = "IP:127.0.0.1";
  Identity self_signed = testing::make_identity("server", alone);
  EXPECT_NE(refusal(&self_signed).describe().find("self-signed"), std::string::npos);
  CertificateOptions authority;
  authority.authority = true;
  Identity other = testing::make_identity("Other authority", authority);
  CertificateOptions signed_by_other = alone;
  signed_by_other.issuer = &other;
  Identity stranger = testing::make_identity("server", signed_by_other);
  EXPECT_NE(refusal(&stranger).describe().find("issuer"), std::string::npos);
}

TEST_F(Tls, the_systems_authorities_do_not_know_ours) {
  Identity server = testing::make_identity("server", signed_for("IP:127.0.0.1"));
  cnx::Error error = refusal(&server, [](Options options) {
    options.ca_file.clear();
    return options;
  });
  EXPECT_NE(error.describe().find("certificate was refused"), std::string::npos)
      << error.describe();
}

TEST_F(Tls, a_server_without_tls_is_refused_and_never_spoken_to_in_plain) {
  cnx::Error error = refusal(nullptr);
  EXPECT_EQ(error.kind(), cnx::ErrorKind::unavailable);
}

TEST_F(Tls, a_plain_client_does_not_pass_a_tls_server) {
  Identity server = testing::make_identity("server", signed_for("IP:127.0.0.1"));
  refusal(&server, [](Options options) {
    options.encryption = Encryption::none;
    return options;
  });
}

TEST_F(Tls, trusting_takes_any_certificate) {
  CertificateOptions expired;
  expired.names = "DNS:elsewhere";
  expired.valid_to_seconds = -60;
  Identity server = testing::make_identity("server", expired);
  StubListener listener(idle_server, &server);
  auto connection = Connection::open(options_for(listener, Encryption::trusting), patient());
  EXPECT_TRUE(connection) << connection.error().describe();
}

TEST_F(Tls, a_ca_file_that_is_not_there_is_invalid) {
  Identity server = testing::make_identity("server", signed_for("IP:127.0.0.1"));
  cnx::Error error = refusal(&server, [](Options options) {
    options.ca_file = "/nowhere/ca.pem";
    return options;
  });
  EXPECT_EQ(error.kind(), cnx::ErrorKind::invalid);
}

TEST_F(Tls, a_cut_connection_is_unavailable) {
  Identity server = testing::make_identity("server", signed_for("IP:127.0.0.1"));
  StubListener listener(
      [](size_t) {
        StubServer stub;
        stub.on(Request::run, {}).then_close();
        return stub;
      },
      &server);
  auto connection = Connection::open(options_for(listener), patient());
  ASSERT_TRUE(connection);
  auto result = connection->query("RETURN 1", {}, patient());
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().kind(), cnx::ErrorKind::unavailable) << result.error().describe();
}

}  // namespace
}  // namespace bolt
