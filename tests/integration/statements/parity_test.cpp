// The statements do in Neo4j what the mutations say: random histories of the family are merged
// under random cuts, sent to a real server, and executed in the graph in memory; after every batch
// both must hold the same. RC_PARAMS="seed=… max_success=…" repeats a run or looks longer.
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <chrono>
#include <regex>

#include "bolt/connection.hpp"
#include "bolt/url.hpp"
#include "cypher/plan.hpp"
#include "mapping/testing/execution.hpp"
#include "mapping/testing/family_commands.hpp"
#include "mapping/testing/family_stream.hpp"
#include "mapping/testing/source.hpp"

namespace cnx {
namespace {

using mapping::testing::child_key;
using mapping::testing::Command;
using mapping::testing::Family;
using mapping::testing::FamilyStream;
using mapping::testing::kKeys;
using mapping::testing::MemoryGraph;
using mapping::testing::References;
using mapping::testing::SourceTransaction;

enum class Kind { plain, with_properties, with_nodes };

constexpr const char* kLabels = "ParityParent|ParityChild|ParityNote|ParityMoment|ParityWord|ParitySaying|ParityBig|ParitySize";

// Labels that no other test uses.
std::string mapping_text(Kind kind) {
  std::string text =
      kind == Kind::with_nodes ? mapping::testing::family_mapping_with_nodes() : mapping::testing::kFamilyMapping;
  // Without them the children's relationships are written along with the children.
  const std::string properties = ", properties: [note, big]";
  if (kind != Kind::with_properties) text.erase(text.find(properties), properties.size());
  return std::regex_replace(text, std::regex("(node|to|from): ([A-Z])"), "$1: Parity$2");
}

TimePoint soon() {
  return Clock::now() + std::chrono::seconds(60);
}

std::string show(const bolt::Value& value) {
  if (const auto* truth = value.get_if<bool>()) return *truth ? "true" : "false";
  if (const auto* number = value.get_if<int64_t>()) return std::to_string(*number);
  if (const auto* text = value.get_if<std::string>()) return "'" + *text + "'";
  if (const auto* moment = value.get_if<bolt::DateTime>()) {
    return "@" + std::to_string(moment->seconds);
  }
  return "another value";
}
std::string show(const bolt::Map& properties) {
  std::map<std::string, std::string> sorted;
  for (const bolt::MapEntry& entry : properties) sorted[entry.key] = show(entry.value);
  std::string text;
  for (const auto& [name, value] : sorted) text += (text.empty() ? "" : ", ") + name + ": " + value;
  return text.empty() ? "" : " {" + text + "}";
}
std::string show(const bolt::Node& node) {
  return "(:" + node.labels.front() + show(node.properties) + ")";
}

class Server {
 public:
  explicit Server(bolt::Connection connection) : connection_(std::move(connection)) {}

  bolt::QueryResult query(const std::string& text) {
    auto result = connection_.query(text, {}, soon());
    if (!result) RC_FAIL(result.error().describe());
    return *std::move(result);
  }

  // One batch, as the lane sends it.
  void run(const std::vector<cypher::Statement>& statements) {
    connection_.begin({});
    await();
    for (const cypher::Statement& statement : statements) {
      connection_.run(*statement.text, statement.parameters);
      await(*statement.name);
      connection_.pull_all();
      await(*statement.name);
    }
    connection_.commit();
    await();
  }

  std::vector<std::string> lines() {
    std::multiset<std::string> sorted;
    const std::string all = "MATCH (n:" + std::string(kLabels) + ") ";
    for (const auto& record : query(all + "RETURN n").records) {
      sorted.insert(show(*record[0].get_if<bolt::Node>()));
    }
    for (const auto& record : query(all + "MATCH (n)-[r]->(m) RETURN n, r, m").records) {
      const auto& r = *record[1].get_if<bolt::Relationship>();
      sorted.insert(show(*record[0].get_if<bolt::Node>()) + "-[" + r.type + show(r.properties) +
                    "]->" + show(*record[2].get_if<bolt::Node>()));
    }
    return {sorted.begin(), sorted.end()};
  }

 private:
  void await(const std::string& doing = "a transaction") {
    auto reply = connection_.await_reply(soon());
    RC_ASSERT(reply.has_value());
    if (!reply->ok()) RC_FAIL(doing + ": " + reply->failure.to_error().describe());
  }

  bolt::Connection connection_;
};

// Somebody else's property on some further nodes of rows, and a relationship of some with themselves, in both graphs.
void write_to(Server& server, MemoryGraph& graph, const mapping::NodeTable& table) {
  std::vector<std::string> written;
  std::vector<std::string> related;
  std::vector<int> others;
  for (auto& [id, node] : graph.nodes()) {
    if (node.label != table.node->label) continue;
    const change::Value& key = node.properties.at(table.key_property);
    const auto* number = std::get_if<int64_t>(&key);
    const std::string text = number != nullptr ? std::to_string(*number) : "'" + std::get<std::string>(key) + "'";
    if (id % 3 == 0) {
      written.push_back(text);
      node.properties["theirs"] = true;
    } else if (id % 3 == 1) {
      related.push_back(text);
      others.push_back(id);
    }
  }
  for (int node : others) graph.merge_edge("KNOWS", node, node);
  for (const auto& [keys, write] : {std::pair(written, "SET n.theirs = true"), std::pair(related, "CREATE (n)-[:KNOWS]->(n)")}) {
    for (const std::string& key : keys) {
      server.query("MATCH (n:" + table.node->label + " {" + table.key_property + ": " + key + "}) " + write);
    }
  }
}

// Somebody else's relationships, between many of the nodes, in both graphs.
void relate(Server& server, MemoryGraph& graph, FamilyStream& stream) {
  for (int i = 0; i < kKeys; ++i) {
    const std::string child = child_key(i + 1);
    if (!graph.relate(stream.parents(), int64_t{i}, "KNOWS", stream.children(), child)) continue;
    server.query("MATCH (a:ParityParent {id: " + std::to_string(i) + "}), (b:ParityChild {id: '" +
                 child + "'}) CREATE (a)-[:KNOWS]->(b)");
  }
  for (const mapping::NodeTable& table : stream.model().nodes()) {
    if (table.main != nullptr || table.shared) write_to(server, graph, table);
  }
}

void clear(Server& server) {
  server.query("MATCH (n:" + std::string(kLabels) + ") DETACH DELETE n");
}

struct Form {
  const char* name;
  Kind kind;
  References references;
};

class Parity {
 public:
  Parity(Server& server, const Form& form)
      : server_(server), family_(form.references), stream_(mapping_text(form.kind), false, form.references) {
    clear(server_);
  }

  void play(const std::vector<Command>& commands, const std::vector<bool>& cuts) {
    size_t transactions = 0;
    for (const Command& command : commands) {
      mapping::testing::run(family_, command);
      if (command.verb != mapping::testing::Verb::commit) continue;
      stream_.feed(merge_, family_.commit());
      if (cuts.empty() || cuts[transactions++ % cuts.size()]) flush();
    }
    stream_.feed(merge_, family_.commit());
    flush();
  }
  void write_as_somebody_else() { relate(server_, graph_, stream_); }

 private:
  void flush() {
    const mapping::Mutations mutations = merge_.take();
    server_.run(plan_.statements(mutations));
    mapping::testing::Execution execution(graph_);
    execution.run(mutations);
    RC_ASSERT(execution.faults() == std::vector<std::string>());
    RC_ASSERT(server_.lines() == graph_.lines());
  }

  Server& server_;
  Family family_;
  FamilyStream stream_;
  cypher::Plan plan_{stream_.model()};
  mapping::Merge merge_{stream_.model()};
  MemoryGraph graph_;
};

class Statements : public ::testing::TestWithParam<Form> {
 protected:
  void SetUp() override {
    const char* url = std::getenv("CNX_NEO4J_URL");
    if (url == nullptr) GTEST_SKIP() << "CNX_NEO4J_URL names no server";
    auto options = bolt::parse_url(url);
    ASSERT_TRUE(options) << options.error().describe();
    auto connection = bolt::Connection::open(*options, soon());
    ASSERT_TRUE(connection) << connection.error().describe();
    server_.emplace(*std::move(connection));
  }

  std::optional<Server> server_;
};

TEST_P(Statements, do_in_neo4j_what_the_mutations_say) {
  ::setenv("RC_PARAMS", "max_success=40", 0);
  Server& server = *server_;
  FamilyStream stream(mapping_text(GetParam().kind));
  for (const cypher::Text& text : cypher::constraint_texts(stream.model())) server.query(text.text);
  EXPECT_TRUE(rc::check([&] {
    using rc::gen::container;
    Parity parity(server, GetParam());
    parity.play(*container<std::vector<Command>>(mapping::testing::any_command()), {});
    parity.write_as_somebody_else();
    parity.play(*container<std::vector<Command>>(mapping::testing::any_command()),
                *container<std::vector<bool>>(rc::gen::arbitrary<bool>()));
  }));
  clear(server);
  for (const cypher::Text& text : cypher::constraint_texts(stream.model())) {
    server.query("DROP CONSTRAINT `" + text.name + "` IF EXISTS");
  }
}
constexpr Form kPlain{"plain", Kind::plain, References::follow};
INSTANTIATE_TEST_SUITE_P(ForeignKeys, Statements,
                         ::testing::Values(kPlain, Form{"with_properties", Kind::with_properties, References::follow},
                                           Form{"with_nodes", Kind::with_nodes, References::follow},
                                           Form{"staying", Kind::plain, References::stay},
                                           Form{"staying_with_properties", Kind::with_properties, References::stay}),
                         [](const auto& test) { return test.param.name; });

using Guard = Statements;

TEST_P(Guard, a_refused_update_moves_no_relationship) {
  mapping::testing::Source source(
      "defaults: {key: id, version: version}\n"
      "tables:\n"
      "  shelves: {node: ParityParent}\n"
      "  books: {node: ParityChild, conflict: graph_wins, relationships: [{HOLDS: {from: {shelves: shelf}}}]}\n",
      {"shelves (id int8, version int8)", "books (id int8, shelf int8, version int8)"});
  ASSERT_FALSE(source.error()) << source.error()->describe();
  cypher::Plan plan(source.model());
  mapping::Merge merge(source.model());
  for (const char* shelf : {"1", "2"}) source.insert(merge, "shelves", {shelf, "1"});
  source.insert(merge, "books", {"7", "1", "5"});
  source.insert(merge, "books", {"8", "1", "5"});
  server_->run(plan.statements(merge.take()));
  source.update(merge, "books", {"7", "2", "4"});  // The graph has version 5.
  source.update(merge, "books", {"8", "2", "6"});
  server_->run(plan.statements(merge.take()));
  const std::string one = "(:ParityChild {id: 7, shelf: 1, version: 5})";
  const std::string two = "(:ParityChild {id: 8, shelf: 2, version: 6})";
  const std::string first = "(:ParityParent {id: 1, version: 1})";
  const std::string second = "(:ParityParent {id: 2, version: 1})";
  EXPECT_EQ(server_->lines(), (std::vector<std::string>{one, two, first, first + "-[HOLDS]->" + one,
                                                        second, second + "-[HOLDS]->" + two}));
  clear(*server_);
}
INSTANTIATE_TEST_SUITE_P(ForeignKeys, Guard, ::testing::Values(kPlain));

}  // namespace
}  // namespace cnx
