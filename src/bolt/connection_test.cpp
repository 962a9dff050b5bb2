#include "bolt/connection.hpp"

#include <gtest/gtest.h>

#include "bolt/testing/scripted_transport.hpp"
#include "bolt/testing/stub_server.hpp"

namespace bolt {
namespace {

using std::chrono_literals::operator""s;
using testing::failure;
using testing::Faults;
using testing::record;
using testing::ScriptedTransport;
using testing::StubServer;
using testing::success;

const cnx::Bytes kNoParameters = {std::byte{0xA0}};

Options options_of(Version version = {5, 8}) {
  Options options;
  options.version_max = version;
  options.auth = {Auth::Scheme::basic, "neo4j", cnx::Secret("hush")};
  return options;
}

// A script that is silent reaches this deadline at once, since it is over already.
cnx::TimePoint at_once() {
  return cnx::Clock::now();
}

cnx::Result<Connection> open(StubServer& server, Faults faults = {},
                             Options options = options_of()) {
  return Connection::open_over(std::make_unique<ScriptedTransport>(server, faults), options,
                               at_once());
}

void script_query(StubServer& server) {
  server.on(Request::run, {success({{"fields", List{Value("a"), Value("b")}}})})
      .on(Request::pull, {record({Value(1), Value("x")}), record({Value(2), Value("y")}),
                          success({{"bookmark", "FB:1"}, {"stats", Map{{"nodes-created", 2}}}})});
}

void script_transaction(StubServer& server) {
  server.on(Request::begin, {success()})
      .on(Request::run, {success()})
      .on(Request::pull, {record({Value(1)}), success()})
      .on(Request::run, {success()})
      .on(Request::pull, {success()})
      .on(Request::commit, {success({{"bookmark", "FB:2"}})});
}

void queue_transaction(Connection& connection) {
  connection.begin({});
  for (int statement = 0; statement < 2; ++statement) {
    connection.run("UNWIND $rows AS row CREATE (n)", kNoParameters);
    connection.pull_all();
  }
  connection.commit();
}

TEST(Connection, logs_in_over_every_known_version) {
  for (Version version : known_versions()) {
    SCOPED_TRACE(version.to_string());
    StubServer server(version);
    auto connection = open(server, {}, options_of(version));
    ASSERT_TRUE(connection) << connection.error().describe();
    EXPECT_EQ(connection->server().agent, "Neo4j/5.26.28");
    EXPECT_EQ(connection->server().version, version);
    EXPECT_EQ(connection->server().connection_id, "bolt-1");
    EXPECT_EQ(connection->server().recv_timeout, 120s);
    EXPECT_EQ(server.requests().size(), version >= (Version{5, 1}) ? 2u : 1u);
  }
}

TEST(Connection, a_refused_log_in_is_the_servers_error_without_the_password) {
  for (bool close : {false, true}) {
    StubServer server;
    server.on(Request::logon,
              {failure("Neo.ClientError.Security.Unauthorized", "The client is unauthorized")});
    if (close) server.then_close();
    auto connection = open(server);
    ASSERT_FALSE(connection);
    EXPECT_EQ(connection.error().kind(), cnx::ErrorKind::server);
    EXPECT_EQ(connection.error().code(), "Neo.ClientError.Security.Unauthorized");
    EXPECT_EQ(connection.error().describe().find("hush"), std::string::npos);
  }
}

TEST(Connection, a_refused_hello_is_told_although_log_on_was_sent_behind_it) {
  StubServer server;
  server.on(Request::hello, {failure("Neo.ClientError.Request.Invalid")});
  auto connection = open(server);
  ASSERT_FALSE(connection);
  EXPECT_EQ(connection.error().code(), "Neo.ClientError.Request.Invalid");
}

TEST(Connection, a_query_returns_its_whole_result) {
  StubServer server;
  script_query(server);
  auto connection = open(server);
  auto result = connection->query("MATCH (n) RETURN n.a AS a, n.b AS b", Map{{"x", 1}}, at_once());
  ASSERT_TRUE(result) << result.error().describe();
  EXPECT_EQ(result->fields, (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(result->records.size(), 2u);
  EXPECT_EQ(result->bookmark, "FB:1");
  EXPECT_EQ(*result->stats.get_if<int64_t>("nodes-created"), 2);
  EXPECT_EQ(server.requests()[2].fields[1], Value(Map{{"x", 1}}));
}

TEST(Connection, a_failed_query_is_recovered_and_the_connection_goes_on) {
  for (Request at : {Request::run, Request::pull}) {
    StubServer server;
    if (at == Request::pull) server.on(Request::run, {success()});
    server.on(at, {failure("Neo.ClientError.Statement.SyntaxError", "no such word")});
    script_query(server);
    auto connection = open(server);
    auto refused = connection->query("RETRUN 1", {}, at_once());
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().kind(), cnx::ErrorKind::server);
    EXPECT_EQ(refused.error().code(), "Neo.ClientError.Statement.SyntaxError");
    EXPECT_FALSE(connection->failed());
    EXPECT_TRUE(connection->query("RETURN 1", {}, at_once()));
    EXPECT_TRUE(server.script_played());
  }
}

TEST(Connection, refuses_parameters_that_cannot_be_sent) {
  StubServer server;
  auto connection = open(server);
  for (const Value& bad : {Value(7), Value(Map{{"x", "\xFF"}}), Value(Map{{"\xFF", 1}}),
                           Value(Map{{"x", List{Value(Map{{"y", "\xC3"}})}}})}) {
    auto result = connection->query("RETURN 1", bad, at_once());
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().kind(), cnx::ErrorKind::invalid);
  }
  EXPECT_EQ(connection->query("RETURN '\xFF'", {}, at_once()).error().kind(),
            cnx::ErrorKind::invalid);
  EXPECT_EQ(connection->outstanding(), 0u);
}

TEST(Connection, a_transaction_goes_out_in_one_flush_and_its_replies_come_in_order) {
  StubServer server;
  server.with_noops();
  script_transaction(server);
  auto connection = open(server);
  queue_transaction(*connection);
  EXPECT_EQ(connection->outstanding(), 6u);
  EXPECT_TRUE(connection->wants_write());
  EXPECT_TRUE(connection->pump(at_once()).value());
  EXPECT_EQ(connection->outstanding(), 0u);
  for (Request request : {Request::begin, Request::run, Request::pull, Request::run, Request::pull,
                          Request::commit}) {
    auto reply = connection->take_reply();
    ASSERT_TRUE(reply);
    EXPECT_EQ(reply->request, request);
    EXPECT_TRUE(reply->ok());
  }
  EXPECT_FALSE(connection->pump(at_once()).value());
}

TEST(Connection, a_transaction_that_fails_at_any_step_is_ignored_from_there_and_recovered) {
  const std::vector<Request> steps = {Request::begin, Request::run,  Request::pull,
                                      Request::run,   Request::pull, Request::commit};
  for (size_t failing = 0; failing < steps.size(); ++failing) {
    SCOPED_TRACE(failing);
    StubServer server;
    for (size_t step = 0; step <= failing; ++step) {
      server.on(steps[step],
                {step == failing ? failure("Neo.TransientError.Transaction.DeadlockDetected")
                                 : success()});
    }
    script_query(server);
    auto connection = open(server);
    queue_transaction(*connection);
    for (size_t step = 0; step < steps.size(); ++step) {
      auto reply = connection->await_reply(at_once());
      ASSERT_TRUE(reply);
      EXPECT_EQ(reply->request, steps[step]);
      EXPECT_EQ(reply->outcome, step < failing    ? Reply::Outcome::success
                                : step == failing ? Reply::Outcome::failure
                                                  : Reply::Outcome::ignored);
    }
    EXPECT_TRUE(connection->failed());
    EXPECT_TRUE(connection->recover(at_once()));
    EXPECT_TRUE(connection->query("RETURN 1", {}, at_once()));
  }
}

// The whole life of a connection; the error of the step that failed first.
cnx::Status whole_life(StubServer& server, Faults faults) {
  CNX_TRY(Connection connection, open(server, faults));
  CNX_TRY(connection.query("RETURN 1", {}, at_once()));
  queue_transaction(connection);
  for (int step = 0; step < 6; ++step) {
    auto reply = connection.await_reply(at_once());
    if (reply) continue;
    // It is over, and says so again.
    auto again = connection.pump(at_once());
    EXPECT_FALSE(again);
    EXPECT_EQ(again.error().kind(), reply.error().kind());
    EXPECT_FALSE(connection.alive());
    return cnx::fail(reply.error());
  }
  return {};
}

TEST(Connection, a_connection_that_breaks_at_any_call_is_an_error_of_that_kind) {
  const std::pair<Faults::Kind, cnx::ErrorKind> kinds[] = {
      {Faults::Kind::broken, cnx::ErrorKind::unavailable},
      {Faults::Kind::closed, cnx::ErrorKind::unavailable},
      {Faults::Kind::silent, cnx::ErrorKind::timeout}};
  for (auto [fault, expected] : kinds) {
    for (size_t piece : {size_t{7}, SIZE_MAX}) {
      size_t failures = 0;
      for (size_t call = 0;; ++call) {
        SCOPED_TRACE(call);
        StubServer server;
        script_query(server);
        script_transaction(server);
        cnx::Status status = whole_life(server, {.at_call = call, .kind = fault, .piece = piece});
        if (status) {
          EXPECT_TRUE(server.script_played());
          break;
        }
        ++failures;
        EXPECT_EQ(status.error().kind(), expected) << status.error().describe();
      }
      EXPECT_GT(failures, 5u);
    }
  }
}

TEST(Connection, a_server_that_closes_after_its_answer_has_answered) {
  StubServer server;
  server.on(Request::begin, {success()})
      .on(Request::commit, {success({{"bookmark", "FB:9"}})})
      .then_close();
  auto connection = open(server);
  connection->begin({});
  connection->commit();
  auto pumped = connection->pump(at_once());
  ASSERT_FALSE(pumped);
  EXPECT_EQ(pumped.error().kind(), cnx::ErrorKind::unavailable);
  EXPECT_TRUE(connection->take_reply()->ok());
  EXPECT_EQ(*connection->take_reply()->metadata.get_if<std::string>("bookmark"), "FB:9");
}

TEST(Connection, a_lost_connection_answers_each_further_query_with_its_error) {
  StubServer server;
  server.on(Request::run, {success()}).then_close();
  auto connection = open(server);
  ASSERT_TRUE(connection);
  for (int i = 0; i < 3; ++i) {
    auto result = connection->query("RETURN 1", {}, at_once());
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().kind(), cnx::ErrorKind::unavailable);
    EXPECT_FALSE(connection->alive());
  }
}

TEST(Connection, silence_beyond_the_servers_own_limit_is_a_timeout_only_while_it_owes_an_answer) {
  StubServer server;
  server.hints({{"connection.recv_timeout_seconds", 30}})
      .on(Request::run, {})
      .on(Request::pull, {});
  auto connection = open(server);
  cnx::TimePoint start = cnx::Clock::now();
  EXPECT_EQ(connection->silence_deadline(), cnx::kNever);
  EXPECT_TRUE(connection->pump(start + 1000s)) << "nothing is owed";
  connection->run("RETURN 1", kNoParameters, {});
  connection->pull_all();
  EXPECT_TRUE(connection->pump(start + 2000s)) << "counts from the first request on";
  EXPECT_EQ(connection->silence_deadline(), start + 2030s);
  EXPECT_FALSE(connection->pump(start + 2029s).value());
  server.output().resize(2);  // A NOOP is a sign of life.
  EXPECT_TRUE(connection->pump(start + 2029s).value());
  EXPECT_FALSE(connection->pump(start + 2058s).value());
  auto silent = connection->pump(start + 2059s);
  ASSERT_FALSE(silent);
  EXPECT_EQ(silent.error().kind(), cnx::ErrorKind::timeout);
}

TEST(Connection, moves_and_says_goodbye_once) {
  StubServer server;
  {
    auto opened = open(server);
    Connection first = *std::move(opened);
    Connection second = std::move(first);
    second.close();
  }
  EXPECT_EQ(server.requests().back().tag, static_cast<uint8_t>(Request::goodbye));
  EXPECT_EQ(server.requests().size(), 3u);
}

TEST(Connection, a_port_that_nobody_listens_on_is_unavailable) {
  Options options = options_of();
  options.host = "127.0.0.1";
  options.port = 1;
  auto connection = Connection::open(options, cnx::Clock::now() + 5s);
  ASSERT_FALSE(connection);
  EXPECT_EQ(connection.error().kind(), cnx::ErrorKind::unavailable);
}

}  // namespace
}  // namespace bolt
