// Reads what people write to name a server into Options.
//
//   scheme://[user[:password]@]host[:port][/][?key=value&…]
//   scheme   bolt, bolt+s, bolt+ssc: one server; neo4j, neo4j+s, neo4j+ssc: routed. +s: TLS,
//   verified; +ssc: TLS, not verified host     a name, an IPv4 address, or an IPv6 address in
//   brackets; port 7687 by default user, password, keys and values are percent-decoded; the query
//   is the routing context and belongs to neo4j schemes alone
#pragma once

#include <string_view>

#include "base/result.hpp"
#include "bolt/options.hpp"

namespace bolt {

// Options of their defaults but for what the URL says. invalid: with what is wrong; the URL itself,
// which may hold a password, is never in the error.
cnx::Result<Options> parse_url(std::string_view url);

}  // namespace bolt
