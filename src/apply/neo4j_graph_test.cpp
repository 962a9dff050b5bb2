#include "apply/neo4j_graph.hpp"

#include <gtest/gtest.h>
#include <poll.h>

#include <deque>

#include "apply/position.hpp"
#include "apply/testing/counted_table.hpp"
#include "bolt/testing/stub_listener.hpp"
#include "mapping/merge.hpp"

namespace cnx::apply {
namespace {

using bolt::Request;
using bolt::Value;
using bolt::testing::failure;
using bolt::testing::record;
using bolt::testing::StubListener;
using bolt::testing::StubServer;
using bolt::testing::success;
using change::Lsn;

constexpr std::string_view kGuarded = R"(
version: 1
name: counted
tables:
  counted: {node: Counted, key: id, version: value}
)";
constexpr const char* kDivisionByZero = "Neo.ClientError.Statement.ArithmeticError";

// Long enough for a loaded machine; never waited out by a test that passes.
TimePoint patient() {
  return Clock::now() + std::chrono::seconds(20);
}

StubServer with_position() {
  StubServer server;
  server.on(Request::run, {success(bolt::Map{{"fields", bolt::List{}}})});
  server.on(Request::pull,
            {record({Value(int64_t{500}), Value(int64_t{0}), Value(int64_t{3}), Value("stream"),
                     Value(false), Value("77"), Value(int64_t{1}), Value("knowledge"),
                     Value("contextnexus"), Value("f"), Value(int64_t{1}), Value(int64_t{0}), Value("0/1F4"),
                     Value(int64_t{0}), Value(int64_t{0})}),
             success()});
  return server;
}

class Neo4jGraphTest : public ::testing::Test {
 protected:
  Neo4jGraphTest() {
    auto bound = mapping::bind(*table_.model().find_node({"public", "counted"}), table_.relation,
                               postgres::TypeCatalog::built_in());
    EXPECT_TRUE(bound) << bound.error().describe();
    mapping::Merge merge(table_.model());
    change::RowChange row = table_.row({Lsn(600), 1}, 1, "5");
    row.operation = change::Operation::update;
    EXPECT_TRUE(merge.add(*bound, row));
    batch_.from = {.position = {Lsn(500), 0}};
    batch_.to = {.position = {Lsn(648), 0}};
    batch_.mutations = merge.take();
  }

  // Serves the first connection with `first`, those that follow with a position and nothing else.
  void serve(std::function<StubServer()> first) {
    listener_.emplace([first = std::move(first)](size_t number) {
      return number == 0 ? first() : with_position();
    });
    Neo4jGraphOptions options{.pipeline = "p", .lane = "p/0"};
    options.connection.host = "127.0.0.1";
    options.connection.port = listener_->port();
    graph_.emplace(options, plan_);
  }

  // A server that has the position and then takes the transaction; `conflict`: its statements
  // report one.
  static StubServer taking(size_t statements, bool conflict, bool apart = true) {
    StubServer server = with_position();
    server.on(Request::begin, {success()});
    if (apart) server.on(Request::run, {success()}).on(Request::pull, {success()});
    for (size_t i = 0; i < statements; ++i) {
      server.on(Request::run, {success()});
      bolt::List met;
      if (conflict) met.push_back(bolt::List{Value(7), Value(true)});
      server.on(Request::pull, {record({Value(std::move(met))}), success()});
    }
    server.on(Request::commit, {success()});
    return server;
  }

  Result<Applied> apply(Part part = {.apart = true}) {
    CNX_TRY(StoredPosition stored, graph_->open(patient()));
    prepared_ = graph_->prepare(batch_);
    graph_->submit(batch_, *prepared_, part, stored.epoch, Clock::now());
    const TimePoint deadline = patient();
    while (Clock::now() < deadline) {
      CNX_TRY(std::optional<Applied> applied, graph_->poll(Clock::now()));
      if (applied) return *applied;
      pollfd descriptor{graph_->descriptor(), POLLIN, 0};
      if (graph_->wants_write()) descriptor.events |= POLLOUT;
      ::poll(&descriptor, 1, poll_timeout(deadline, Clock::now()));
    }
    return fail(ErrorKind::internal, "the test's patience is over");
  }

  size_t statements() const { return plan_.statements(batch_.mutations).size(); }

  testing::CountedTable table_{kGuarded};
  cypher::Plan plan_{table_.model()};
  Batch batch_;
  std::optional<StubListener> listener_;
  std::optional<Neo4jGraph> graph_;
  std::unique_ptr<PreparedBatch> prepared_;
};

TEST_F(Neo4jGraphTest, is_one_transaction_led_by_the_position) {
  const size_t count = statements();
  ASSERT_GE(count, 1u);
  serve([count] { return taking(count, false); });
  Result<Applied> applied = apply();
  ASSERT_TRUE(applied) << applied.error().describe();
  EXPECT_TRUE(applied->conflicts.empty());
  graph_->close();
  listener_->stop();
  const std::vector<uint8_t> requests = listener_->requests_of(0);
  std::vector<uint8_t> transaction(
      std::find(requests.begin(), requests.end(), static_cast<uint8_t>(Request::begin)),
      requests.end());
  std::vector<uint8_t> wanted = {static_cast<uint8_t>(Request::begin)};
  for (size_t i = 0; i < 1 + count; ++i) {
    wanted.push_back(static_cast<uint8_t>(Request::run));
    wanted.push_back(static_cast<uint8_t>(Request::pull));
  }
  wanted.push_back(static_cast<uint8_t>(Request::commit));
  wanted.push_back(static_cast<uint8_t>(Request::goodbye));
  EXPECT_EQ(transaction, wanted);
}

TEST_F(Neo4jGraphTest, few_rows_of_one_statement_are_one_with_the_position) {
  ASSERT_EQ(statements(), 1u);
  serve([] { return taking(1, true, false); });
  Result<Applied> applied = apply({});
  ASSERT_TRUE(applied) << applied.error().describe();
  ASSERT_EQ(applied->conflicts.size(), 1u);
  EXPECT_EQ(applied->conflicts[0].key, "7");
  graph_->close();
  listener_->stop();
  const std::vector<uint8_t> requests = listener_->requests_of(0);
  EXPECT_EQ(std::count(requests.begin(), requests.end(), static_cast<uint8_t>(Request::run)), 2) << "one reads the position at first";
  EXPECT_EQ(std::count(requests.begin(), requests.end(), static_cast<uint8_t>(Request::commit)), 1);
}

TEST_F(Neo4jGraphTest, of_one_statement_a_division_by_zero_is_the_positions) {
  serve([] {
    StubServer server = with_position();
    server.on(Request::begin, {success()}).on(Request::run, {success()}).on(Request::pull, {failure(kDivisionByZero)});
    return server;
  });
  Result<Applied> applied = apply({});
  ASSERT_FALSE(applied);
  EXPECT_EQ(applied.error().code(), kPositionRefused);
}

TEST_F(Neo4jGraphTest, of_one_statement_nobody_says_that_a_row_is_refused) {
  for (const char* code : {"Neo.ClientError.Statement.TypeError", "Neo.TransientError.General.MemoryPoolOutOfMemoryError"}) {
    serve([code] {
      StubServer server = with_position();
      server.on(Request::begin, {success()}).on(Request::run, {success()}).on(Request::pull, {failure(code)});
      return server;
    });
    Result<Applied> applied = apply({});
    ASSERT_FALSE(applied);
    EXPECT_EQ(applied.error().code(), code);
    EXPECT_TRUE(graph_->refused_together());
    EXPECT_TRUE(graph_->failed_statement().empty());
    graph_->close();
  }
}

TEST_F(Neo4jGraphTest, what_its_commit_is_refused_for_keeps_its_code) {
  const char* code = "Neo.ClientError.Schema.ConstraintValidationFailed";
  serve([code] {
    StubServer server = with_position();
    server.on(Request::begin, {success()}).on(Request::run, {success()}).on(Request::pull, {success()});
    server.on(Request::commit, {failure(code)});
    return server;
  });
  Result<Applied> applied = apply({});
  ASSERT_FALSE(applied);
  EXPECT_EQ(applied.error().code(), code);
}

TEST_F(Neo4jGraphTest, many_rows_go_apart) {
  mapping::Merge merge(table_.model());
  auto bound = mapping::bind(*table_.model().find_node({"public", "counted"}), table_.relation, postgres::TypeCatalog::built_in());
  ASSERT_TRUE(bound);
  std::deque<std::string> values;
  for (int64_t key = 1; key <= 11; ++key) {
    ASSERT_TRUE(merge.add(*bound, table_.row({Lsn(600), static_cast<uint64_t>(key)}, key, values.emplace_back("5"))));
  }
  batch_.mutations = merge.take();
  ASSERT_EQ(statements(), 1u);
  serve([] { return taking(1, false); });
  Result<Applied> applied = apply({});
  EXPECT_TRUE(applied) << applied.error().describe();
}

TEST_F(Neo4jGraphTest, a_trial_asks_for_no_position_and_is_rolled_back) {
  const size_t count = statements();
  serve([count] {
    StubServer server = with_position();
    server.on(Request::begin, {success()});
    for (size_t i = 0; i < count; ++i) {
      server.on(Request::run, {success()});
      server.on(Request::pull, {record({Value(int64_t{0})}), success()});
    }
    server.on(Request::rollback, {success()});
    return server;
  });
  Result<Applied> applied = apply({.kind = Part::Kind::trial});
  ASSERT_TRUE(applied) << applied.error().describe();
  graph_->close();
  listener_->stop();
  const std::vector<uint8_t> requests = listener_->requests_of(0);
  EXPECT_EQ(std::count(requests.begin(), requests.end(), static_cast<uint8_t>(Request::commit)), 0);
  EXPECT_EQ(std::count(requests.begin(), requests.end(), static_cast<uint8_t>(Request::rollback)), 1);
}

TEST_F(Neo4jGraphTest, tells_which_statement_a_rows_data_was_refused_by) {
  const char* code = "Neo.ClientError.Statement.TypeError";
  serve([code] {
    StubServer server = with_position();
    server.on(Request::begin, {success()}).on(Request::run, {failure(code)});
    return server;
  });
  Result<Applied> applied = apply({.kind = Part::Kind::trial});
  ASSERT_FALSE(applied);
  EXPECT_EQ(applied.error().code(), code);
  EXPECT_EQ(graph_->failed_statement(), "update Counted");
}

TEST_F(Neo4jGraphTest, no_row_is_at_fault_for_what_the_position_is_refused_for) {
  serve([] {
    StubServer server = with_position();
    server.on(Request::begin, {success()}).on(Request::run, {failure("Neo.ClientError.Statement.TypeError")});
    return server;
  });
  Result<Applied> applied = apply();
  ASSERT_FALSE(applied);
  EXPECT_EQ(applied.error().kind(), ErrorKind::state);
  EXPECT_TRUE(graph_->failed_statement().empty());
}

TEST_F(Neo4jGraphTest, says_which_updates_met_a_conflict) {
  const size_t count = statements();
  serve([count] { return taking(count, true); });
  Result<Applied> applied = apply();
  ASSERT_TRUE(applied) << applied.error().describe();
  ASSERT_EQ(applied->conflicts.size(), 1u);
  EXPECT_EQ(applied->conflicts[0], (MetConflict{.table = {"public", "counted"}, .key = "7", .kept = true}));
}

TEST_F(Neo4jGraphTest, moves_the_position_of_an_empty_batch) {
  batch_.mutations = {};
  serve([] { return taking(0, false); });
  EXPECT_TRUE(apply());
}

TEST_F(Neo4jGraphTest, tells_a_refused_position_from_any_other_failure) {
  serve([] {
    StubServer server = with_position();
    server.on(Request::begin, {success()});
    server.on(Request::run, {success()}).on(Request::pull, {failure(kDivisionByZero)});
    return server;
  });
  Result<Applied> applied = apply();
  ASSERT_FALSE(applied);
  EXPECT_EQ(applied.error().code(), kPositionRefused);
}

TEST_F(Neo4jGraphTest, a_division_by_zero_behind_the_position_is_not_its_refusal) {
  serve([] {
    StubServer server = with_position();
    server.on(Request::begin, {success()});
    server.on(Request::run, {success()}).on(Request::pull, {success()});
    server.on(Request::run, {failure(kDivisionByZero)});
    return server;
  });
  Result<Applied> applied = apply();
  ASSERT_FALSE(applied);
  EXPECT_NE(applied.error().code(), kPositionRefused);
}

TEST_F(Neo4jGraphTest, keeps_the_servers_code_wherever_it_refuses) {
  const std::string deadlock = "Neo.TransientError.Transaction.DeadlockDetected";
  const size_t answers = 4 + 2 * statements();
  for (size_t failing = 0; failing < answers; ++failing) {
    serve([failing, answers, &deadlock] {
      StubServer server = with_position();
      for (size_t i = 0; i <= failing; ++i) {
        const Request request = i == 0             ? Request::begin
                                : i + 1 == answers ? Request::commit
                                : i % 2 == 1       ? Request::run
                                                   : Request::pull;
        server.on(request, {i == failing ? failure(deadlock) : success()});
      }
      return server;
    });
    Result<Applied> applied = apply();
    ASSERT_FALSE(applied) << "answer " << failing;
    EXPECT_EQ(applied.error().code(), deadlock) << "answer " << failing;
    graph_->close();
  }
}

TEST_F(Neo4jGraphTest, a_servers_message_goes_on_without_the_rows_values) {
  for (const char* value : {"'it''s a secret'", "'a secret", "4711", "4711 and more"}) {
    const std::string text =
        std::string("Node(7) already exists with label `Counted` and property `id` = ") + value;
    serve([text] {
      StubServer server = with_position();
      server.on(Request::begin, {success()});
      server.on(Request::run, {success()}).on(Request::pull, {success()});
      server.on(Request::run, {failure("Neo.ClientError.Schema.ConstraintValidationFailed", text)});
      return server;
    });
    Result<Applied> applied = apply();
    ASSERT_FALSE(applied);
    const std::string said = applied.error().describe();
    EXPECT_NE(said.find("already exists with label `Counted`"), std::string::npos) << said;
    EXPECT_EQ(said.find("secret"), std::string::npos) << said;
    EXPECT_EQ(said.find("4711"), std::string::npos) << said;
    graph_->close();
  }
}

// The server dies after each of its answers in turn.
TEST_F(Neo4jGraphTest, a_lost_connection_is_unavailable_whatever_the_step) {
  const size_t answers = 4 + 2 * statements();
  for (size_t last = 0; last + 1 < answers; ++last) {
    serve([last] {
      StubServer server = with_position();
      for (size_t i = 0; i <= last; ++i) {
        const Request request = i == 0 ? Request::begin : i % 2 == 1 ? Request::run : Request::pull;
        server.on(request, {success()});
      }
      server.then_close();
      return server;
    });
    Result<Applied> applied = apply();
    ASSERT_FALSE(applied) << "after answer " << last;
    EXPECT_EQ(applied.error().kind(), ErrorKind::unavailable) << applied.error().describe();
    graph_->close();
    Result<StoredPosition> again = graph_->open(patient());
    ASSERT_TRUE(again) << again.error().describe();
    EXPECT_EQ(again->lane.position.lsn, Lsn(500));
    graph_->close();
  }
}

TEST_F(Neo4jGraphTest, a_transaction_that_never_ends_is_given_up) {
  serve([] {
    StubServer server = with_position();
    server.on(Request::begin, {}).on(Request::run, {}).on(Request::pull, {});
    server.on(Request::commit, {});
    return server;
  });
  batch_.mutations = {};
  ASSERT_TRUE(graph_->open(patient()));
  prepared_ = graph_->prepare(batch_);
  const TimePoint now = Clock::now();
  graph_->submit(batch_, *prepared_, {}, 3, now);
  EXPECT_LE(graph_->deadline(), now + std::chrono::minutes(10));
  Result<std::optional<Applied>> applied = graph_->poll(now + std::chrono::minutes(11));
  ASSERT_FALSE(applied);
  EXPECT_EQ(applied.error().kind(), ErrorKind::timeout);
}

TEST_F(Neo4jGraphTest, a_graph_without_a_position_is_a_state_for_a_person) {
  serve([] {
    StubServer server;
    server.on(Request::run, {success()}).on(Request::pull, {success()});
    return server;
  });
  Result<StoredPosition> stored = graph_->open(patient());
  ASSERT_FALSE(stored);
  EXPECT_EQ(stored.error().kind(), ErrorKind::state);
  EXPECT_FALSE(stored.error().advice().empty());
  EXPECT_EQ(graph_->descriptor(), -1);
}

}  // namespace
}  // namespace cnx::apply
