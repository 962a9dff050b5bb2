// A Neo4j that answers what it is asked for by a script of records. For tests.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <vector>

#include "bolt/connection.hpp"
#include "bolt/testing/scripted_transport.hpp"

namespace cnx::apply::testing {

const TimePoint kDeadline = Clock::now() + std::chrono::seconds(10);

// A connection to a server that answers as many queries with one record each, or none.
struct Answering {
  bolt::testing::StubServer server;
  std::optional<bolt::Connection> connection;

  explicit Answering(const std::vector<std::optional<bolt::List>>& answers) {
    for (const std::optional<bolt::List>& answer : answers) {
      server.on(bolt::Request::run, {bolt::testing::success(bolt::Map{{"fields", bolt::List{}}})});
      std::vector<Bytes> messages;
      if (answer) messages.push_back(bolt::testing::record(*answer));
      messages.push_back(bolt::testing::success());
      server.on(bolt::Request::pull, std::move(messages));
    }
    auto transport =
        std::make_unique<bolt::testing::ScriptedTransport>(server, bolt::testing::Faults{});
    auto opened = bolt::Connection::open_over(std::move(transport), {}, kDeadline);
    EXPECT_TRUE(opened) << opened.error().describe();
    if (opened) connection = *std::move(opened);
  }
};

}  // namespace cnx::apply::testing
