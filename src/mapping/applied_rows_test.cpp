#include "mapping/applied_rows.hpp"

#include <gmock/gmock.h>

#include "mapping/testing/source.hpp"

namespace cnx::mapping {
namespace {

using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;
using testing::kUnchanged;

constexpr const char* kMapping = R"(
defaults: {key: id, version: version}
tables:
  threads: {node: Thread}
  items: {node: Item}
  includes: {relationship: INCLUDES, from: {threads: thread}, to: {items: item}}
)";
const std::vector<std::string> kTables = {"threads (id int8, title text, version int8)",
                                          "items (id uuid, title text, version int8)",
                                          "includes (thread int8, item uuid, version int8)"};
const TableName kThreads{"public", "threads"};
const TableName kItems{"public", "items"};
const TableName kIncludes{"public", "includes"};
constexpr const char* kItem = "00000000-0000-0000-0000-00000000000a";

class AppliedRowsTest : public ::testing::Test {
 protected:
  std::vector<AppliedRow> applied(const std::set<TableName>& tables) { return applied_rows(merge_.take(), tables); }

  testing::Source source_{kMapping, kTables};
  Merge merge_{source_.model()};
};

TEST_F(AppliedRowsTest, are_the_rows_of_nodes_and_of_relationships_with_their_keys_and_versions) {
  source_.insert(merge_, "threads", {"7", "t", "1"});
  source_.insert(merge_, "items", {kItem, "i", "3"});
  source_.insert(merge_, "includes", {"7", kItem, "2"});
  EXPECT_THAT(applied({kThreads, kItems, kIncludes}),
              UnorderedElementsAre(AppliedRow{kThreads, {Key(7)}, 1}, AppliedRow{kItems, {Key(std::string(kItem))}, 3},
                                   AppliedRow{kIncludes, {Key(7), Key(std::string(kItem))}, 2}));
}

TEST_F(AppliedRowsTest, are_only_those_of_the_tables_that_were_asked_for) {
  source_.insert(merge_, "threads", {"7", "t", "1"});
  source_.insert(merge_, "items", {kItem, "i", "3"});
  EXPECT_THAT(applied({kItems}), UnorderedElementsAre(AppliedRow{kItems, {Key(std::string(kItem))}, 3}));
}

TEST_F(AppliedRowsTest, have_the_last_version_of_the_batch_and_the_key_after_it) {
  source_.insert(merge_, "threads", {"7", "t", "1"});
  merge_.begin_transaction();
  source_.update(merge_, "threads", {"7", "u", "2"});
  source_.update(merge_, "threads", {"8", "u", "3"}, {"7", {}, {}});
  EXPECT_THAT(applied({kThreads}), UnorderedElementsAre(AppliedRow{kThreads, {Key(8)}, 3}));
}

TEST_F(AppliedRowsTest, leave_out_what_was_removed_and_what_has_no_version) {
  source_.remove(merge_, "threads", {"7", {}, {}});
  source_.insert(merge_, "threads", {"8", "t", {}});
  source_.update(merge_, "threads", {"9", "t", kUnchanged});
  EXPECT_THAT(applied({kThreads}), IsEmpty());
}

TEST(AppliedRows, are_none_where_no_version_is_mapped) {
  testing::Source source("tables:\n  threads: {node: Thread, key: id}\n", {"threads (id int8, version int8)"});
  Merge merge(source.model());
  source.insert(merge, "threads", {"7", "1"});
  EXPECT_THAT(applied_rows(merge.take(), {kThreads}), IsEmpty());
}

}  // namespace
}  // namespace cnx::mapping
