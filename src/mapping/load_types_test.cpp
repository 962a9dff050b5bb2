// A relationship's type by a column's value: in rules, its faults, its place in the fingerprint, and in mutations.
#include <gmock/gmock.h>

#include "mapping/load.hpp"
#include "mapping/testing/source.hpp"

namespace cnx::mapping {
namespace {

using ::testing::ElementsAre;
using ::testing::SizeIs;
using testing::kUnchanged;
using testing::Row;

std::string in_file(const std::string& join) {
  return "version: 1\nname: t\ntables:\n  a: {node: A, key: id}\n  j: {from: {a: x}, to: {a: y}, " + join + "}\n";
}
std::string faults_of(const std::string& join) {
  auto mapping = load(in_file(join), "f");
  return mapping ? "none" : format(mapping.error());
}

TEST(Types, are_chosen_by_a_value) {
  auto mapping = load(in_file("relationship: {column: k, when: {l: LIKES, h: HATES, d: HATES}, otherwise: KNOWS}"), "f");
  ASSERT_TRUE(mapping) << format(mapping.error());
  const auto& rule = std::get<RelationshipRule>(mapping->tables[1].form);
  EXPECT_EQ(rule.type, "");
  EXPECT_THAT(rule.all_types(), ElementsAre("HATES", "KNOWS", "LIKES"));
  EXPECT_TRUE(mapping->tables[1].named.contains("k"));
}

TEST(Types, faults_are_found_at_their_places) {
  EXPECT_EQ(faults_of("relationship: [R]"), "f:5:47: `relationship` must be one word\n");
  EXPECT_EQ(faults_of("relationship: {column: k, wen: {l: L}}"),
            "f:5:47: `relationship` has no `when` (`when: {value: name}`)\n"
            "f:5:59: unknown key `wen` in `relationship` (did you mean `when`?)\n");
  EXPECT_EQ(faults_of("relationship: {column: k, when: {l: _cnx_L}}"), "f:5:69: `_cnx_L`: names that begin with `_cnx_` belong to the engine\n");
  EXPECT_EQ(faults_of("relationship: {column: k, when: {l: L}}, version: v"),
            "f:5:47: a type that a value chooses cannot be guarded: a relationship of another type is another one (say `version: null`)\n");
  EXPECT_EQ(faults_of("relationship: {column: k, when: {l: L}}, cypher: \"UNWIND $rows AS row\""),
            "f:5:47: `cypher` stands in place of the generated upsert, which would choose the type (name one type, and let the statement "
            "choose)\n");
  EXPECT_EQ(faults_of("relationship: {column: k, when: {l: L}}}\n  b: {relationship: L, from: {a: x}, to: {a: y}, key: id"),
            "f:6:21: (:A)-[:L]->(:A) is already made in line 5 (each would remove what the other made; give one of them another type)\n");
}

TEST(Types, change_the_fingerprint) {
  std::set<std::string> seen;
  for (const char* join : {"relationship: L", "relationship: {column: k, when: {l: L}}", "relationship: {column: m, when: {l: L}}",
                           "relationship: {column: k, when: {m: L}}", "relationship: {column: k, when: {l: L}, otherwise: O}"}) {
    EXPECT_TRUE(seen.insert(load(in_file(join), "f")->fingerprint).second) << join;
  }
}

// "HATES +1>2" an upsert, "LIKES -1>2" a removal.
class ChosenType : public ::testing::Test {
 protected:
  void begin() { merge_.begin_transaction(); }
  void insert(const Row& row) { source_.insert(merge_, "j", row); }
  void update(const Row& row) { source_.update(merge_, "j", row); }
  void remove(const Row& row) { source_.remove(merge_, "j", row); }
  static std::string text_of(const RelationshipKey& key) {
    return std::to_string(std::get<int64_t>(key.start)) + ">" + std::to_string(std::get<int64_t>(key.end));
  }
  std::vector<std::string> take() {
    std::vector<std::string> lines;
    const Mutations taken = merge_.take();
    for (const RelationshipMutations& each : taken.relationships) {
      if (each.truncated) lines.push_back(each.table->type + " truncated");
      for (const RelationshipKey& key : each.removed) lines.push_back(each.table->type + " -" + text_of(key));
      for (const RelationshipUpsert& upsert : each.upserts) lines.push_back(each.table->type + " +" + text_of(upsert.key));
    }
    return lines;
  }

  testing::Source source_{"tables:\n  a: {node: A, key: id}\n"
                          "  j: {relationship: {column: k, when: {l: LIKES, h: HATES}}, from: {a: x}, to: {a: y}, properties: [note]}\n",
                          {"a (id int8)", "j (x int8, y int8, k text, note text)"}};
  Merge merge_{source_.model()};
};

TEST_F(ChosenType, an_insert_makes_the_one_that_it_chooses) {
  begin();
  insert({"1", "2", "l", "n"});
  insert({"1", "3", "h", "n"});
  insert({"1", "4", "other", "n"});
  insert({"1", "5", std::nullopt, "n"});
  EXPECT_THAT(take(), ElementsAre("HATES +1>3", "LIKES +1>2"));
}

TEST_F(ChosenType, an_update_takes_it_from_all_others) {
  begin();
  update({"1", "2", "l", "n"});
  update({"1", "3", "other", "n"});
  EXPECT_THAT(take(), ElementsAre("HATES -1>2", "HATES -1>3", "LIKES -1>3", "LIKES +1>2"));
}

TEST_F(ChosenType, the_last_of_a_batch_counts) {
  begin();
  insert({"1", "2", "l", "n"});
  begin();
  update({"1", "2", "h", "n"});
  update({"1", "2", "l", "n"});
  EXPECT_THAT(take(), ElementsAre("HATES -1>2", "LIKES +1>2"));
  begin();
  update({"1", "2", "h", "n"});
  begin();
  update({"1", "2", "l", "n"});
  EXPECT_THAT(take(), ElementsAre("HATES -1>2", "LIKES -1>2", "LIKES +1>2"));
}

TEST_F(ChosenType, a_removal_and_a_truncation_are_of_all) {
  begin();
  remove({"1", "2", std::nullopt, std::nullopt});
  EXPECT_THAT(take(), ElementsAre("HATES -1>2", "LIKES -1>2"));
  merge_.truncate({"public", "j"});
  EXPECT_THAT(take(), ElementsAre("HATES truncated", "LIKES truncated"));
}

TEST_F(ChosenType, a_value_that_is_not_told_is_an_error) {
  begin();
  Status added = source_.add(merge_, "j", change::Operation::update, {}, {"1", "2", kUnchanged, "n"});
  ASSERT_FALSE(added);
  EXPECT_THAT(added.error().describe(), ::testing::HasSubstr("column=k"));
}

}  // namespace
}  // namespace cnx::mapping
