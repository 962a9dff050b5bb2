#include "bolt/exchange.hpp"

#include <gtest/gtest.h>

#include "bolt/testing/golden.hpp"
#include "bolt/testing/random_bytes.hpp"
#include "bolt/testing/stub_server.hpp"

namespace bolt {
namespace {

using testing::chunk;
using testing::from_hex;
using testing::to_hex;

const cnx::Bytes kNoParameters = {std::byte{0xA0}};

Options plain_options() {
  Options options;
  options.notifications_minimum_severity.clear();
  options.auth = {Auth::Scheme::basic, "neo4j", cnx::Secret("secret")};
  return options;
}

// What was queued, as hexadecimal; then it counts as sent.
std::string sent_hex(Exchange& exchange) {
  std::string hex = to_hex(exchange.outgoing());
  exchange.sent(exchange.outgoing().size());
  return hex;
}

std::string golden_hex(std::string_view name, size_t number = 0) {
  for (const auto& golden : testing::read_golden()) {
    if (golden.name == name && number-- == 0) return to_hex(golden.bytes);
  }
  ADD_FAILURE() << "no golden message " << name;
  return "";
}

cnx::Status receive_all(Exchange& exchange, std::vector<cnx::Bytes> messages) {
  for (const cnx::Bytes& message : messages) CNX_TRY(exchange.receive(chunk(message)));
  return {};
}

TEST(Exchange, requests_have_the_bytes_that_neo4j_took) {
  Exchange exchange({5, 8}, plain_options());
  exchange.begin({});
  EXPECT_EQ(sent_hex(exchange), "0003b111a00000");
  cnx::Bytes parameters = from_hex("a18170c0");
  exchange.run("RETURN $p AS r", parameters);
  EXPECT_EQ(sent_hex(exchange), golden_hex("4.4 param:null C RUN"));
  exchange.pull(-1);
  EXPECT_EQ(sent_hex(exchange), "0006b13fa1816eff0000");
  exchange.discard(2);
  EXPECT_EQ(sent_hex(exchange), golden_hex("4.4 discard C DISCARD"));
  exchange.commit();
  EXPECT_EQ(sent_hex(exchange), golden_hex("4.4 tx_commit C COMMIT"));
  exchange.rollback();
  EXPECT_EQ(sent_hex(exchange), golden_hex("4.4 tx_bookmark_rollback C ROLLBACK"));
  exchange.reset();
  EXPECT_EQ(sent_hex(exchange), golden_hex("4.4 failure C RESET"));
  exchange.logoff();
  EXPECT_EQ(sent_hex(exchange), golden_hex("5.4 reauth C LOGOFF"));
  exchange.logon(plain_options().auth);
  EXPECT_EQ(sent_hex(exchange), golden_hex("5.4 connect C LOGON"));
  exchange.goodbye();
  EXPECT_EQ(sent_hex(exchange), golden_hex("4.4 goodbye C GOODBYE"));
  EXPECT_EQ(exchange.outstanding(), 9u) << "GOODBYE has no answer";
}

TEST(Exchange, a_transaction_carries_its_options) {
  Options options = plain_options();
  options.database = "neo4j";
  Exchange exchange({5, 8}, options);
  TransactionOptions write;
  write.timeout = std::chrono::seconds(5);
  write.metadata = {{"app", "cn"}};
  exchange.begin(write);
  auto begin = unpack_structure(testing::dechunk(exchange.outgoing()), {}).value();
  EXPECT_EQ(begin.fields[0],
            Value(Map{{"tx_timeout", 5000}, {"tx_metadata", Map{{"app", "cn"}}}, {"db", "neo4j"}}));
  exchange.sent(exchange.outgoing().size());
  TransactionOptions read;
  read.database = "other";
  read.mode = TransactionOptions::Mode::read;
  read.bookmarks = {"FB:1"};
  read.impersonated_user = "ann";
  exchange.run("RETURN 1", kNoParameters, read);
  auto run = unpack_structure(testing::dechunk(exchange.outgoing()), {}).value();
  EXPECT_EQ(run.fields[2], Value(Map{{"bookmarks", List{Value("FB:1")}},
                                     {"mode", "r"},
                                     {"db", "other"},
                                     {"imp_user", "ann"}}));
}

TEST(Exchange, hello_says_what_its_version_knows) {
  auto hello = [](Version version) {
    Options options = plain_options();
    options.notifications_minimum_severity = "OFF";
    Exchange exchange(version, options);
    exchange.hello(options);
    return *unpack_structure(testing::dechunk(exchange.outgoing()), {})
                .value()
                .fields[0]
                .get_if<Map>();
  };
  for (Version version : known_versions()) {
    SCOPED_TRACE(version.to_string());
    Map map = hello(version);
    EXPECT_NE(map.find("user_agent"), nullptr);
    EXPECT_EQ(map.find("bolt_agent") != nullptr, version >= (Version{5, 3}));
    EXPECT_EQ(map.find("patch_bolt") != nullptr, version == (Version{4, 4}));
    EXPECT_EQ(map.find("credentials") != nullptr, version <= (Version{5, 0}));
    EXPECT_EQ(map.find("notifications_minimum_severity") != nullptr, version >= (Version{5, 2}));
    EXPECT_EQ(map.find("routing"), nullptr);
  }
}

TEST(Exchange, captured_conversations_are_understood_one_byte_at_a_time) {
  // The requests that the capture shows are made; the server's bytes must answer each of them, in
  // order.
  std::optional<Exchange> exchange;
  std::string conversation;
  size_t replies = 0;
  for (const auto& golden : testing::read_golden()) {
    if (golden.message == "HANDSHAKE" || golden.message == "HANDSHAKE_CHOICE") continue;
    if (golden.from_client) continue;
    SCOPED_TRACE(golden.name);
    // UUIDs come from 6.1 alone, which is never chosen, but can be read.
    Exchange one(golden.dialect.version, plain_options());
    if (golden.dialect.utc && golden.dialect.version < Version{5, 0}) {
      one.hello(plain_options());
      ASSERT_TRUE(one.receive(chunk(testing::success(Map{{"patch_bolt", List{Value("utc")}}}))));
      EXPECT_TRUE(one.take_reply()->ok());
    }
    one.pull(-1);
    for (std::byte byte : golden.bytes) ASSERT_TRUE(one.receive(cnx::BytesView(&byte, 1)));
    if (golden.message == "RECORD") {
      ASSERT_TRUE(one.receive(chunk(testing::success())));
    }
    auto reply = one.take_reply();
    ASSERT_TRUE(reply);
    ++replies;
    EXPECT_EQ(reply->records.size(), golden.message == "RECORD" ? 1u : 0u);
    EXPECT_EQ(reply->ok(), golden.message == "RECORD" || golden.message == "SUCCESS");
    EXPECT_EQ(reply->outcome == Reply::Outcome::ignored, golden.message == "IGNORED");
    if (golden.message == "FAILURE") {
      EXPECT_TRUE(reply->failure.code.starts_with("Neo.ClientError."));
    }
  }
  EXPECT_GT(replies, 200u);
}

TEST(Exchange, replies_are_paired_with_their_requests_in_order) {
  Exchange exchange({5, 8}, plain_options());
  exchange.begin({});
  exchange.run("RETURN 1", kNoParameters);
  exchange.pull(-1);
  exchange.commit();
  ASSERT_TRUE(
      receive_all(exchange, {testing::success(), testing::success({{"fields", List{Value("x")}}}),
                             testing::record({Value(1)}), testing::record({Value(2)}),
                             testing::success(), testing::success({{"bookmark", "FB:x"}})}));
  EXPECT_EQ(exchange.outstanding(), 0u);
  EXPECT_EQ(exchange.take_reply()->request, Request::begin);
  EXPECT_EQ(exchange.take_reply()->request, Request::run);
  auto pull = exchange.take_reply();
  EXPECT_EQ(pull->request, Request::pull);
  EXPECT_EQ(pull->records, (std::vector<List>{{Value(1)}, {Value(2)}}));
  EXPECT_EQ(*exchange.take_reply()->metadata.get_if<std::string>("bookmark"), "FB:x");
  EXPECT_FALSE(exchange.take_reply());
}

TEST(Exchange, a_failure_is_told_and_what_follows_is_ignored_until_reset) {
  Exchange exchange({5, 8}, plain_options());
  exchange.run("RETURN 1/0", kNoParameters);
  exchange.pull(-1);
  exchange.commit();
  ASSERT_TRUE(receive_all(
      exchange, {testing::success(), testing::record({Value(1)}),
                 testing::failure("Neo.ClientError.Statement.ArithmeticError", "/ by zero"),
                 testing::ignored()}));
  EXPECT_TRUE(exchange.failed());
  EXPECT_TRUE(exchange.take_reply()->ok());
  auto failed = exchange.take_reply();
  EXPECT_EQ(failed->records.size(), 1u);
  EXPECT_EQ(failed->failure.to_error().kind(), cnx::ErrorKind::server);
  EXPECT_EQ(failed->failure.to_error().code(), "Neo.ClientError.Statement.ArithmeticError");
  EXPECT_EQ(failed->failure.gql_status, "50N42");
  EXPECT_EQ(exchange.take_reply()->outcome, Reply::Outcome::ignored);
  exchange.reset();
  ASSERT_TRUE(receive_all(exchange, {testing::success()}));
  EXPECT_FALSE(exchange.failed());
}

TEST(Exchange, answers_out_of_turn_are_malformed) {
  cnx::Bytes success = testing::success();
  cnx::Bytes record = testing::record({Value(1)});
  cnx::Bytes failure = testing::failure("Neo.ClientError.X.Y");
  struct Case {
    const char* what;
    std::vector<cnx::Bytes> messages;
  };
  for (const Case& one : {
           Case{"more answers than requests", {success, success, success, success}},
           Case{"a record of RUN", {record}},
           Case{"a success after a failure", {failure, success}},
           Case{"a record after a failure", {failure, record}},
           Case{"a success without metadata", {from_hex("b070")}},
           Case{"a success with a number", {from_hex("b17001")}},
           Case{"a failure with a string", {from_hex("b17f80")}},
           Case{"a record that is no list", {success, from_hex("b17101")}},
           Case{"an ignored with fields", {from_hex("b17ea0")}},
           Case{"an unknown tag", {from_hex("b155a0")}},
           Case{"no structure", {from_hex("a0")}},
       }) {
    SCOPED_TRACE(one.what);
    Exchange exchange({5, 8}, plain_options());
    exchange.run("RETURN 1", kNoParameters);
    exchange.pull(-1);
    exchange.commit();
    cnx::Status status = receive_all(exchange, one.messages);
    ASSERT_FALSE(status);
    EXPECT_EQ(status.error().kind(), cnx::ErrorKind::malformed);
  }
}

TEST(Exchange, records_of_one_reply_are_bounded_by_bytes) {
  Options options = plain_options();
  options.reply_bytes_max = 1000;
  Exchange exchange({5, 8}, options);
  exchange.pull(5);
  exchange.pull(5);
  cnx::Bytes record = testing::record({Value(std::string(300, 'x'))});
  EXPECT_TRUE(
      receive_all(exchange, {record, record, record, testing::success({{"has_more", true}})}));
  EXPECT_TRUE(exchange.take_reply()->has_more());
  EXPECT_FALSE(receive_all(exchange, {record, record, record, record}))
      << "the second reply starts at zero";
}

TEST(Exchange, the_utc_patch_holds_only_where_the_server_grants_it) {
  for (bool granted : {true, false}) {
    Exchange exchange({4, 4}, plain_options());
    exchange.hello(plain_options());
    Map metadata;
    if (granted) metadata.add("patch_bolt", List{Value("utc")});
    ASSERT_TRUE(receive_all(exchange, {testing::success(metadata)}));
    EXPECT_EQ(exchange.dialect().utc, granted);
  }
}

TEST(Exchange, large_parameters_are_sent_whole_whatever_is_taken_at_once) {
  Exchange exchange({5, 8}, plain_options());
  cnx::Bytes parameters;
  Packer packer(parameters);
  packer.map_header(1);
  packer.string("x");
  packer.bytes(cnx::Bytes(size_t{20} << 20, std::byte{7}));
  exchange.run("RETURN $x", parameters);
  exchange.pull(-1);
  cnx::Bytes wire;
  while (!exchange.outgoing().empty()) {
    cnx::BytesView part =
        exchange.outgoing().first(std::min<size_t>(exchange.outgoing().size(), 300001));
    wire.insert(wire.end(), part.begin(), part.end());
    exchange.sent(part.size());
  }
  cnx::BytesView input(wire);
  Dechunker dechunker(size_t{64} << 20);
  ASSERT_TRUE(dechunker.take(input).value());
  auto run = unpack_structure(dechunker.message(), {}).value();
  EXPECT_EQ(run.fields[1].get_if<Map>()->get_if<cnx::Bytes>("x")->size(), size_t{20} << 20);
  ASSERT_TRUE(dechunker.take(input).value());
  EXPECT_EQ(to_hex(dechunker.message()), "b13fa1816eff");
}

TEST(Exchange, random_bytes_are_answers_or_malformed) {
  testing::RandomBytes random;
  for (int round = 0; round < 3000; ++round) {
    Exchange exchange({5, 8}, plain_options());
    exchange.run("RETURN 1", kNoParameters);
    exchange.pull(-1);
    cnx::Bytes message = random.bytes(1 + random.below(40));
    if (round % 2 == 0) message.insert(message.begin(), {std::byte{0xB1}, std::byte{0x70}});
    cnx::Status status = exchange.receive(chunk(message));
    if (!status) {
      EXPECT_EQ(status.error().kind(), cnx::ErrorKind::malformed);
    }
  }
}

}  // namespace
}  // namespace bolt
