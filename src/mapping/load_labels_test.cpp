// Several labels, and one by a column's value: in rules, their faults, their place in the fingerprint, and in mutations.
#include <gmock/gmock.h>

#include "mapping/load.hpp"
#include "mapping/testing/source.hpp"

namespace cnx::mapping {
namespace {

using ::testing::ElementsAre;
using ::testing::Pair;
using testing::kUnchanged;

constexpr const char* kHead = "version: 1\nname: t\ntables:\n";

std::string faults_of(const std::string& tables) {
  auto mapping = load(kHead + tables, "f");
  return mapping ? "none" : format(mapping.error());
}
std::string fingerprint_of(const std::string& table) {
  auto mapping = load(std::string(kHead) + "  a: {key: id, " + table + "}\n", "f");
  EXPECT_TRUE(mapping) << format(mapping.error());
  return mapping ? mapping->fingerprint : std::string();
}

TEST(Labels, are_a_first_one_others_and_one_by_value) {
  auto mapping = load(std::string(kHead) + "  a: {node: [P, E, F], key: id, labels: {column: kind, when: {a: X, b: Y}, otherwise: Z}}\n", "f");
  ASSERT_TRUE(mapping) << format(mapping.error());
  const auto& node = std::get<NodeRule>(mapping->tables[0].form);
  EXPECT_EQ(node.label, "P");
  EXPECT_THAT(node.more_labels, ElementsAre("E", "F"));
  ASSERT_TRUE(node.labels);
  EXPECT_EQ(node.labels->column, "kind");
  EXPECT_THAT(node.labels->names, ElementsAre(Pair("a", "X"), Pair("b", "Y")));
  EXPECT_EQ(node.labels->otherwise, "Z");
  EXPECT_THAT(node.labels->all(), ElementsAre("X", "Y", "Z"));
  EXPECT_TRUE(mapping->tables[0].named.contains("kind"));
}

TEST(Labels, null_may_choose_its_own) {
  auto mapping = load(std::string(kHead) + "  a: {node: P, key: id, labels: {column: parent, if_null: Root, otherwise: Leaf}}\n", "f");
  ASSERT_TRUE(mapping) << format(mapping.error());
  const auto& labels = std::get<NodeRule>(mapping->tables[0].form).labels;
  EXPECT_EQ(labels->if_null, "Root");
  EXPECT_THAT(labels->all(), ElementsAre("Leaf", "Root"));
  EXPECT_NE(fingerprint_of("node: P, labels: {column: parent, if_null: Root, otherwise: Leaf}"),
            fingerprint_of("node: P, labels: {column: parent, when: {a: Root}, otherwise: Leaf}"));
  EXPECT_EQ(faults_of("  a: {node: P, key: id, labels: {column: k, if_null: _cnx_E}}\n"),
            "f:4:54: `_cnx_E`: names that begin with `_cnx_` belong to the engine\n");
}

TEST(Labels, faults_are_found_at_their_places) {
  EXPECT_EQ(faults_of("  a: {node: [P, P], key: id}\n"), "f:4:17: `P` stands twice in `node`\n");
  EXPECT_EQ(faults_of("  a: {node: [P, _cnx_E], key: id}\n"), "f:4:17: `_cnx_E`: names that begin with `_cnx_` belong to the engine\n");
  EXPECT_EQ(faults_of("  a: {node: P, key: id, labels: X}\n"), "f:4:33: `labels` must be a map\n");
  EXPECT_EQ(faults_of("  a: {node: P, key: id, labels: {colum: k, when: {a: X}}}\n"),
            "f:4:33: `labels` has no `column` (the column whose value chooses)\n"
            "f:4:34: unknown key `colum` in `labels` (did you mean `column`?)\n");
  EXPECT_EQ(faults_of("  a: {node: P, key: id, labels: {column: k}}\n"), "f:4:33: `labels` has no `when` (`when: {value: name}`)\n");
  EXPECT_EQ(faults_of("  a: {node: P, key: id, labels: {column: k, when: {}}}\n"), "f:4:51: `when` is empty\n");
  EXPECT_EQ(faults_of("  a: {node: P, key: id, labels: {column: k, when: {a: ContextNexusX}}}\n"),
            "f:4:55: `ContextNexusX`: labels that begin with `ContextNexus` belong to the engine\n");
  EXPECT_EQ(faults_of("  a: {node: [P, E], key: id, labels: {column: k, when: {a: E}}}\n"),
            "f:4:30: every node of the table has the label `E`, and a value is to choose it (take it out of one of them)\n");
  EXPECT_EQ(faults_of("  a: {node: [P, Q], key: id}\n  b: {node: Q, key: id}\n"),
            "f:4:17: the label `Q` finds the nodes of the table in line 5, and cannot be a further one (give one of them another label)\n");
  EXPECT_EQ(faults_of("  a: {node: P, key: id, labels: {column: k, when: {x: Q}}}\n  b: {node: Q, key: id}\n"),
            "f:4:25: the label `Q` finds the nodes of the table in line 5, and cannot be a further one (give one of them another label)\n");
  EXPECT_EQ(faults_of("  a: {node: [P, Q], key: id}\n  b: {node: [P, R], key: id}\n"), "none");
  EXPECT_EQ(faults_of("  a: {node: [P, Q], key: id, cypher: \"UNWIND $rows AS row\"}\n"),
            "f:4:17: `cypher` stands in place of the generated upsert, which would set the other labels (name one label, and let the "
            "statement set the others)\n");
}

TEST(Labels, change_the_fingerprint) {
  std::set<std::string> seen;
  for (const char* table : {"node: P", "node: [P, E]", "node: [P, E, F]", "node: P, labels: {column: k, when: {a: X}}",
                            "node: P, labels: {column: l, when: {a: X}}", "node: P, labels: {column: k, when: {b: X}}",
                            "node: P, labels: {column: k, when: {a: X}, otherwise: Y}"}) {
    EXPECT_TRUE(seen.insert(fingerprint_of(table)).second) << table;
  }
  EXPECT_EQ(fingerprint_of("node: P"), fingerprint_of("node: [P]"));
}

class ChosenLabel : public ::testing::Test {
 protected:
  ChosenName after(const std::vector<testing::Row>& rows) {
    Merge merge(source_.model());
    merge.begin_transaction();
    for (const testing::Row& row : rows) source_.update(merge, "a", row);
    mutations_ = merge.take();
    return mutations_.nodes[0].upserts[0].label;
  }

  testing::Source source_{"tables: {a: {node: P, key: id, exclude: kind, labels: {column: kind, when: {a: X, b: Y}}}}\n", {"a (id int8, kind text)"}};
  Mutations mutations_;
};

TEST_F(ChosenLabel, follows_the_value) {
  EXPECT_EQ(*after({{"1", "a"}}).name, "X");
  EXPECT_EQ(*after({{"1", "a"}, {"1", "b"}}).name, "Y");
  for (const testing::Row& row : {testing::Row{"1", "c"}, testing::Row{"1", std::nullopt}}) {
    EXPECT_TRUE(after({row}).known);
    EXPECT_EQ(after({row}).name, nullptr);
  }
}

TEST_F(ChosenLabel, of_a_column_that_is_not_told_is_kept) {
  EXPECT_FALSE(after({{"1", kUnchanged}}).known);
  EXPECT_TRUE(mutations_.nodes[0].upserts[0].lacks_columns) << "a node that is not there needs it";
  EXPECT_EQ(*after({{"1", "a"}, {"1", kUnchanged}}).name, "X");
  EXPECT_FALSE(mutations_.nodes[0].upserts[0].lacks_columns);
}

}  // namespace
}  // namespace cnx::mapping
