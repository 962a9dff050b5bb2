#include "mapping/merge.hpp"

#include <gmock/gmock.h>

#include "mapping/lacking_rows.hpp"
#include "mapping/testing/source.hpp"

namespace cnx::mapping {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using testing::kUnchanged;
using ::testing::SizeIs;
using testing::Source;

constexpr const char* kMapping = R"(
defaults: {key: id, tenant: tenant}
tables:
  parents: {node: Parent}
  children:
    node: Child
    relationships:
      - HAS: {from: {parents: parent}, properties: [big]}
  likes: {relationship: LIKES, from: {parents: parent}, to: {children: child}, properties: [big]}
  notes: {node: Note, cypher: "UNWIND $rows AS row MERGE (n:Note {id: row.id}) SET n += row"}
)";
const std::vector<std::string> kTables = {
    "parents (id int8, tenant text)", "children (id int8, parent int8, note text, big text)",
    "likes (parent int8, child int8, big text)", "notes (id int8, body text)"};

Key key(int64_t number) {
  return Key(number);
}

class MergeTest : public ::testing::Test {
 protected:
  void insert(const std::string& table, const testing::Row& row) {
    source_.insert(merge_, table, row);
  }
  void update(const std::string& table, const testing::Row& row, const testing::Row& old = {}) {
    source_.update(merge_, table, row, old);
  }
  void remove(const std::string& table, const testing::Row& old) {
    source_.remove(merge_, table, old);
  }
  void begin() { merge_.begin_transaction(); }

  static const change::Value* value(const Properties& properties, const std::string& name) {
    for (const Property& each : properties) {
      if (each.name->name == name) return &each.value;
    }
    return nullptr;
  }

  Source source_{kMapping, kTables};
  Merge merge_{source_.model()};
};

TEST_F(MergeTest, counts_rows_elements_and_bytes_and_starts_anew_when_taken) {
  EXPECT_TRUE(merge_.empty());
  insert("parents", {"1", "acme"});
  insert("children", {"1", "1", "note", "big"});
  merge_.truncate({"public", "likes"});
  merge_.truncate({"public", "unknown"});
  EXPECT_EQ(merge_.rows(), 3u);
  EXPECT_EQ(merge_.elements(), 3u);  // A node, a node and its relationship.
  Mutations taken = merge_.take();
  EXPECT_THAT(taken.nodes, SizeIs(2));
  EXPECT_THAT(taken.relationships, SizeIs(1));
  EXPECT_TRUE(merge_.empty());
  EXPECT_TRUE(merge_.take().empty());
}

TEST_F(MergeTest, an_inserts_large_value_and_an_updates_other_column_are_one_write) {
  insert("children", {"1", std::nullopt, "old", "large"});
  update("children", {"1", std::nullopt, "new", kUnchanged});
  Mutations taken = merge_.take();
  ASSERT_THAT(taken.nodes, SizeIs(1));
  ASSERT_THAT(taken.nodes[0].upserts, SizeIs(1));
  const NodeUpsert& upsert = taken.nodes[0].upserts[0];
  EXPECT_TRUE(upsert.inserted);
  EXPECT_FALSE(upsert.lacks_columns);
  EXPECT_EQ(*value(upsert.properties, "note"), change::Value(std::string("new")));
  EXPECT_EQ(*value(upsert.properties, "big"), change::Value(std::string("large")));
}

TEST_F(MergeTest, an_update_lacks_a_column_until_one_row_of_the_batch_has_it) {
  update("children", {"1", "1", "a", kUnchanged});
  update("children", {"2", "1", "a", kUnchanged});
  update("children", {"2", "1", "b", "large"});
  update("children", {"2", "1", "c", kUnchanged});
  Mutations taken = merge_.take();
  ASSERT_THAT(taken.nodes[0].upserts, SizeIs(2));
  EXPECT_TRUE(taken.nodes[0].upserts[0].lacks_columns);
  EXPECT_TRUE(taken.nodes[0].upserts[0].ends[0].lacks_columns);
  const NodeUpsert& whole = taken.nodes[0].upserts[1];
  EXPECT_FALSE(whole.lacks_columns);
  EXPECT_FALSE(whole.ends[0].lacks_columns);
  EXPECT_EQ(*value(whole.ends[0].properties, "big"), change::Value(std::string("large")));
}

TEST_F(MergeTest, a_removal_knows_every_property_of_ours) {
  remove("parents", {"1", std::nullopt});
  Mutations taken = merge_.take();
  std::vector<std::string> names;
  for (const PropertyName* name : taken.nodes[0].known_properties) names.push_back(name->name);
  EXPECT_THAT(names, ElementsAre("id", "tenant"));
  insert("parents", {"1", "acme"});
  EXPECT_THAT(merge_.take().nodes[0].known_properties, IsEmpty());
}

TEST_F(MergeTest, a_childs_relationship_stays_where_the_parent_only_takes_another_key) {
  update("parents", {"2", "acme"}, {"1", std::nullopt});
  update("children", {"5", "2", "note", kUnchanged});
  Mutations taken = merge_.take();
  const ForeignEnd& end = taken.nodes[1].upserts[0].ends[0];
  EXPECT_EQ(*end.key, key(2));
  ASSERT_NE(end.kept(), nullptr);
  EXPECT_EQ(*end.kept(), key(1));
}

TEST_F(MergeTest, a_childs_relationship_does_not_lead_to_another_node_under_the_same_key) {
  begin();
  update("parents", {"9", "acme"}, {"1", std::nullopt});  // And its children, but one.
  update("children", {"5", std::nullopt, "note", "big"});
  begin();
  insert("parents", {"1", "acme"});
  update("children", {"5", "1", "note", "big"});
  Mutations taken = merge_.take();
  EXPECT_EQ(taken.nodes[1].upserts[0].ends[0].kept(), nullptr);
}

TEST_F(MergeTest, a_join_row_goes_along_with_a_nodes_new_key_and_keeps_what_it_has) {
  update("parents", {"2", "acme"}, {"1", std::nullopt});
  update("likes", {"2", "5", kUnchanged}, {"1", "5", std::nullopt});
  Mutations taken = merge_.take();
  const RelationshipMutations& likes = taken.relationships[0];
  EXPECT_THAT(likes.removed, IsEmpty());
  ASSERT_THAT(likes.upserts, SizeIs(1));
  EXPECT_EQ(likes.upserts[0].key.start, key(2));
  EXPECT_FALSE(likes.upserts[0].inserted);
  EXPECT_TRUE(likes.upserts[0].lacks_columns);
}

// A copied row ("likes" 2 → 5) may hang on key 2 already, where another node is until this change.
TEST_F(MergeTest, a_split_key_change_takes_no_relationship_along) {
  source_.update_in_two(merge_, "parents", {"2", "acme"}, {"1", std::nullopt});
  source_.update_in_two(merge_, "likes", {"2", "6", "big"}, {"1", "6", std::nullopt});
  const Mutations taken = merge_.take();
  EXPECT_THAT(taken.nodes[0].key_changes, IsEmpty());
  EXPECT_THAT(taken.nodes[0].removed, ElementsAre(key(1)));
  ASSERT_THAT(taken.nodes[0].upserts, SizeIs(1));
  EXPECT_EQ(taken.nodes[0].upserts[0].key, key(2));
  EXPECT_TRUE(taken.nodes[0].upserts[0].replaced);
  const RelationshipMutations& likes = taken.relationships[0];
  ASSERT_THAT(likes.removed, SizeIs(1));
  EXPECT_EQ(likes.removed[0].start, key(1));
  EXPECT_TRUE(likes.upserts[0].inserted);
}

TEST_F(MergeTest, split_key_changes_that_chain_replace_the_node_between_them) {
  begin();
  source_.update_in_two(merge_, "parents", {"3", "acme"}, {"2", std::nullopt});
  source_.update_in_two(merge_, "parents", {"2", "acme"}, {"1", std::nullopt});
  const Mutations taken = merge_.take();
  EXPECT_THAT(taken.nodes[0].key_changes, IsEmpty());
  EXPECT_THAT(taken.nodes[0].removed, ElementsAre(key(1)));
  ASSERT_THAT(taken.nodes[0].upserts, SizeIs(2));
}

TEST_F(MergeTest, a_split_key_change_that_lacks_a_column_is_no_whole_row) {
  source_.update_in_two(merge_, "children", {"6", std::nullopt, "note", kUnchanged}, {"5", std::nullopt, std::nullopt, std::nullopt});
  const Mutations taken = merge_.take();
  EXPECT_THAT(taken.nodes[0].removed, ElementsAre(key(5)));
  ASSERT_THAT(taken.nodes[0].upserts, SizeIs(1));
  EXPECT_TRUE(taken.nodes[0].upserts[0].lacks_columns);
  EXPECT_EQ(taken.nodes[0].upserts[0].key_before, key(6));
}

// Two keys swapped by way of a third, over a copy.
TEST_F(MergeTest, a_split_key_change_that_lacks_a_column_and_takes_a_key_that_was_given_up_is_read_again) {
  begin();
  source_.update_in_two(merge_, "children", {"9", std::nullopt, "one", kUnchanged}, {"6", std::nullopt, std::nullopt, std::nullopt});
  source_.update_in_two(merge_, "children", {"6", std::nullopt, "two", "small"}, {"5", std::nullopt, std::nullopt, std::nullopt});
  source_.update_in_two(merge_, "children", {"5", std::nullopt, "one", kUnchanged}, {"9", std::nullopt, std::nullopt, std::nullopt});
  const Mutations taken = merge_.take();
  ASSERT_THAT(taken.nodes[0].upserts, SizeIs(2));
  for (const NodeUpsert& upsert : taken.nodes[0].upserts) EXPECT_EQ(upsert.lacks_columns, upsert.key == key(5));
  // What stands at the key before the batch is of the row that left it.
  EXPECT_THAT(taken.nodes[0].removed, Contains(key(5)));
  const std::vector<LackingRow> lacking = lacking_rows(taken);
  ASSERT_THAT(lacking, SizeIs(1));
  EXPECT_EQ(lacking[0].node, nullptr);
}

// Two rows that swap their keys, of which one is passed over where it left its key: it was read again by then.
TEST_F(MergeTest, a_join_row_without_a_large_value_does_not_take_it_from_the_one_that_left_its_key) {
  begin();
  remove("likes", {"1", "5", std::nullopt});
  source_.update_in_two(merge_, "likes", {"1", "5", kUnchanged}, {});
  const Mutations taken = merge_.take();
  const RelationshipMutations& likes = taken.relationships[0];
  ASSERT_THAT(likes.removed, SizeIs(1));
  EXPECT_EQ(likes.removed[0].end, key(5));
  ASSERT_THAT(likes.upserts, SizeIs(1));
  EXPECT_TRUE(likes.upserts[0].lacks_columns);
  EXPECT_FALSE(likes.upserts[0].inserted);
  EXPECT_FALSE(likes.upserts[0].replaced);
}

TEST_F(MergeTest, a_join_row_that_moves_is_a_removal_and_a_creation) {
  update("likes", {"1", "6", "big"}, {"1", "5", std::nullopt});
  const Mutations taken = merge_.take();
  const RelationshipMutations& likes = taken.relationships[0];
  ASSERT_THAT(likes.removed, SizeIs(1));
  EXPECT_EQ(likes.removed[0].end, key(5));
  ASSERT_THAT(likes.upserts, SizeIs(1));
  EXPECT_TRUE(likes.upserts[0].inserted);
}

TEST_F(MergeTest, a_join_row_that_moves_without_a_large_value_is_not_made_without_it) {
  update("likes", {"1", "6", kUnchanged}, {"1", "5", std::nullopt});
  const Mutations taken = merge_.take();
  const RelationshipUpsert& upsert = taken.relationships[0].upserts[0];
  EXPECT_FALSE(upsert.inserted);
  EXPECT_TRUE(upsert.lacks_columns);
}

TEST_F(MergeTest, a_join_row_that_ends_where_it_began_follows_its_key_and_not_the_node) {
  // Node 1 goes to 2 with the row, which is then moved back to whoever has key 1 now.
  begin();
  update("parents", {"2", "acme"}, {"1", std::nullopt});
  update("likes", {"2", "5", "big"}, {"1", "5", std::nullopt});
  begin();
  insert("parents", {"1", "acme"});
  update("likes", {"1", "5", "big"}, {"2", "5", std::nullopt});
  const Mutations taken = merge_.take();
  const RelationshipMutations& likes = taken.relationships[0];
  ASSERT_THAT(likes.removed, SizeIs(1));
  EXPECT_EQ(likes.removed[0].start, key(1));
  EXPECT_TRUE(likes.upserts[0].inserted);
}

TEST_F(MergeTest, a_join_row_that_followed_a_node_of_a_piece_before_goes_where_it_stands) {
  // Node 1 took the key 2, and its relationships along, in a piece that ended before the row said so.
  update("likes", {"2", "5", "big"}, {"1", "5", std::nullopt});
  remove("likes", {"2", "5", std::nullopt});
  const Mutations taken = merge_.take();
  const RelationshipMutations& likes = taken.relationships[0];
  ASSERT_THAT(likes.removed, SizeIs(2));
  EXPECT_EQ(likes.removed[0].start, key(2));
  EXPECT_EQ(likes.removed[1].start, key(1));
  EXPECT_THAT(likes.upserts, IsEmpty());
}

TEST_F(MergeTest, a_node_that_moves_twice_meets_stubs_on_its_way) {
  update("parents", {"2", "acme"}, {"1", std::nullopt});
  update("parents", {"3", "acme"}, {"2", std::nullopt});
  Mutations taken = merge_.take();
  const NodeMutations& parents = taken.nodes[0];
  ASSERT_THAT(parents.key_changes, SizeIs(1));
  EXPECT_EQ(parents.key_changes[0].from, key(1));
  EXPECT_EQ(parents.key_changes[0].to, key(3));
  ASSERT_THAT(parents.takeovers, SizeIs(2));
  EXPECT_EQ(parents.takeovers[0].stub, key(2));
  EXPECT_EQ(parents.takeovers[1].stub, key(3));
  EXPECT_EQ(parents.takeovers[0].node, key(1));
}

TEST_F(MergeTest, a_users_statement_gets_every_row_in_order_and_revives_none) {
  begin();
  insert("notes", {"1", "a"});
  update("notes", {"1", "b"});
  insert("notes", {"2", "c"});
  begin();
  remove("notes", {"1", std::nullopt});
  update("notes", {"3", "c"}, {"2", std::nullopt});
  Mutations taken = merge_.take();
  const NodeMutations& notes = taken.nodes[0];
  std::vector<change::Value> bodies;
  for (const Properties& row : notes.user_rows) bodies.push_back(*value(row, "body"));
  EXPECT_THAT(bodies,
              ElementsAre(std::string("a"), std::string("b"), std::string("c"), std::string("c")));
  EXPECT_THAT(notes.user_removed, ::testing::UnorderedElementsAre(key(1), key(2)));
  EXPECT_THAT(notes.known_properties, SizeIs(2));
}

TEST_F(MergeTest, the_tenant_is_the_rows_own) {
  insert("parents", {"1", "acme"});
  insert("parents", {"2", std::nullopt});
  Mutations taken = merge_.take();
  EXPECT_EQ(taken.nodes[0].upserts[0].tenant, "acme");
  EXPECT_EQ(taken.nodes[0].upserts[1].tenant, std::nullopt);
}

TEST_F(MergeTest, a_row_that_is_not_as_its_relation_says_is_malformed_and_changes_nothing) {
  for (auto operation : {change::Operation::insert, change::Operation::update}) {
    Status added = source_.add(merge_, "children", operation, {}, {"x", "1", "a", "b"});
    ASSERT_FALSE(added);
    EXPECT_EQ(added.error().kind(), ErrorKind::malformed);
    EXPECT_FALSE(source_.add(merge_, "likes", operation, {}, {"1", std::nullopt, "b"}));
  }
  EXPECT_FALSE(source_.add(merge_, "children", change::Operation::remove,
                           {std::nullopt, "1", "a", "b"}, {}));
  EXPECT_TRUE(merge_.take().empty());
}

TEST_F(MergeTest, a_rows_copied_before_the_stream_are_inserts) {
  change::SnapshotRow row;
  row.relation = source_.binding("parents").relation;
  const testing::Row texts = {"1", "acme"};
  row.row = testing::views(texts);
  ASSERT_TRUE(merge_.add(source_.binding("parents"), row));
  EXPECT_TRUE(merge_.take().nodes[0].upserts[0].inserted);
}

TEST_F(MergeTest, a_column_whose_type_changes_within_the_batch_stands_once) {
  update("children", {"1", std::nullopt, "5", "big"});
  source_.describe(testing::relation_of(
      testing::table_of("children (id int8, parent int8, note timestamptz, big text)")));
  update("children", {"1", std::nullopt, "infinity", "big"});
  Mutations taken = merge_.take();
  size_t count = 0;
  for (const Property& each : taken.nodes[0].upserts[0].properties) {
    count += each.name->name == "note" ? 1 : 0;
  }
  EXPECT_EQ(count, 1u);
}

TEST(MergeProperties, puts_newer_columns_over_older_ones) {
  const PropertyName a{"a", "a__pg"}, b{"b", "b__pg"}, c{"c", "c__pg"};
  Properties into = {{&a, int64_t{1}}, {&b, std::string("large")}};
  merge_properties(into, {{&a, int64_t{2}}, {&c, change::Null{}}});
  ASSERT_EQ(into.size(), 3u);
  EXPECT_EQ(into[0].value, change::Value(int64_t{2}));
  EXPECT_EQ(into[1].value, change::Value(std::string("large")));
  EXPECT_TRUE(into[2].value.is_null());
}

TEST(MergeProperties, knows_a_column_again_whose_type_has_changed) {
  const PropertyName number{"a", "a__pg", false}, moment{"a", "a__pg", true};
  Properties into = {{&number, int64_t{1}}};
  merge_properties(into, {{&moment, change::Unfit{"infinity"}}});
  ASSERT_EQ(into.size(), 1u);
  EXPECT_EQ(into[0].name, &moment);
  EXPECT_EQ(into[0].value, change::Value(change::Unfit{"infinity"}));
}

}  // namespace
}  // namespace cnx::mapping
