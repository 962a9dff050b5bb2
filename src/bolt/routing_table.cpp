#include "bolt/routing_table.hpp"

#include <algorithm>
#include <charconv>

namespace bolt {
namespace {

using cnx::ErrorKind;
using cnx::Result;

// A table of a day is as good as one for ever, and longer ones would overflow the clock.
constexpr int64_t kTtlSecondsMax = 86400;

cnx::Error malformed(std::string what) {
  return cnx::Error(ErrorKind::malformed, "routing table: " + std::move(what));
}

cnx::Status read_servers(const Value& entry, RoutingTable& table) {
  const Map* server = entry.get_if<Map>();
  const auto* role = server == nullptr ? nullptr : server->get_if<std::string>("role");
  const List* addresses = server == nullptr ? nullptr : server->get_if<List>("addresses");
  if (role == nullptr || addresses == nullptr)
    return cnx::fail(malformed("an entry without role or addresses"));
  // A role that later servers may invent is none of ours.
  std::vector<Address>* into = *role == "ROUTE"   ? &table.routers
                               : *role == "READ"  ? &table.readers
                               : *role == "WRITE" ? &table.writers
                                                  : nullptr;
  if (into == nullptr) return {};
  for (const Value& item : *addresses) {
    const auto* text = item.get_if<std::string>();
    if (text == nullptr) return cnx::fail(malformed("an address that is no text"));
    CNX_TRY(Address address, Address::parse(*text));
    into->push_back(std::move(address));
  }
  return {};
}

}  // namespace

std::string Address::to_string() const {
  bool brackets = host.find(':') != std::string::npos;
  return (brackets ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

Result<Address> Address::parse(std::string_view text) {
  Address address;
  size_t colon = text.rfind(':');
  if (colon == std::string_view::npos || colon == 0)
    return cnx::fail(malformed("an address without a port"));
  std::string_view port = text.substr(colon + 1);
  auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), address.port);
  if (error != std::errc{} || end != port.data() + port.size() || address.port == 0) {
    return cnx::fail(malformed("an address with an impossible port"));
  }
  std::string_view host = text.substr(0, colon);
  if (host.size() > 2 && host.front() == '[' && host.back() == ']')
    host = host.substr(1, host.size() - 2);
  address.host = host;
  return address;
}

Result<RoutingTable> RoutingTable::parse(const Map& metadata, cnx::TimePoint now) {
  const Map* map = metadata.get_if<Map>("rt");
  const int64_t* ttl = map == nullptr ? nullptr : map->get_if<int64_t>("ttl");
  const List* servers = map == nullptr ? nullptr : map->get_if<List>("servers");
  if (ttl == nullptr || servers == nullptr || *ttl < 0)
    return cnx::fail(malformed("no time to live or no servers"));
  RoutingTable table;
  table.expires = now + std::chrono::seconds(std::min(*ttl, kTtlSecondsMax));
  for (const Value& entry : *servers) CNX_TRY(read_servers(entry, table));
  if (table.routers.empty() || table.readers.empty())
    return cnx::fail(malformed("no router or no reader"));
  return table;
}

const std::vector<Address>& RoutingTable::servers_for(TransactionOptions::Mode mode) const {
  return mode == TransactionOptions::Mode::write ? writers : readers;
}

bool RoutingTable::serves(TransactionOptions::Mode mode, cnx::TimePoint now) const {
  return now < expires && !routers.empty() && !servers_for(mode).empty();
}

void RoutingTable::forget(const Address& address) {
  std::erase(routers, address);
  std::erase(readers, address);
  std::erase(writers, address);
}

void RoutingTable::forget_writer(const Address& address) {
  std::erase(writers, address);
}

}  // namespace bolt
