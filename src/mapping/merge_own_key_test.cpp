// Rows that are relationships with a key of their own: it, not the ends, says which relationship a row is.
#include <gmock/gmock.h>

#include "mapping/merge.hpp"
#include "mapping/testing/source.hpp"

namespace cnx::mapping {
namespace {

using ::testing::IsEmpty;
using ::testing::SizeIs;
using testing::Source;

constexpr const char* kMapping = R"(
defaults: {key: id}
tables:
  people: {node: Person}
  places: {node: Place, key: [country, city]}
  visits:
    relationship: VISITED
    from: {people: person}
    to: {places: [country, city]}
    key: id
    properties: [note]
)";

class OwnKeyTest : public ::testing::Test {
 protected:
  RelationshipMutations visits() { return merge_.take().relationships.at(0); }

  Source source_{kMapping,
                 {"people (id int8)", "places (country text, city text)",
                  "visits (id int8, person int8, country text, city text, note text)"}};
  Merge merge_{source_.model()};
};

TEST_F(OwnKeyTest, two_rows_with_the_same_ends_are_two) {
  source_.insert(merge_, "visits", {"1", "7", "AT", "Wien", "a"});
  source_.insert(merge_, "visits", {"2", "7", "AT", "Wien", "b"});
  const auto made = visits();
  ASSERT_THAT(made.upserts, SizeIs(2));
  EXPECT_EQ(made.upserts[0].key.own, "1:1");
  EXPECT_EQ(made.upserts[1].key.own, "1:2");
  EXPECT_EQ(made.upserts[0].key.start, Key(int64_t{7}));
  EXPECT_EQ(made.upserts[0].key.end, Key("2:AT4:Wien"));
}

TEST_F(OwnKeyTest, an_update_leads_to_the_last_ends_and_stays_between_them) {
  source_.update(merge_, "visits", {"1", "7", "AT", "Wien", "a"});
  source_.update(merge_, "visits", {"1", "8", "FR", "Paris", "b"});
  const auto made = visits();
  ASSERT_THAT(made.upserts, SizeIs(1));
  EXPECT_THAT(made.removed, IsEmpty());
  EXPECT_EQ(made.upserts[0].key.start, Key(int64_t{8}));
  EXPECT_EQ(made.upserts[0].kept_start, Key(int64_t{8}));
  EXPECT_EQ(made.upserts[0].kept_end, Key("2:FR5:Paris"));
}

TEST_F(OwnKeyTest, an_end_that_took_another_key_is_the_same_node) {
  source_.update(merge_, "people", {"9"}, {"7"});
  source_.update(merge_, "visits", {"1", "9", "AT", "Wien", "a"});
  EXPECT_EQ(visits().upserts.at(0).kept_start, Key(int64_t{7}));
}

TEST_F(OwnKeyTest, an_end_that_is_another_row_now_keeps_nothing) {
  source_.remove(merge_, "people", {"7"});
  merge_.begin_transaction();
  source_.insert(merge_, "people", {"7"});
  source_.update(merge_, "visits", {"1", "7", "AT", "Wien", "a"});
  EXPECT_EQ(visits().upserts.at(0).kept_start, std::nullopt);
}

TEST_F(OwnKeyTest, another_key_is_another_relationship) {
  // As REPLICA IDENTITY DEFAULT sends it: the old row is its key.
  source_.update(merge_, "visits", {"5", "7", "AT", "Wien", "a"}, {"1", std::nullopt, std::nullopt, std::nullopt, std::nullopt});
  const auto made = visits();
  ASSERT_THAT(made.removed, SizeIs(1));
  EXPECT_EQ(made.removed[0].own, "1:1");
  EXPECT_EQ(made.upserts.at(0).key.own, "1:5");
  EXPECT_TRUE(made.upserts.at(0).inserted);
}

TEST_F(OwnKeyTest, a_removal_needs_no_more_than_the_key) {
  source_.remove(merge_, "visits", {"1", std::nullopt, std::nullopt, std::nullopt, std::nullopt});
  const auto made = visits();
  ASSERT_THAT(made.removed, SizeIs(1));
  EXPECT_EQ(made.removed[0].own, "1:1");
}

TEST_F(OwnKeyTest, a_row_that_leads_nowhere_has_no_relationship) {
  source_.insert(merge_, "visits", {"1", std::nullopt, "AT", "Wien", "a"});
  source_.update(merge_, "visits", {"2", "7", "AT", std::nullopt, "a"});
  const auto made = visits();
  EXPECT_THAT(made.upserts, IsEmpty());
  ASSERT_THAT(made.removed, SizeIs(1));
  EXPECT_EQ(made.removed[0].own, "1:2");
}

TEST_F(OwnKeyTest, a_row_that_led_nowhere_and_is_given_ends_has_one_again) {
  source_.update(merge_, "visits", {"1", "7", "AT", std::nullopt, "a"});
  source_.update(merge_, "visits", {"1", "7", "AT", "Wien", "b"});
  const auto made = visits();
  EXPECT_THAT(made.removed, IsEmpty());
  ASSERT_THAT(made.upserts, SizeIs(1));
  EXPECT_TRUE(made.upserts[0].replaced);
}

}  // namespace
}  // namespace cnx::mapping
