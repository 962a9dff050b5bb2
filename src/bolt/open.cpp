// The opening half of connection.hpp: transport, handshake, HELLO and LOGON.
#include <array>

#include "bolt/connection.hpp"
#include "bolt/dial.hpp"
#include "bolt/handshake.hpp"
#include "bolt/socket.hpp"

namespace bolt {
namespace {

using cnx::ErrorKind;
using cnx::Result;

// A day: more is no hint but a mistake.
constexpr int64_t kRecvTimeoutSecondsMax = 86400;

struct Agreed {
  Version version;
  cnx::Bytes unsent;  // The handshake's last words, to travel with HELLO.
};

// Neo4j says nothing where it wants TLS and gets none, or meets something else than Bolt.
cnx::Error closed_early() {
  return cnx::Error(ErrorKind::unavailable, "the server closed the connection")
      .advise("a server that speaks TLS only needs the scheme bolt+s or neo4j+s");
}

// The handshake's few bytes, before an exchange exists that could carry them.
Result<Agreed> shake_hands(Transport& transport, Version newest, cnx::TimePoint deadline) {
  Handshake handshake(newest);
  cnx::Bytes out = handshake.take_outgoing();
  cnx::BytesView unsent(out);
  std::array<std::byte, 512> buffer;
  while (true) {
    bool moved = false;
    if (!unsent.empty()) {
      CNX_TRY(auto count, transport.write(unsent));
      unsent = unsent.subspan(count.value_or(0));
      moved = count.has_value();
    }
    CNX_TRY(auto count, transport.read(buffer));
    if (count && *count == 0) return cnx::fail(closed_early());
    if (count) {
      cnx::BytesView input = cnx::BytesView(buffer).first(*count);
      CNX_TRY(bool done, handshake.receive(input));
      // Nothing was asked of it so far.
      if (done && !input.empty())
        return cnx::fail(ErrorKind::malformed, "bytes of the server behind the handshake");
      if (done) return Agreed{handshake.chosen(), handshake.take_outgoing()};
      moved = true;
    }
    if (!moved)
      CNX_TRY(wait_for(transport.fd(), !unsent.empty() || transport.wants_write(), deadline));
  }
}

std::string text(const Map& metadata, std::string_view key) {
  const auto* value = metadata.get_if<std::string>(key);
  return value == nullptr ? std::string() : *value;
}

cnx::Error refusal(const Reply& reply) {
  if (reply.outcome == Reply::Outcome::failure) return reply.failure.to_error();
  return cnx::Error(ErrorKind::malformed, std::string(to_string(reply.request)) + " was ignored");
}

}  // namespace

Result<Connection> Connection::open(const Options& options, cnx::TimePoint deadline) {
  if (options.auth.read_password) {
    Options read = options;
    read.auth.read_password = nullptr;
    CNX_TRY(read.auth.password, options.auth.read_password());
    return open(read, deadline);
  }
  CNX_TRY(std::unique_ptr<Transport> transport, dial(options, deadline));
  return open_over(std::move(transport), options, deadline);
}

Result<Connection> Connection::open_over(std::unique_ptr<Transport> transport,
                                         const Options& options, cnx::TimePoint deadline) {
  std::string address = options.host + ":" + std::to_string(options.port);
  Result<Agreed> agreed = shake_hands(*transport, options.version_max, deadline);
  if (!agreed) return cnx::fail(std::move(agreed).error().wrap("Bolt handshake with " + address));
  Connection connection(std::move(transport), Exchange(agreed->version, options),
                        cnx::Clock::now());
  connection.server_.address = address;
  connection.server_.version = agreed->version;
  connection.exchange_.prefix(agreed->unsent);
  CNX_TRY(connection.log_in(options, deadline));
  return connection;
}

cnx::Status Connection::log_in(const Options& options, cnx::TimePoint deadline) {
  bool logon = features(server_.version).logon;
  about_to_queue();
  exchange_.hello(options);
  if (logon) exchange_.logon(options.auth);
  for (int answers = logon ? 2 : 1; answers > 0; --answers) {
    Result<Reply> reply = await_reply(deadline);
    if (!reply) return cnx::fail(std::move(reply).error().wrap("log-in to " + server_.address));
    if (!reply->ok()) return cnx::fail(refusal(*reply).wrap("log-in to " + server_.address));
    read_log_in(*reply);
  }
  return {};
}

void Connection::read_log_in(const Reply& reply) {
  const Map& metadata = reply.metadata;
  if (reply.request == Request::hello) {
    server_.agent = text(metadata, "server");
    server_.connection_id = text(metadata, "connection_id");
    const Map* hints = metadata.get_if<Map>("hints");
    const int64_t* seconds =
        hints == nullptr ? nullptr : hints->get_if<int64_t>("connection.recv_timeout_seconds");
    if (seconds != nullptr && *seconds > 0 && *seconds <= kRecvTimeoutSecondsMax) {
      server_.recv_timeout = std::chrono::seconds(*seconds);
    }
  }
  if (const auto* address = metadata.get_if<std::string>("advertised_address"))
    server_.advertised_address = *address;
  const bool* expired = metadata.get_if<bool>("credentials_expired");
  server_.credentials_expired = server_.credentials_expired || (expired != nullptr && *expired);
}

}  // namespace bolt
