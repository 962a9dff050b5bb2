#include "cypher/plan.hpp"

#include <gmock/gmock.h>

#include <algorithm>

#include "cypher/testing/show.hpp"
#include "mapping/testing/source.hpp"

namespace cnx::cypher {
namespace {

using mapping::testing::kUnchanged;
using mapping::testing::References;
using mapping::testing::Row;
using mapping::testing::Source;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::IsSupersetOf;
using ::testing::SizeIs;

constexpr const char* kMapping = R"(
defaults: {key: id, version: version, tenant: tenant}
tables:
  parents: {node: Parent}
  children:
    node: Child
    relationships: [{HAS: {from: {parents: parent}, properties: [note]}}]
  likes: {relationship: LIKES, from: {parents: a}, to: {children: b}, properties: [note]}
  pets: {node: Pet, relationships: [{OWNS: {from: {parents: owner}}}, {SEEN_BY: {to: {children: friend}}}]}
  papers: {node: Paper, relationships: [{CITES: {to: {notes: note}}}]}
  notes: {node: Note, cypher: "UNWIND $rows AS row MERGE (n:Note {id: row.id}) SET n += row"}
)";

const std::vector<std::string> kTables = {"parents (id int8, version int8, seen timestamptz)",
                                          "children (id int8, parent int8, note text, tenant text)",
                                          "likes (a int8, b int8, note text)",
                                          "papers (id int8, note int8)",
                                          "pets (id int8, owner int8, friend int8, version int8)",
                                          "notes (id int8)"};

class PlanTest : public ::testing::Test {
 protected:
  explicit PlanTest(References references = References::follow) : source_(kMapping, kTables, references) {}

  std::vector<Statement> statements() { return plan_.statements(merge_.take()); }
  std::vector<std::string> names() {
    std::vector<std::string> names;
    for (const Statement& each : statements()) names.push_back(*each.name);
    return names;
  }
  void insert(const std::string& table, const Row& row) { source_.insert(merge_, table, row); }
  void update(const std::string& table, const Row& row, const Row& old = {}) {
    source_.update(merge_, table, row, old);
  }
  void remove(const std::string& table, const Row& old) { source_.remove(merge_, table, old); }

  Source source_;
  mapping::Merge merge_{source_.model()};
  Plan plan_{source_.model()};
};

TEST_F(PlanTest, an_empty_batch_has_no_statement) {
  EXPECT_THAT(statements(), IsEmpty());
}

TEST_F(PlanTest, statements_stand_in_the_one_order_whatever_order_the_rows_came_in) {
  insert("likes", {"9", "9", "n"});
  update("parents", {"2", "1", std::nullopt}, {"1", std::nullopt, std::nullopt});
  insert("children", {"9", "9", "n", "acme"});
  insert("parents", {"9", "1", std::nullopt});
  remove("children", {"7", std::nullopt, std::nullopt, std::nullopt});
  remove("likes", {"7", "7", std::nullopt});
  remove("parents", {"7", std::nullopt, std::nullopt});
  EXPECT_THAT(names(),
              ElementsAre("remove LIKES", "unlink Child.HAS", "remove Parent", "remove Child",
                          "take over Parent", "change key Parent", "insert Parent", "update Parent",
                          "insert Child", "link Child.HAS", "insert LIKES"));
}

TEST_F(PlanTest, a_truncate_removes_all_before_what_follows_it) {
  for (const char* table : {"parents", "children", "likes"}) merge_.truncate({"public", table});
  insert("parents", {"1", "1", std::nullopt});
  EXPECT_THAT(names(), ElementsAre("remove all LIKES", "unlink all Child.HAS", "remove all Parent",
                                   "remove all Child", "insert Parent"));
}

TEST_F(PlanTest, rows_of_one_table_are_told_apart_by_what_the_graph_is_asked) {
  insert("parents", {"1", "1", std::nullopt});
  merge_.begin_transaction();
  remove("parents", {"2", std::nullopt, std::nullopt});
  insert("parents", {"2", "1", std::nullopt});  // Replaced in place.
  update("parents", {"3", "2", std::nullopt});
  update("parents", {"4", "2", kUnchanged});
  std::vector<Statement> all = statements();
  ASSERT_THAT(all, SizeIs(4));
  EXPECT_EQ(testing::show(all[0]),
            "insert Parent {rows: [[1, 1, null]]}");
  EXPECT_EQ(testing::show(all[1]),
            "insert Parent {rows: [[2, 1, null, null]]}");
  EXPECT_EQ(testing::show(all[2]),
            "update Parent {rows: [[3, 2, null, null]]}");
  EXPECT_EQ(testing::show(all[3]),
            "update existing Parent {rows: [{_cnx_stub: null, id: 4, version: 2}]}");
  const std::vector<bool> counts = {false, false, true, true};
  const std::vector<bool> needs = {false, false, false, true};
  for (size_t i = 0; i < all.size(); ++i) {
    EXPECT_EQ(all[i].reports_conflicts != nullptr, counts[i]) << i;
    EXPECT_EQ(all[i].needs_entity, needs[i]) << i;
    EXPECT_EQ(all[i].rows, 1u) << i;
  }
}

TEST_F(PlanTest, rows_are_sorted_by_key) {
  for (const char* id : {"10", "9", "-1"}) insert("parents", {id, "1", "infinity"});
  for (const char* id : {"3", "1", "2"}) {
    insert("likes", {id, "1", "n"});
    remove("children", {id, std::nullopt, std::nullopt, std::nullopt});
    remove("likes", {id, "0", std::nullopt});
  }
  const std::vector<std::string> lines = testing::show(statements());
  ASSERT_THAT(lines, SizeIs(5));
  EXPECT_EQ(lines[0], "remove LIKES {rows: [{a: 1, b: 0}, {a: 2, b: 0}, {a: 3, b: 0}]}");
  EXPECT_EQ(lines[1],
            "unlink Child.HAS {rows: [{k: 1, o: null}, {k: 2, o: null}, {k: 3, o: null}]}");
  EXPECT_EQ(lines[2],
            "remove Child {rows: [{k: 1}, {k: 2}, {k: 3}], clear: {note: null, parent: null}}");
  EXPECT_EQ(lines[3], "insert Parent {rows: [[-1, 1, null, 'infinity'], [9, 1, null, 'infinity'], [10, 1, null, 'infinity']]}");
}

TEST_F(PlanTest, children_are_grouped_by_the_parent_that_they_share) {
  insert("children", {"2", "7", "b", "acme"});
  insert("children", {"1", "7", "a", "acme"});
  insert("children", {"3", "6", "c", "other"});
  insert("children", {"4", std::nullopt, "d", "acme"});
  std::vector<Statement> all = statements();
  ASSERT_THAT(all, SizeIs(2));
  EXPECT_EQ(testing::show(all[1]),
            "link Child.HAS {rows: [{o: 6, n: 'other', r: [{k: 3, p: {note: 'c'}}]}, "
            "{o: 7, n: 'acme', r: [{k: 1, p: {note: 'a'}}, {k: 2, p: {note: 'b'}}]}]}");
  EXPECT_EQ(all[1].rows, 3u);
}

TEST_F(PlanTest, a_child_is_unlinked_from_all_but_the_parent_that_it_has) {
  update("children", {"1", "7", "a", "acme"});
  update("children", {"2", std::nullopt, "a", "acme"});
  EXPECT_EQ(testing::show(statements()[0]),
            "unlink Child.HAS {rows: [{k: 1, o: 7}, {k: 2, o: null}]}");
}

TEST_F(PlanTest, a_relationship_that_lacks_a_property_must_be_there) {
  update("children", {"1", "7", kUnchanged, "acme"});
  update("children", {"2", "7", "b", "acme"});
  std::vector<Statement> all = statements();
  ASSERT_THAT(all, SizeIs(5));
  EXPECT_EQ(testing::show(all[3]),
            "link Child.HAS {rows: [{o: 7, n: 'acme', r: [{k: 2, p: {note: 'b'}}]}]}");
  EXPECT_EQ(testing::show(all[4]),
            "link existing Child.HAS {rows: [{o: 7, n: 'acme', r: [{k: 1, p: {}}]}]}");
  EXPECT_TRUE(all[4].needs_entity);
  EXPECT_FALSE(all[3].needs_entity);
}

TEST_F(PlanTest, an_insert_makes_its_relationship_in_the_same_statement) {
  insert("pets", {"2", "7", "5", "1"});
  insert("pets", {"1", "7", std::nullopt, "1"});
  insert("pets", {"3", std::nullopt, "5", "1"});
  EXPECT_THAT(
      testing::show(statements()),
      ElementsAre("insert Pet with OWNS {rows: [{o: 7, n: null, r: [[1, 7, null, 1], [2, 7, 5, 1]]}]}",
                  "insert Pet {rows: [[3, null, 5, 1]]}",
                  "link Pet.SEEN_BY {rows: [{o: 5, n: null, r: [{k: 2}, {k: 3}]}]}"));
}

TEST_F(PlanTest, an_update_moves_its_relationships_in_the_same_statement) {
  update("pets", {"2", "7", std::nullopt, "2"});
  std::vector<Statement> all = statements();
  ASSERT_THAT(all, SizeIs(1));
  EXPECT_EQ(testing::show(all[0]),
            "update Pet with its relationships {rows: [[2, null, 7, null, 7, null, 2]]}");
  EXPECT_NE(all[0].reports_conflicts, nullptr);
  EXPECT_EQ(all[0].rows, 1u);
}

TEST_F(PlanTest, an_update_goes_step_by_step_where_the_other_ends_are_disturbed) {
  const std::vector<std::string> steps = {"unlink Pet.OWNS", "unlink Pet.SEEN_BY", "update Pet", "link Pet.OWNS"};
  auto pets = [this] {
    std::vector<std::string> found = names();
    std::erase_if(found, [](const std::string& name) { return name.find("Pet") == std::string::npos; });
    return found;
  };
  update("pets", {"2", "7", std::nullopt, "2"});
  remove("parents", {"9", std::nullopt, std::nullopt});
  EXPECT_EQ(pets(), steps);
  update("pets", {"2", "7", std::nullopt, "2"});
  update("parents", {"8", "1", std::nullopt}, {"9", std::nullopt, std::nullopt});
  EXPECT_EQ(pets(), steps);
  update("pets", {"2", "7", std::nullopt, "2"});
  merge_.truncate({"public", "parents"});
  EXPECT_EQ(pets(), steps);
}

TEST_F(PlanTest, keys_that_chain_go_through_temporary_ones) {
  update("parents", {"3", "2", std::nullopt}, {"2", std::nullopt, std::nullopt});
  update("parents", {"2", "2", std::nullopt}, {"1", std::nullopt, std::nullopt});
  const std::vector<std::string> lines = testing::show(statements());
  ASSERT_THAT(lines, SizeIs(4));
  EXPECT_EQ(lines[0], "take over Parent {rows: [{f: 2, t: 3}]}");
  EXPECT_EQ(lines[1],
            "change key Parent {rows: [{f: 1, t: '_cnx_moving:0'}, {f: 2, t: '_cnx_moving:1'}]}");
  EXPECT_EQ(lines[2],
            "change key Parent {rows: [{f: '_cnx_moving:0', t: 2}, {f: '_cnx_moving:1', t: 3}]}");
}

class StayingPlanTest : public PlanTest {
 protected:
  StayingPlanTest() : PlanTest(References::stay) {}
};

TEST_F(StayingPlanTest, what_stays_at_a_key_leaves_the_node_before_others_go_and_comes_back_behind_the_keys) {
  update("parents", {"3", "2", std::nullopt}, {"2", std::nullopt, std::nullopt});
  update("parents", {"2", "2", std::nullopt}, {"1", std::nullopt, std::nullopt});
  update("children", {"8", "3", "n", std::nullopt});
  update("children", {"9", "2", "n", std::nullopt});
  remove("parents", {"7", std::nullopt, std::nullopt});
  const std::vector<std::string> lines = testing::show(statements());
  EXPECT_THAT(lines, IsSupersetOf({
      "unlink Child.HAS {rows: [{k: 8, o: [2, 3]}, {k: 9, o: [1, 2]}]}",
      "leave behind Child.HAS {rows: [{k: 1, t: '_cnx_waiting:1', x: [9]}, {k: 2, t: '_cnx_waiting:2', x: [8]}]}",
      "take over Parent {rows: [{f: 2, t: '_cnx_waiting:2'}]}",
      "change key Parent {rows: [{f: '_cnx_waiting:1', t: 1}]}",
  }));
  update("parents", {"3", "2", std::nullopt}, {"2", std::nullopt, std::nullopt});
  remove("parents", {"7", std::nullopt, std::nullopt});
  EXPECT_THAT(names(), ElementsAre("leave behind Child.HAS", "leave behind Pet.OWNS", "leave behind LIKES at its start",
                                   "remove Parent", "take over Parent", "change key Parent", "change key Parent",
                                   "update Parent"));
}

TEST_F(StayingPlanTest, a_row_with_no_end_is_led_away_from_all) {
  update("children", {"1", std::nullopt, "a", "acme"});
  update("children", {"2", "7", "a", "acme"});
  EXPECT_EQ(testing::show(statements()[0]), "unlink Child.HAS {rows: [{k: 1, o: null}, {k: 2, o: [7]}]}");
}

TEST_F(PlanTest, a_users_statement_stands_for_the_upsert_and_is_followed_by_what_ended) {
  insert("notes", {"1"});
  insert("notes", {"2"});
  merge_.begin_transaction();
  remove("notes", {"1"});
  EXPECT_THAT(testing::show(statements()),
              ElementsAre("user's statement for Note {rows: [{id: 1}, {id: 2}]}",
                          "remove Note {rows: [{k: 1}], clear: {}}"));
}

TEST_F(PlanTest, a_users_statement_runs_before_stubs_are_made_for_its_rows) {
  insert("papers", {"5", "1"});
  insert("notes", {"1"});
  EXPECT_THAT(names(), ElementsAre("user's statement for Note", "insert Paper with CITES"));
}

TEST_F(PlanTest, a_removal_clears_what_is_ours_and_leaves_key_and_tenant) {
  remove("parents", {"1", std::nullopt, std::nullopt});
  EXPECT_EQ(testing::show(statements()[0]),
            "remove Parent {rows: [{k: 1}], clear: {seen: null, seen__pg: null, version: null}}");
}

TEST_F(PlanTest, a_text_is_the_plans_own_or_that_of_the_rows_columns) {
  remove("parents", {"1", std::nullopt, std::nullopt});
  insert("parents", {"2", "1", std::nullopt});
  const std::vector<Statement> first = statements();
  remove("parents", {"3", std::nullopt, std::nullopt});
  insert("parents", {"4", "1", std::nullopt});
  const std::vector<Statement> second = statements();
  EXPECT_EQ(first[0].text, second[0].text);
  EXPECT_EQ(first[0].text, &plan_.texts(source_.node("parents")).remove.text);
  EXPECT_EQ(*first[1].text, *second[1].text);
  EXPECT_THAT(*first[1].text, HasSubstr("MERGE (n:`Parent` {`id`: row[0]}) SET n.`version` = row[1], n.`seen` = row[2], n.`_cnx_stub` = null"));
}

TEST_F(PlanTest, a_text_names_the_exact_text_of_a_value_only_where_there_may_be_one) {
  insert("parents", {"1", "1", "infinity"});
  insert("parents", {"2", "1", std::nullopt});
  const std::vector<Statement> all = statements();
  EXPECT_EQ(testing::show(all[0]), "insert Parent {rows: [[1, 1, null, 'infinity'], [2, 1, null, null]]}");
  EXPECT_THAT(*all[0].text, HasSubstr("n.`seen__pg` = row[3]"));
}

}  // namespace
}  // namespace cnx::cypher
