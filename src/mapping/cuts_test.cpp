// The graph does not depend on where batches are cut (design, I10): histories of a small database,
// drawn by RapidCheck, are merged under random cuts, executed in a graph in memory, and compared
// with the same history cut once a transaction, and with the tables in the end; with foreign keys that
// cascade, and without any. A row that lives on is the same node all the while. A failing history
// is shrunk and printed with its seed; RC_PARAMS="seed=… max_success=…" repeats it or looks longer.
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include "mapping/testing/execution.hpp"
#include "mapping/testing/family_commands.hpp"
#include "mapping/testing/family_stream.hpp"

namespace cnx::mapping {
namespace {

using testing::child_key;
using testing::Command;
using testing::Family;
using testing::FamilyStream;
using testing::FamilyTable;
using testing::kKeys;
using testing::MemoryGraph;
using testing::References;
using testing::SourceTransaction;

struct History {
  std::vector<Command> before;  // One transaction, before somebody else writes into the graph.
  std::vector<Command> commands;
  std::vector<bool> cuts;  // Behind which transactions, over and over.
};

std::vector<SourceTransaction> transactions_of(Family& family,
                                               const std::vector<Command>& commands) {
  std::vector<SourceTransaction> made;
  for (const Command& command : commands) {
    run(family, command);
    if (command.verb == testing::Verb::commit) made.push_back(family.commit());
  }
  made.push_back(family.commit());
  std::erase_if(made, [](const SourceTransaction& each) { return each.empty(); });
  return made;
}

void apply(FamilyStream& stream, MemoryGraph& graph,
           const std::vector<SourceTransaction>& transactions, const std::vector<bool>& cuts) {
  Merge merge(stream.model());
  testing::Execution execution(graph);
  for (size_t i = 0; i < transactions.size(); ++i) {
    stream.feed(merge, transactions[i]);
    const bool cut = cuts.empty() || cuts[i % cuts.size()] || i + 1 == transactions.size();
    if (cut) execution.run(merge.take());
  }
  RC_ASSERT(execution.faults() == std::vector<std::string>());
  RC_ASSERT(execution.conflicts() == 0u);
}

// The graph that the rows make: each inserted once.
MemoryGraph graph_of(const Family& family, FamilyStream& stream) {
  SourceTransaction all;
  for (FamilyTable table : testing::kFamilyTables) {
    for (const auto& [key, row] : family.rows(table)) {
      all.push_back(testing::Change{table, change::Operation::insert, {}, row, {}});
    }
  }
  MemoryGraph graph;
  if (!all.empty()) apply(stream, graph, {all}, {});
  return graph;
}

std::string text(const std::vector<std::string>& lines) {
  std::string all;
  for (const std::string& line : lines) all += line + "\n";
  return all;
}

// Somebody else's relationships, between many of the nodes: what they hang on stays as a stub.
void write_as_somebody_else(FamilyStream& stream, MemoryGraph& graph) {
  for (int i = 0; i < kKeys; ++i) {
    const Key child = child_key(i);
    graph.relate(stream.parents(), int64_t{i}, "KNOWS", stream.children(), child_key(i + 1));
    graph.relate(stream.children(), child, "KNOWS", stream.children(), child_key(i + 2));
  }
}

// And what they add to further nodes of rows: a property, or a relationship. Where a row's own node has only a property, it goes with
// the row, and the property with it, unless the row came to a key at which others' relationships had stayed: within a batch nobody
// sees that it did. So there it has both.
void write_to_further_nodes(FamilyStream& stream, MemoryGraph& graph) {
  std::set<std::string> own;
  std::set<std::string> shared;
  for (const NodeTable& table : stream.model().nodes()) {
    if (table.main != nullptr) own.insert(table.node->label);
    if (table.shared) shared.insert(table.node->label);
  }
  std::vector<int> others;
  for (auto& [id, node] : graph.nodes()) {
    const bool relates = id % 3 == 1 && (own.contains(node.label) || shared.contains(node.label));
    if (relates) others.push_back(id);
    if (shared.contains(node.label) ? id % 3 == 0 : relates) node.properties["theirs"] = true;
  }
  for (int node : others) graph.merge_edge("KNOWS", node, node);
}

// The nodes' tables; rows are followed by the key that they had at first.
using Lives = std::map<FamilyTable, std::map<std::string, std::string>>;

Lives lives_of(const Family& family) {
  Lives lives;
  for (FamilyTable table : {FamilyTable::parents, FamilyTable::children}) {
    for (const auto& [key, row] : family.rows(table)) lives[table][key[0]] = key[0];
  }
  return lives;
}

// Those that were never removed, by the keys that they have in the end.
Lives survivors(Lives lives, const std::vector<SourceTransaction>& transactions) {
  for (const SourceTransaction& transaction : transactions) {
    for (const auto& item : transaction) {
      if (const auto* truncation = std::get_if<testing::Truncation>(&item)) {
        for (FamilyTable table : truncation->tables) lives[table].clear();
        continue;
      }
      const auto& change = std::get<testing::Change>(item);
      if (change.table == FamilyTable::likes || change.operation == change::Operation::insert) continue;
      auto life = lives[change.table].extract(change.old_row[0].value());
      if (life.empty() || change.operation == change::Operation::remove) continue;
      life.key() = change.row[0].value();
      lives[change.table].insert(std::move(life));
    }
  }
  return lives;
}

// Their nodes, by the keys that they had at first.
std::map<std::string, std::optional<int>> nodes_of(const Lives& lives, FamilyStream& stream, const MemoryGraph& graph) {
  std::map<std::string, std::optional<int>> nodes;
  for (const auto& [table, keys] : lives) {
    const bool parents = table == FamilyTable::parents;
    for (const auto& [key, origin] : keys) {
      nodes[origin] = parents ? graph.find(stream.parents(), Key(int64_t{std::stoll(key)}))
                              : graph.find(stream.children(), Key(key));
    }
  }
  return nodes;
}

struct Setting {
  std::string mapping = testing::kFamilyMapping;
  References references = References::follow;
  bool others = false;  // Somebody else writes into the graph.
};

void expect_no_difference(const History& history, const Setting& setting) {
  FamilyStream stream(setting.mapping, *rc::gen::arbitrary<bool>(), setting.references);
  Family family(setting.references);
  for (const Command& command : history.before) run(family, command);
  const SourceTransaction before = family.commit();
  Lives lives = lives_of(family);
  const std::vector<SourceTransaction> transactions = transactions_of(family, history.commands);
  MemoryGraph one_by_one;
  if (!before.empty()) apply(stream, one_by_one, {before}, {});
  if (setting.others) {
    write_as_somebody_else(stream, one_by_one);
    write_to_further_nodes(stream, one_by_one);
  }
  auto nodes = nodes_of(lives, stream, one_by_one);
  MemoryGraph cut = one_by_one;
  apply(stream, one_by_one, transactions, {});
  apply(stream, cut, transactions, history.cuts);
  if (!setting.others) {
    RC_LOG() << "the tables say\n"
             << text(graph_of(family, stream).lines()) << "one by one\n"
             << text(one_by_one.lines());
    RC_ASSERT(one_by_one.lines() == graph_of(family, stream).lines());
  }
  const auto expected = one_by_one.lines();
  const auto actual = cut.lines();
  RC_LOG() << "one by one\n" << text(expected) << "cut\n" << text(actual);
  RC_ASSERT(actual == expected);
  lives = survivors(std::move(lives), transactions);
  for (const MemoryGraph* graph : {&one_by_one, &cut}) {
    for (const auto& [origin, node] : nodes_of(lives, stream, *graph)) RC_ASSERT(node == nodes.at(origin));
  }
}

History any_history() {
  History history;
  history.before = *rc::gen::container<std::vector<Command>>(testing::any_command());
  history.commands = *rc::gen::container<std::vector<Command>>(testing::any_command());
  history.cuts = *rc::gen::container<std::vector<bool>>(rc::gen::arbitrary<bool>());
  if (history.cuts.empty()) history.cuts = {false};
  return history;
}

class Cuts : public ::testing::Test {
 protected:
  // A second or two each; RC_PARAMS of the environment wins.
  static void SetUpTestSuite() { ::setenv("RC_PARAMS", "max_success=1500", 0); }
};

TEST_F(Cuts, the_graph_does_not_depend_on_where_batches_are_cut) {
  EXPECT_TRUE(rc::check([] { expect_no_difference(any_history(), {}); }));
}

TEST_F(Cuts, the_graph_does_not_depend_on_them_where_others_write_into_it) {
  EXPECT_TRUE(rc::check([] { expect_no_difference(any_history(), {.others = true}); }));
}

TEST_F(Cuts, further_nodes_of_rows_do_not_depend_on_them) {
  EXPECT_TRUE(rc::check([] {
    expect_no_difference(any_history(), {.mapping = testing::family_mapping_with_nodes()});
  }));
}

TEST_F(Cuts, further_nodes_do_not_where_others_write_into_it) {
  EXPECT_TRUE(rc::check([] {
    expect_no_difference(any_history(), {.mapping = testing::family_mapping_with_nodes(), .others = true});
  }));
}

TEST_F(Cuts, a_statement_of_the_users_own_revives_nothing) {
  EXPECT_TRUE(rc::check([] {
    expect_no_difference(any_history(), {.mapping = testing::family_mapping_with_a_users_statement(), .others = true});
  }));
}

TEST_F(Cuts, rows_that_nothing_makes_follow_stay_at_the_keys_that_they_name) {
  EXPECT_TRUE(rc::check([] {
    expect_no_difference(any_history(),
                         {.mapping = testing::family_mapping_without_tenant(), .references = References::stay});
  }));
}

TEST_F(Cuts, they_stay_there_where_others_write_into_the_graph) {
  EXPECT_TRUE(rc::check([] {
    expect_no_difference(any_history(), {.mapping = testing::family_mapping_without_tenant(),
                                         .references = References::stay,
                                         .others = true});
  }));
}

}  // namespace
}  // namespace cnx::mapping
