#include "record/own_updates.hpp"

#include <gtest/gtest.h>

#include <optional>

namespace cnx::record {
namespace {

using change::DatumView;
using change::Operation;

constexpr const char* kOrigin = "contextnexus/test";
// id, body, version, neo4j_sync_status, neo4j_synced_version.
using Row = std::vector<std::optional<std::string>>;

std::vector<DatumView> views(const Row& row) {
  std::vector<DatumView> made;
  for (const auto& value : row) {
    made.push_back(value ? DatumView{DatumView::Kind::text, *value} : DatumView{DatumView::Kind::null, {}});
  }
  return made;
}

change::RelationPtr relation(std::vector<std::string> columns, const char* name = "messages", uint32_t oid = 1) {
  auto made = std::make_shared<change::Relation>();
  made->oid = change::Oid(oid);
  made->schema = "public";
  made->name = name;
  for (std::string& column : columns) made->columns.push_back({.name = std::move(column)});
  return made;
}

class OwnUpdatesTest : public ::testing::Test {
 protected:
  static SyncTable messages() {
    SyncTable table;
    table.name = {"public", "messages"};
    table.version_column = "version";
    return table;
  }
  bool ours(const Row& row, std::string_view origin = {}, Operation operation = Operation::update, const Row& old = {},
            bool old_is_full = false) {
    change::RowChange change;
    change.operation = operation;
    change.relation = relation_;
    change.row = views(row);
    change.old_row = views(old);
    change.old_is_full = old_is_full;
    return own_.contains(change, origin);
  }

  change::RelationPtr relation_ = relation({"id", "body", "version", "neo4j_sync_status", "neo4j_synced_version"});
  OwnUpdates own_{{messages()}, kOrigin};
  const Row synced_{"a", "text", "3", "synced", "3"};
};

TEST_F(OwnUpdatesTest, an_update_that_says_synced_in_the_rows_own_version_is_ours) { EXPECT_TRUE(ours(synced_)); }

TEST_F(OwnUpdatesTest, a_users_update_is_pending_and_never_ours) {
  EXPECT_FALSE(ours({"a", "text", "4", "pending", "3"}));
  EXPECT_FALSE(ours({"a", "text", "4", "pending", "4"}));
  EXPECT_FALSE(ours({"a", "text", "4", "pending", "3"}, kOrigin)) << "made by a trigger in a transaction of ours";
}

TEST_F(OwnUpdatesTest, a_version_that_was_not_the_synced_one_is_ours_only_under_our_origins_name) {
  const Row older{"a", "text", "4", "synced", "3"};
  EXPECT_FALSE(ours(older));
  EXPECT_FALSE(ours(older, "somebody/else"));
  EXPECT_TRUE(ours(older, kOrigin));
}

TEST_F(OwnUpdatesTest, an_update_that_says_that_the_row_is_not_in_the_graph_is_ours) {
  EXPECT_TRUE(ours({"a", "text", "4", "conflict", "3"}));
  EXPECT_TRUE(ours({"a", "text", "4", "failed", {}}));
  EXPECT_FALSE(ours({"a", "text", "4", "waiting", "3"}));
}

TEST_F(OwnUpdatesTest, another_origin_changes_nothing_for_a_synced_row) { EXPECT_TRUE(ours(synced_, "somebody/else")); }

TEST_F(OwnUpdatesTest, only_updates_are_ours) {
  EXPECT_FALSE(ours(synced_, kOrigin, Operation::insert));
  EXPECT_FALSE(ours({}, kOrigin, Operation::remove));
}

TEST_F(OwnUpdatesTest, a_change_of_the_key_is_a_users) {
  EXPECT_FALSE(ours(synced_, kOrigin, Operation::update, {"b", {}, {}, {}, {}}));
  EXPECT_TRUE(ours(synced_, {}, Operation::update, {"a", "text", "3", "pending", {}}, true)) << "the whole row is the identity";
}

TEST_F(OwnUpdatesTest, null_says_nothing) {
  EXPECT_FALSE(ours({"a", "text", "3", {}, "3"}));
  EXPECT_FALSE(ours({"a", "text", {}, "synced", {}}));
}

TEST_F(OwnUpdatesTest, a_table_that_is_not_written_back_is_never_ours) {
  relation_ = relation({"id", "body", "version", "neo4j_sync_status", "neo4j_synced_version"}, "others", 2);
  EXPECT_FALSE(ours(synced_, kOrigin));
  relation_ = relation({"id", "body", "version"}, "messages", 3);
  EXPECT_FALSE(ours({"a", "text", "3"}, kOrigin)) << "an older relation, without the columns";
}

TEST_F(OwnUpdatesTest, columns_are_found_anew_when_the_relation_changes) {
  EXPECT_TRUE(ours(synced_));
  relation_ = relation({"neo4j_synced_version", "neo4j_sync_status", "version", "id"});
  EXPECT_TRUE(ours({"5", "synced", "5", "a"}));
  EXPECT_FALSE(ours({"5", "pending", "5", "a"}));
}

TEST_F(OwnUpdatesTest, where_a_users_trigger_may_have_changed_more_every_row_is_a_change) {
  SyncTable table = messages();
  table.meddling_trigger = "touch";
  own_ = OwnUpdates({table}, kOrigin);
  EXPECT_FALSE(ours(synced_, kOrigin));
}

}  // namespace
}  // namespace cnx::record
