// Key changes where nothing makes the rows follow that name the key: what stays at it, and what goes along.
#include <gmock/gmock.h>

#include "mapping/merge.hpp"
#include "mapping/testing/source.hpp"

namespace cnx::mapping {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using testing::kUnchanged;
using testing::References;
using testing::Source;

constexpr const char* kMapping = R"(
defaults: {key: id}
tables:
  people: {node: Person}
  pets: {node: Pet, relationships: [{OWNS: {from: {people: owner}, properties: [big]}}]}
  likes: {relationship: LIKES, from: {people: person}, to: {pets: pet}, properties: [big]}
  visits: {relationship: VISITED, from: {people: person}, to: {pets: pet}, key: id}
)";
const std::vector<std::string> kTables = {"people (id int8)", "pets (id int8, owner int8, big text)",
                                          "likes (person int8, pet int8, big text)",
                                          "visits (id int8, person int8, pet int8)"};

Key key(int64_t number) { return Key(number); }

class LeftBehindTest : public ::testing::Test {
 protected:
  void move_person(const char* from, const char* to) { source_.update(merge_, "people", {to}, {from}); }

  // Of the reference that has this place among those that stay with people: pets, likes, visits.
  static const LeftBehind& left(const Mutations& mutations, size_t place) { return mutations.left_behind.at(place); }

  Source source_{kMapping, kTables, References::stay};
  Merge merge_{source_.model()};
};

TEST_F(LeftBehindTest, a_key_that_is_given_up_is_asked_of_each_reference) {
  move_person("1", "2");
  const Mutations mutations = merge_.take();
  ASSERT_THAT(mutations.left_behind, SizeIs(3));
  for (const LeftBehind& each : mutations.left_behind) {
    ASSERT_THAT(each.rows, SizeIs(1));
    EXPECT_EQ(each.rows[0].key, key(1));
    EXPECT_THAT(each.rows[0].along, IsEmpty());
  }
  ASSERT_THAT(mutations.nodes.at(0).given_up, SizeIs(1));
  EXPECT_FALSE(mutations.nodes[0].given_up[0].taken);
}

TEST_F(LeftBehindTest, nothing_is_where_rows_follow) {
  Source source(kMapping, kTables);
  Merge merge(source.model());
  source.update(merge, "people", {"2"}, {"1"});
  const Mutations mutations = merge.take();
  EXPECT_THAT(mutations.left_behind, IsEmpty());
  EXPECT_THAT(mutations.nodes.at(0).given_up, IsEmpty());
}

TEST_F(LeftBehindTest, nothing_is_where_no_key_changes) {
  source_.insert(merge_, "people", {"1"});
  merge_.begin_transaction();
  source_.remove(merge_, "people", {"2"});
  EXPECT_THAT(merge_.take().left_behind, IsEmpty());
}

TEST_F(LeftBehindTest, a_child_that_names_the_new_key_goes_along) {
  move_person("1", "2");
  source_.update(merge_, "pets", {"7", "2", kUnchanged});
  source_.update(merge_, "pets", {"8", "1", kUnchanged});
  source_.update(merge_, "pets", {"90", "2", "big"}, {"9", std::nullopt, std::nullopt});
  const Mutations mutations = merge_.take();
  EXPECT_THAT(left(mutations, 0).rows.at(0).along, ElementsAre(key(7), key(9)));
}

TEST_F(LeftBehindTest, a_key_that_another_row_takes_is_given_to_it) {
  move_person("1", "3");
  move_person("2", "1");
  const Mutations mutations = merge_.take();
  const std::vector<GivenUp>& given_up = mutations.nodes.at(0).given_up;
  ASSERT_THAT(given_up, SizeIs(2));
  EXPECT_EQ(given_up[0].key, key(1));
  EXPECT_TRUE(given_up[0].taken);
  EXPECT_EQ(given_up[1].key, key(2));
  EXPECT_FALSE(given_up[1].taken);
}

TEST_F(LeftBehindTest, a_stub_that_a_node_met_on_its_way_keeps_what_names_it) {
  move_person("1", "2");
  merge_.begin_transaction();
  move_person("2", "3");
  const Mutations mutations = merge_.take();
  const std::vector<GivenUp>& given_up = mutations.nodes.at(0).given_up;
  ASSERT_THAT(given_up, SizeIs(2));
  EXPECT_EQ(given_up[1].key, key(2));
  EXPECT_TRUE(given_up[1].taken);
}

TEST_F(LeftBehindTest, a_key_that_comes_back_was_not_given_up) {
  move_person("1", "2");
  move_person("2", "1");
  const Mutations mutations = merge_.take();
  for (const GivenUp& each : mutations.nodes.at(0).given_up) EXPECT_FALSE(each.key == key(1));
}

TEST_F(LeftBehindTest, a_join_row_goes_along_by_its_other_end) {
  move_person("1", "2");
  source_.update(merge_, "likes", {"2", "7", kUnchanged}, {"1", "7", std::nullopt});
  source_.update(merge_, "likes", {"1", "8", kUnchanged});
  const Mutations mutations = merge_.take();
  EXPECT_THAT(left(mutations, 1).rows.at(0).along, ElementsAre(key(7)));
  // Both are the relationships that they were.
  const RelationshipMutations& likes = mutations.relationships.at(0);
  EXPECT_THAT(likes.removed, IsEmpty());
  for (const RelationshipUpsert& each : likes.upserts) EXPECT_FALSE(each.inserted);
}

TEST_F(LeftBehindTest, a_join_row_whose_other_end_waits_is_known_there_too) {
  move_person("1", "2");
  source_.update(merge_, "pets", {"70", std::nullopt, "big"}, {"7", std::nullopt, std::nullopt});
  source_.update(merge_, "likes", {"2", "7", "big"}, {"1", "7", std::nullopt});
  const Mutations mutations = merge_.take();
  EXPECT_THAT(left(mutations, 1).rows.at(0).along, ElementsAre(key(7), waiting_key(key(7))));
}

TEST_F(LeftBehindTest, a_row_with_a_key_of_its_own_goes_along_by_it) {
  move_person("1", "2");
  source_.update(merge_, "visits", {"5", "2", "7"});
  source_.update(merge_, "visits", {"6", "1", "7"});
  EXPECT_THAT(left(merge_.take(), 2).rows.at(0).along, ElementsAre(Key("1:5")));
}

TEST_F(LeftBehindTest, a_relationship_of_a_removed_node_stays_at_its_key) {
  source_.remove(merge_, "people", {"1"});
  source_.update(merge_, "likes", {"1", "7", kUnchanged});
  const Mutations mutations = merge_.take();
  EXPECT_THAT(mutations.relationships.at(0).removed, IsEmpty());
  EXPECT_FALSE(mutations.relationships[0].upserts.at(0).inserted);
}

TEST(LeftBehind, rows_of_two_tables_with_one_label_go_along_together) {
  Source source("defaults: {key: id}\ntables:\n"
                "  people: {node: Person}\n"
                "  cats: {node: Pet, relationships: [{OWNS: {from: {people: owner}}}]}\n"
                "  dogs: {node: Pet, relationships: [{OWNS: {from: {people: owner}}}]}\n",
                {"people (id int8)", "cats (id int8, owner int8)", "dogs (id int8, owner int8)"}, References::stay);
  ASSERT_FALSE(source.error()) << source.error()->describe();
  Merge merge(source.model());
  source.update(merge, "people", {"2"}, {"1"});
  source.update(merge, "cats", {"7", "2"});
  source.update(merge, "dogs", {"8", "2"});
  const Mutations mutations = merge.take();
  ASSERT_THAT(mutations.left_behind, SizeIs(2));
  for (const LeftBehind& each : mutations.left_behind) {
    EXPECT_THAT(each.rows.at(0).along, ElementsAre(key(7), key(8)));
  }
}

TEST(WaitingKey, is_a_text_that_fits_an_index) {
  EXPECT_EQ(waiting_key(key(5)), Key("_cnx_waiting:5"));
  EXPECT_EQ(waiting_key(Key("a")), Key("_cnx_waiting:a"));
  const Key hashed = waiting_key(Key(std::string(8'000, 'a')));
  EXPECT_LT(std::get<std::string>(hashed).size(), 100u);
  EXPECT_FALSE(hashed == waiting_key(Key(std::string(8'001, 'a'))));
}

}  // namespace
}  // namespace cnx::mapping
