// Each strategy that the writing transaction settles leads to one graph, however the batches are cut: that of a model which takes
// each change by itself.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "mapping/merge.hpp"
#include "mapping/testing/execution.hpp"
#include "mapping/testing/source.hpp"

namespace cnx::mapping {
namespace {

using testing::Execution;
using testing::MemoryGraph;
using testing::Source;

struct State {
  int64_t version = 0;
  int64_t at = 0;
  std::string title;
  friend bool operator==(const State&, const State&) = default;
};

constexpr size_t kKeys = 3;

// What is to be there after one change by itself.
State model(ConflictStrategy strategy, const State& graph, const State& row) {
  if (graph.version <= row.version) return row;
  switch (strategy) {
    case ConflictStrategy::graph_wins:
      return graph;
    case ConflictStrategy::last_write_wins:
      return row.at < graph.at ? graph : row;
    default:
      return row;
  }
}

std::string mapping_of(ConflictStrategy strategy) {
  const std::string word(to_word(strategy));
  const std::string more = strategy == ConflictStrategy::last_write_wins ? ", timestamp: at" : "";
  return "tables:\n  items: {node: Item, key: id, version: version, conflict: {strategy: " + word + more + "}}\n";
}

void cuts_do_not_matter(ConflictStrategy strategy) {
  Source source(mapping_of(strategy), {"items (id int8, version int8, at int8, title text)"});
  const NodeTable& table = source.node("items");
  MemoryGraph graph;
  std::vector<State> expected;
  for (size_t key = 0; key < kKeys; ++key) {
    // Somebody has raised it, or nobody did.
    const State state{*rc::gen::inRange<int64_t>(0, 8), *rc::gen::inRange<int64_t>(0, 8), "theirs"};
    const int node = graph.merge_node(table, Key(static_cast<int64_t>(key)));
    graph.nodes().at(node).properties["version"] = state.version;
    graph.nodes().at(node).properties["at"] = state.at;
    graph.nodes().at(node).properties["title"] = state.title;
    expected.push_back(state);
  }
  std::vector<State> rows(kKeys);  // In PostgreSQL, where versions and times never fall.
  Merge merge(source.model());
  auto apply = [&] {
    Execution execution(graph);
    execution.run(merge.take());
    RC_ASSERT(execution.faults().empty());
  };
  const auto keys = *rc::gen::container<std::vector<size_t>>(rc::gen::inRange<size_t>(0, kKeys));
  for (size_t number = 0; number < keys.size(); ++number) {
    State& row = rows[keys[number]];
    row = {row.version + *rc::gen::inRange<int64_t>(0, 3), row.at + *rc::gen::inRange<int64_t>(0, 3), "ours " + std::to_string(number)};
    expected[keys[number]] = model(strategy, expected[keys[number]], row);
    merge.begin_transaction();
    source.update(merge, "items", {std::to_string(keys[number]), std::to_string(row.version), std::to_string(row.at), row.title});
    if (*rc::gen::arbitrary<bool>()) apply();
  }
  apply();
  for (size_t key = 0; key < kKeys; ++key) {
    const auto node = graph.find(table, Key(static_cast<int64_t>(key)));
    RC_ASSERT(node.has_value());
    const auto& held = graph.nodes().at(*node).properties;
    const State found{std::get<int64_t>(held.at("version")), std::get<int64_t>(held.at("at")), std::get<std::string>(held.at("title"))};
    RC_ASSERT(found == expected[key]);
  }
}

RC_GTEST_PROP(ConflictCuts, postgres_wins_however_batches_are_cut, ()) { cuts_do_not_matter(ConflictStrategy::postgres_wins); }
RC_GTEST_PROP(ConflictCuts, the_graph_wins_however_batches_are_cut, ()) { cuts_do_not_matter(ConflictStrategy::graph_wins); }
RC_GTEST_PROP(ConflictCuts, the_last_write_wins_however_batches_are_cut, ()) { cuts_do_not_matter(ConflictStrategy::last_write_wins); }

}  // namespace
}  // namespace cnx::mapping
