#include <gmock/gmock.h>

#include "mapping/load.hpp"

namespace cnx::mapping {
namespace {

auto load_conflict(const std::string& conflict) {
  return load("version: 1\nname: t\ndefaults: {key: id, version: version}\ntables:\n  a: {node: A, conflict: " + conflict + "}\n", "f");
}

std::string faults_of(const std::string& conflict) {
  auto loaded = load_conflict(conflict);
  return loaded ? "" : format(loaded.error());
}

TEST(LoadConflict, a_word_is_a_strategy) {
  EXPECT_EQ(load("version: 1\nname: t\ntables:\n  a: {node: A, key: id}\n", "f")->tables[0].conflict.strategy,
            ConflictStrategy::postgres_wins);
  for (std::string_view word : {"postgres_wins", "graph_wins", "refetch", "manual"}) {
    EXPECT_EQ(to_word(load_conflict(std::string(word))->tables[0].conflict.strategy), word);
  }
  EXPECT_THAT(faults_of("gaph_wins"), ::testing::HasSubstr("`gaph_wins` is no strategy for conflicts"));
}

TEST(LoadConflict, a_strategy_has_what_it_needs) {
  const auto last = load_conflict("{strategy: last_write_wins, timestamp: at}");
  EXPECT_EQ(last->tables[0].conflict.timestamp_column, "at");
  EXPECT_TRUE(last->tables[0].named.contains("at"));
  EXPECT_EQ(load_conflict("{strategy: custom, function: f}")->tables[0].conflict.function, (TableName{"public", "f"}));
  EXPECT_EQ(load_conflict("{strategy: custom, function: s.f}")->tables[0].conflict.function, (TableName{"s", "f"}));
  EXPECT_THAT(faults_of("last_write_wins"), ::testing::HasSubstr("needs more than its name"));
  EXPECT_THAT(faults_of("{strategy: custom}"), ::testing::HasSubstr("`custom` needs `function`"));
  EXPECT_THAT(faults_of("{strategy: manual, timestamp: at}"), ::testing::HasSubstr("is for the strategy `last_write_wins`"));
}

TEST(LoadConflict, a_table_may_say_each_rows_strategy) {
  const auto loaded = load_conflict("{strategy: configured, table: s.rules, column: strategy, by: [tenant, project], timestamp: at, function: f}");
  ASSERT_TRUE(loaded) << format(loaded.error());
  const ConflictRule& rule = loaded->tables[0].conflict;
  EXPECT_EQ(rule.lookup.table, (TableName{"s", "rules"}));
  EXPECT_EQ(rule.lookup.column, "strategy");
  EXPECT_EQ(rule.lookup.by, (std::vector<std::string>{"tenant", "project"}));
  EXPECT_EQ(rule.timestamp_column, "at");
  EXPECT_THAT(faults_of("configured"), ::testing::HasSubstr("needs more than its name"));
  const std::string faults = faults_of("{strategy: configured, table: rules}");
  EXPECT_THAT(faults, ::testing::HasSubstr("`configured` needs `column`"));
  EXPECT_THAT(faults, ::testing::HasSubstr("`configured` needs `by`"));
  EXPECT_THAT(faults_of("{strategy: manual, by: [tenant]}"), ::testing::HasSubstr("`by` is for the strategy `configured`"));
}

TEST(LoadConflict, what_is_found_is_said_apart) {
  EXPECT_TRUE(load_conflict("{detect: changed}")->tables[0].conflict.detects_changes);
  EXPECT_FALSE(load_conflict("{detect: version}")->tables[0].conflict.detects_changes);
  EXPECT_THAT(faults_of("{detect: all}"), ::testing::HasSubstr("`detect` is `version` or `changed`"));
}

// The graph is the same whatever is done where others write it too.
TEST(LoadConflict, is_no_part_of_the_fingerprint) {
  EXPECT_EQ(load_conflict("manual")->fingerprint, load_conflict("{detect: changed}")->fingerprint);
}

}  // namespace
}  // namespace cnx::mapping
