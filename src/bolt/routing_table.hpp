// Which servers of a cluster do what, as ROUTE tells it. Pure data; router.hpp asks for it and uses
// it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "bolt/options.hpp"
#include "bolt/value.hpp"

namespace bolt {

struct Address {
  std::string host;
  uint16_t port = 7687;
  // "host:port", an IPv6 host in brackets.
  std::string to_string() const;
  // malformed.
  static cnx::Result<Address> parse(std::string_view text);
  friend bool operator==(const Address&, const Address&) = default;
};

struct RoutingTable {
  std::vector<Address> routers;
  std::vector<Address> readers;
  std::vector<Address> writers;
  cnx::TimePoint expires = cnx::TimePoint::min();

  // From the metadata of ROUTE's SUCCESS. malformed: no table in it, or one without routers or
  // readers (a cluster that elects its leader has no writer for a while, which is no fault of the
  // table).
  static cnx::Result<RoutingTable> parse(const Map& metadata, cnx::TimePoint now);

  const std::vector<Address>& servers_for(TransactionOptions::Mode mode) const;
  // Not expired, and somebody is there for it.
  bool serves(TransactionOptions::Mode mode, cnx::TimePoint now) const;
  void forget(const Address& address);
  void forget_writer(const Address& address);
};

}  // namespace bolt
