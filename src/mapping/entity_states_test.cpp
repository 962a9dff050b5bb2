#include "mapping/entity_states.hpp"

#include <gmock/gmock.h>

#include <algorithm>
#include <string>

namespace cnx::mapping {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;
using ::testing::UnorderedElementsAre;

using States = EntityStates<std::string, std::hash<std::string>>;
using Keys = std::vector<std::string>;

// What is left of the batch: each living entity as "before>key", "+key" where the batch made it,
// "before=>key" where it was replaced; each removed one as "-before".
Keys lives(States& states) {
  Keys all;
  for (const std::string& key : states.removed()) all.push_back("-" + key);
  for (const Entity<std::string>& entity : states.entities()) {
    if (entity.removed) {
      if (entity.before) all.push_back("-" + *entity.before);
    } else if (!entity.before) {
      all.push_back("+" + entity.key);
    } else {
      all.push_back(*entity.before + (entity.replaced ? "=>" : ">") + entity.key);
    }
  }
  std::sort(all.begin(), all.end());
  return all;
}

TEST(EntityStates, an_update_is_of_what_was_there_and_an_insert_of_what_was_not) {
  States states;
  EXPECT_TRUE(states.empty());
  states.update("a", "a");
  states.insert("b", 1);
  states.update("b", "b");
  EXPECT_THAT(lives(states), ElementsAre("+b", "a>a"));
  EXPECT_FALSE(states.empty());
  EXPECT_FALSE(states.disturbed());
}

TEST(EntityStates, made_and_removed_within_the_batch_is_nothing) {
  States states;
  states.insert("a", 1);
  states.remove("a", 2);
  EXPECT_THAT(lives(states), IsEmpty());
}

TEST(EntityStates, removed_and_made_again_in_one_transaction_is_replaced_in_place) {
  States states;
  states.remove("a", 1);
  states.insert("a", 1);
  EXPECT_THAT(lives(states), ElementsAre("a=>a"));
}

TEST(EntityStates, removed_and_made_again_by_a_later_transaction_is_a_removal_and_a_creation) {
  States states;
  states.remove("a", 1);
  states.insert("a", 2);
  EXPECT_THAT(lives(states), ElementsAre("+a", "-a"));
  // And again: the removal is said once.
  states.remove("a", 2);
  states.insert("a", 3);
  EXPECT_THAT(lives(states), ElementsAre("+a", "-a"));
}

TEST(EntityStates, replaced_and_then_removed_by_a_later_transaction_is_removed) {
  States states;
  states.remove("a", 1);
  states.insert("a", 1);
  states.remove("a", 2);
  EXPECT_THAT(lives(states), ElementsAre("-a"));
}

TEST(EntityStates, a_new_key_keeps_the_entity) {
  States states;
  states.update("a", "b");
  states.update("b", "c");
  EXPECT_THAT(lives(states), ElementsAre("a>c"));
  states.remove("c", 1);
  EXPECT_THAT(lives(states), ElementsAre("-a"));
}

TEST(EntityStates, a_key_given_up_is_free_for_another) {
  States states;
  states.update("a", "b");
  states.insert("a", 1);
  EXPECT_THAT(lives(states), ElementsAre("+a", "a>b"));
}

TEST(EntityStates, a_swap_through_a_third_key) {
  States states;
  states.update("a", "spare");
  states.update("b", "a");
  states.update("spare", "b");
  EXPECT_THAT(lives(states), ElementsAre("a>b", "b>a"));
}

TEST(EntityStates, a_removed_entitys_key_is_taken) {
  States states;
  states.remove("a", 1);
  states.update("b", "a");
  EXPECT_THAT(lives(states), ElementsAre("-a", "b>a"));
  // What a batch made and removed leaves no removal behind.
  States fresh;
  fresh.insert("a", 1);
  fresh.remove("a", 1);
  fresh.update("b", "a");
  EXPECT_THAT(lives(fresh), ElementsAre("b>a"));
}

TEST(EntityStates, truncate_forgets_what_was_before_it) {
  States states;
  states.update("a", "a");
  states.remove("b", 1);
  states.truncate();
  EXPECT_TRUE(states.truncated());
  EXPECT_FALSE(states.empty());
  EXPECT_THAT(lives(states), IsEmpty());
  states.insert("a", 1);
  EXPECT_THAT(lives(states), ElementsAre("+a"));
}

// Case 28: insert a, update b, delete, insert c, update the key, in one transaction.
TEST(EntityStates, many_changes_of_one_row_in_one_transaction_are_one_entity) {
  States states;
  states.insert("7000", 1);
  states.update("7000", "7000");
  states.remove("7000", 1);
  states.insert("7000", 1);
  states.update("7000", "7001");
  EXPECT_THAT(lives(states), ElementsAre("+7001"));
}

TEST(EntityStates, an_insert_starts_from_nothing) {
  States states;
  const PropertyName name{"note", "note__pg"};
  Entity<std::string>& first = states.update("a", "a");
  first.properties = {{&name, std::string("old")}};
  first.lacks_columns = true;
  first.ends.emplace_back();
  states.remove("a", 1);
  const Entity<std::string>& second = states.insert("a", 1);
  EXPECT_THAT(second.properties, IsEmpty());
  EXPECT_THAT(second.ends, IsEmpty());
  EXPECT_FALSE(second.lacks_columns);
}

// Which entity a key means, before and after.

TEST(EntityStates, a_key_that_the_batch_left_alone_means_the_same_entity) {
  States states;
  EXPECT_EQ(states.kept_before("x"), "x");
  states.remove("a", 1);
  EXPECT_TRUE(states.disturbed());
  EXPECT_EQ(states.kept_before("x"), "x");
  EXPECT_EQ(states.kept_before("a"), std::nullopt);
}

TEST(EntityStates, a_moved_entity_is_found_under_its_old_key_and_its_old_key_means_nothing) {
  States states;
  states.update("a", "b");
  EXPECT_EQ(states.kept_before("b"), "a");
  EXPECT_EQ(states.kept_before("a"), std::nullopt);
  states.insert("a", 1);
  EXPECT_EQ(states.kept_before("a"), std::nullopt);
}

TEST(EntityStates, a_replaced_entity_is_the_same_and_one_made_anew_is_another) {
  States states;
  states.remove("a", 1);
  states.insert("a", 1);
  EXPECT_EQ(states.kept_before("a"), "a");
  states.remove("a", 2);
  states.insert("a", 3);
  EXPECT_EQ(states.kept_before("a"), std::nullopt);
}

TEST(EntityStates, a_stub_may_have_waited_where_a_row_is_made) {
  States states;
  states.remove("x", 1);
  states.insert("a", 1);
  EXPECT_EQ(states.kept_before("a"), "a");
  states.update("a", "b");
  EXPECT_EQ(states.kept_before("b"), std::nullopt);
}

TEST(EntityStates, after_a_truncate_no_key_means_what_it_meant) {
  States states;
  states.truncate();
  states.insert("a", 1);
  EXPECT_EQ(states.kept_before("a"), std::nullopt);
  EXPECT_EQ(states.kept_before("x"), std::nullopt);
}

TEST(EntityStates, a_key_is_alive_while_a_row_has_it) {
  States states;
  states.insert("a", 1);
  states.update("b", "c");
  EXPECT_TRUE(states.alive("a"));
  EXPECT_TRUE(states.alive("c"));
  EXPECT_FALSE(states.alive("b"));
  states.remove("a", 1);
  EXPECT_FALSE(states.alive("a"));
  states.truncate();
  EXPECT_FALSE(states.alive("c"));
}

// What stands at a key goes along with the row there.

TEST(EntityStates, places_follow_every_step) {
  States states;
  states.update("a", "b");
  EXPECT_THAT(states.places(),
              UnorderedElementsAre(Pair("a", IsEmpty()), Pair("b", ElementsAre("a", "b"))));
  states.update("b", "c");
  EXPECT_THAT(states.places(), UnorderedElementsAre(Pair("a", IsEmpty()), Pair("b", IsEmpty()),
                                                    Pair("c", ElementsAre("a", "b", "c"))));
}

TEST(EntityStates, a_place_outlives_its_row) {
  States states;
  states.insert("a", 1);  // Perhaps onto a stub.
  states.update("a", "b");
  states.remove("b", 2);
  states.insert("b", 3);
  states.update("b", "c");
  EXPECT_THAT(states.places().at("c"), ElementsAre("a", "b", "c"));
  states.truncate();
  EXPECT_THAT(states.places().at("c"), ElementsAre("a", "b", "c"));
}

TEST(EntityStates, what_is_made_at_a_key_given_up_brings_nothing_along) {
  States states;
  states.update("a", "b");
  states.insert("a", 1);
  states.update("a", "c");
  EXPECT_THAT(states.places().at("c"), ElementsAre("c"));
}

}  // namespace
}  // namespace cnx::mapping
