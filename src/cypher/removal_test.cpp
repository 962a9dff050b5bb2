#include "cypher/removal.hpp"

#include <gmock/gmock.h>

#include "cypher/plan.hpp"
#include "cypher/testing/show.hpp"
#include "mapping/testing/source.hpp"

namespace cnx::cypher {
namespace {

using mapping::testing::References;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr const char* kMapping = R"(
defaults: {key: id}
tables:
  parents: {node: Parent}
  children:
    node: Child
    relationships: [{HAS: {from: {parents: parent}}}]
  likes: {relationship: LIKES, from: {parents: a}, to: {children: b}}
)";

const std::vector<std::string> kTables = {"parents (id int8)", "children (id int8, parent int8)", "likes (a int8, b int8)"};

class RemovalTest : public ::testing::Test {
 protected:
  explicit RemovalTest(References references = References::follow) : source_(kMapping, kTables, references) {}

  Removal removal() { return plan_.removal(merge_.take(), {.elements_max = 50, .piece_elements = 7}); }
  static std::vector<std::string> names(const std::vector<Statement>& statements) {
    std::vector<std::string> names;
    for (const Statement& each : statements) names.push_back(*each.name);
    return names;
  }

  mapping::testing::Source source_;
  mapping::Merge merge_{source_.model()};
  Plan plan_{source_.model()};
};

TEST_F(RemovalTest, a_batch_that_removes_nothing_asks_nothing) {
  source_.insert(merge_, "children", {"1", "2"});
  source_.update(merge_, "parents", {"1"}, {});
  Removal removal = this->removal();
  EXPECT_THAT(removal.sizes, IsEmpty());
  EXPECT_THAT(removal.steps, IsEmpty());
}

TEST_F(RemovalTest, the_size_of_a_removal_by_key_is_asked_where_relationships_go_with_it) {
  source_.remove(merge_, "children", {"1", std::nullopt});
  source_.remove(merge_, "parents", {"2"});
  Removal removal = this->removal();
  EXPECT_THAT(names(removal.sizes), ElementsAre("size of the removal of Child"));
  EXPECT_THAT(*removal.sizes[0].text, HasSubstr("COUNT {(n)<-[:`HAS`]-()}"));
  EXPECT_THAT(names(removal.steps), ElementsAre("unlink in pieces Child.HAS"));
}

TEST_F(RemovalTest, relationships_go_before_the_nodes_and_all_of_a_truncation_is_counted_at_once) {
  merge_.truncate({"public", "parents"});
  merge_.truncate({"public", "children"});
  merge_.truncate({"public", "likes"});
  Removal removal = this->removal();
  ASSERT_THAT(removal.sizes, SizeIs(1));
  const std::string& size = *removal.sizes[0].text;
  for (const char* part : {"(n:`Parent`)", "(n:`Child`)", "(:`Child`)<-[r:`HAS`]-()",
                           "(:`Parent`)-[r:`LIKES`]->()", "total > $max THEN 1/0"}) {
    EXPECT_THAT(size, HasSubstr(part));
  }
  EXPECT_THAT(names(removal.steps),
              ElementsAre("remove all in pieces LIKES", "unlink all in pieces Child.HAS",
                          "remove all in pieces Parent", "remove all in pieces Child"));
}

TEST_F(RemovalTest, every_step_is_bounded_and_says_how_much_it_did) {
  merge_.truncate({"public", "children"});
  source_.remove(merge_, "likes", {"1", "2"});
  for (const Statement& step : removal().steps) {
    EXPECT_THAT(*step.text, HasSubstr("LIMIT $limit")) << *step.name;
    EXPECT_THAT(*step.text, HasSubstr("done")) << *step.name;
    EXPECT_THAT(*step.text, ::testing::Not(HasSubstr("DETACH"))) << *step.name;
  }
}

class StayingRemovalTest : public RemovalTest {
 protected:
  StayingRemovalTest() : RemovalTest(References::stay) {}
};

TEST_F(StayingRemovalTest, what_stays_behind_is_asked_for_and_leaves_in_pieces_before_nodes_go) {
  source_.update(merge_, "parents", {"2"}, {"1"});
  source_.update(merge_, "children", {"5", "2"});
  source_.remove(merge_, "likes", {"1", "5"});
  merge_.truncate({"public", "children"});
  const Removal removal = this->removal();
  EXPECT_THAT(names(removal.sizes), ElementsAre("size of what stays behind of Child.HAS", "size of what stays behind of LIKES at its start",
                                                "size of the truncation"));
  EXPECT_THAT(names(removal.steps), ElementsAre("remove in pieces LIKES", "unlink all in pieces Child.HAS",
                                                "leave behind in pieces Child.HAS", "leave behind in pieces LIKES at its start",
                                                "remove all in pieces Child"));
  EXPECT_EQ(testing::show(removal.steps[2]),
            "leave behind in pieces Child.HAS {rows: [{k: 1, t: '_cnx_waiting:1', x: []}], limit: 7}");
}

}  // namespace
}  // namespace cnx::cypher
