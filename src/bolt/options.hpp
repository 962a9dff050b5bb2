// What a connection needs to know. Plain data; url.hpp reads it from a URL.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/secret.hpp"
#include "bolt/value.hpp"
#include "bolt/version.hpp"

namespace bolt {

struct Auth {
  enum class Scheme { none, basic, bearer };
  Scheme scheme = Scheme::none;
  std::string user;      // basic
  cnx::Secret password;  // basic: the password; bearer: the token
  // Asked at each log-in, in the place of `password`; empty: that one stands.
  cnx::SecretReader read_password;
};

enum class Encryption {
  none,      // bolt, neo4j
  verified,  // +s: the chain and the host name must hold
  trusting,  // +ssc: encrypted, but to whom is not known
};

struct Options {
  std::string host =
      "localhost";  // A name or an address (IPv6 without brackets). The name is what TLS verifies.
  uint16_t port = 7687;
  Auth auth;
  Encryption encryption = Encryption::none;
  // PEM file of the authorities that `verified` trusts; empty: the system's.
  std::string ca_file;
  // The database of every transaction that names none; empty: the user's home database.
  std::string database;
  // neo4j:// schemes: servers are chosen by routing tables (router.hpp). A Connection itself always
  // speaks to one server, and tells it the routing context.
  bool routing = false;
  Map routing_context;  // The query part of the URL.

  std::string user_agent = "ContextNexus/0.1";
  // "OFF", "WARNING" or "INFORMATION"; empty: the server's default. Off saves bytes and planning
  // notes. Bolt 5.2 and later.
  std::string notifications_minimum_severity = "OFF";
  // The newest version to agree on.
  Version version_max = kNewestVersion;
  // One message from the server, and all records of one reply. More is malformed: it bounds memory.
  // Ask with pull(n).
  size_t message_bytes_max = size_t{64} << 20;
  size_t reply_bytes_max = size_t{256} << 20;
};

struct TransactionOptions {
  enum class Mode { write, read };
  std::string database;  // Empty: that of Options.
  Mode mode = Mode::write;
  // The server ends the transaction after it, late by up to two seconds; zero: the server's own
  // default.
  std::chrono::milliseconds timeout{0};
  // Shown by SHOW TRANSACTIONS, in query.log, and to listeners in the server.
  Map metadata;
  // The transaction sees all that these transactions committed.
  std::vector<std::string> bookmarks;
  std::string impersonated_user;
};

}  // namespace bolt
