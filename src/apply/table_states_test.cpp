#include "apply/table_states.hpp"

#include <gtest/gtest.h>

#include "apply/steady_read.hpp"
#include "apply/testing/answering.hpp"

namespace cnx::apply {
namespace {

using bolt::Value;
using testing::Answering;
using testing::kDeadline;

bolt::List node(const std::string& state) {
  return {Value(bolt::Map{{"schema", "public"}, {"table", "projects"}, {"state", state}, {"reason", ""}, {"advice", ""},
                          {"since", ""}, {"shape", ""}, {"rule", ""}, {"form", ""}, {"properties", bolt::List{}},
                          {"due", int64_t{0}}, {"staleProperties", bolt::List{}}, {"sweep", false}})};
}

// What Neo4j answers of a node that its owner has just removed, to make it anew.
bolt::List removed_node() { return {Value(bolt::Map{})}; }

TEST(TableStates, are_read_again_where_a_read_met_a_commit) {
  Answering graph({removed_node(), node("held")});
  auto states = read_table_states(*graph.connection, "p", kDeadline);
  ASSERT_TRUE(states) << states.error().describe();
  ASSERT_EQ(states->size(), 1u);
  EXPECT_EQ(states->front().state, TableState::State::held);
  EXPECT_TRUE(graph.server.script_played());
}

TEST(TableStates, that_somebody_changed_are_a_state_for_a_person) {
  Answering graph(std::vector<std::optional<bolt::List>>(kSteadyReads, node("another")));
  auto states = read_table_states(*graph.connection, "p", kDeadline);
  ASSERT_FALSE(states);
  EXPECT_EQ(states.error().kind(), ErrorKind::state);
  EXPECT_TRUE(graph.server.script_played());
}

}  // namespace
}  // namespace cnx::apply
