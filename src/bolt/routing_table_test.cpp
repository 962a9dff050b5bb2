#include "bolt/routing_table.hpp"

#include <gtest/gtest.h>

#include "bolt/exchange.hpp"
#include "bolt/testing/golden.hpp"

namespace bolt {
namespace {

using std::chrono_literals::operator""s;
using Mode = TransactionOptions::Mode;

Map metadata(int64_t ttl, List servers) {
  return {{"rt", Map{{"ttl", ttl}, {"servers", std::move(servers)}, {"db", "neo4j"}}}};
}

Value entry(const char* role, List addresses) {
  return Map{{"role", role}, {"addresses", std::move(addresses)}};
}

TEST(RoutingTable, tells_who_does_what_and_until_when) {
  cnx::TimePoint now{};
  RoutingTable table =
      RoutingTable::parse(metadata(300, {entry("WRITE", {"a:1"}), entry("READ", {"b:2", "[::1]:3"}),
                                         entry("ROUTE", {"a:1"}), entry("DANCE", {"c:4"})}),
                          now)
          .value();
  EXPECT_EQ(table.writers, (std::vector<Address>{{"a", 1}}));
  EXPECT_EQ(table.readers, (std::vector<Address>{{"b", 2}, {"::1", 3}}));
  EXPECT_EQ(table.routers, (std::vector<Address>{{"a", 1}}));
  EXPECT_TRUE(table.serves(Mode::write, now + 299s));
  EXPECT_FALSE(table.serves(Mode::read, now + 300s));
  table.forget_writer({"a", 1});
  EXPECT_FALSE(table.serves(Mode::write, now));
  EXPECT_TRUE(table.serves(Mode::read, now));
  table.forget({"a", 1});
  EXPECT_FALSE(table.serves(Mode::read, now)) << "there is no router";
}

TEST(RoutingTable, a_captured_answer_of_neo4j_is_read) {
  size_t found = 0;
  for (const auto& golden : testing::read_golden()) {
    if (golden.from_client || golden.name.find(" route ") == std::string::npos) continue;
    ++found;
    auto message = unpack_structure(testing::dechunk(golden.bytes), golden.dialect).value();
    auto table = RoutingTable::parse(*message.fields[0].get_if<Map>(), {});
    ASSERT_TRUE(table) << table.error().describe();
    EXPECT_EQ(table->writers.at(0).host, "localhost");
  }
  EXPECT_GT(found, 0u);
}

TEST(RoutingTable, no_writer_is_a_table_and_no_router_is_none) {
  EXPECT_TRUE(
      RoutingTable::parse(metadata(1, {entry("READ", {"a:1"}), entry("ROUTE", {"a:1"})}), {}));
  EXPECT_FALSE(
      RoutingTable::parse(metadata(1, {entry("READ", {"a:1"}), entry("WRITE", {"a:1"})}), {}));
  EXPECT_FALSE(
      RoutingTable::parse(metadata(1, {entry("ROUTE", {"a:1"}), entry("WRITE", {"a:1"})}), {}));
}

TEST(RoutingTable, everything_else_is_malformed) {
  Value good = entry("ROUTE", {"a:1"});
  for (const Map& bad :
       {Map{}, Map{{"rt", 1}}, metadata(-1, {good}), metadata(1, {Value(1)}),
        metadata(1, {Map{{"role", "READ"}}}), metadata(1, {entry("READ", {Value(7)})}),
        metadata(1, {entry("READ", {"a"})}), metadata(1, {entry("READ", {":1"})}),
        metadata(1, {entry("READ", {"a:0"})}), metadata(1, {entry("READ", {"a:65536"})}),
        metadata(1, {entry("READ", {"a:1x"})}), metadata(1, {entry("READ", {""})})}) {
    auto table = RoutingTable::parse(bad, {});
    ASSERT_FALSE(table);
    EXPECT_EQ(table.error().kind(), cnx::ErrorKind::malformed);
  }
}

TEST(RoutingTable, lives_a_day_at_most) {
  auto table = RoutingTable::parse(metadata(std::numeric_limits<int64_t>::max(),
                                            {entry("READ", {"a:1"}), entry("ROUTE", {"a:1"})}),
                                   {});
  EXPECT_EQ(table->expires, cnx::TimePoint{} + 86400s);
}

TEST(Address, puts_ipv6_in_brackets) {
  EXPECT_EQ((Address{"::1", 7687}.to_string()), "[::1]:7687");
  EXPECT_EQ(Address::parse("[::1]:7687").value(), (Address{"::1", 7687}));
  EXPECT_EQ((Address{"host", 1}.to_string()), "host:1");
}

}  // namespace
}  // namespace bolt
