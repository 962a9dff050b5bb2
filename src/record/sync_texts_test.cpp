// The texts are run by tests/integration/write_back_test.py; here: what they lock, what they pass over and what they bind.
#include "record/sync_texts.hpp"

#include <gmock/gmock.h>

namespace cnx::record {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;

SyncTable messages() {
  SyncTable table;
  table.name = {"public", "messages"};
  table.key_columns = {"id"};
  table.key_types = {"uuid"};
  table.version_column = "version";
  table.has_updated_at = true;
  return table;
}

SyncTable includes() {
  SyncTable table;
  table.name = {"My Schema", "thread\"content"};
  table.key_columns = {"thread_id", "item id"};
  table.key_types = {"uuid", "bigint"};
  table.version_column = "version";
  table.has_relationship_id = true;
  return table;
}

TEST(SyncTexts, candidates_lock_nothing_and_say_whose_element_id_is_missing_or_stale) {
  EXPECT_EQ(candidates_text(messages()),
            "SELECT w.number, t.neo4j_node_id IS NULL OR (t.neo4j_synced_at < $3::timestamptz) IS TRUE FROM ROWS FROM "
            "(pg_catalog.unnest($1::uuid[]), pg_catalog.unnest($2::bigint[])) WITH ORDINALITY AS w(k1, version, number) JOIN "
            "\"public\".\"messages\" t ON t.\"id\" = w.k1 WHERE t.\"version\" = w.version AND (t.neo4j_sync_status <> 'synced' "
            "OR (t.neo4j_synced_at < $3::timestamptz) IS TRUE)");
  EXPECT_THAT(candidates_text(includes()), HasSubstr("t.neo4j_node_id IS NULL OR t.neo4j_relationship_id IS NULL OR"));
}

TEST(SyncTexts, a_write_locks_in_the_order_of_the_keys_and_passes_over_what_is_locked) {
  const std::string text = write_text(includes());
  EXPECT_THAT(text, HasSubstr("ORDER BY t.\"thread_id\", t.\"item id\" FOR NO KEY UPDATE OF t SKIP LOCKED"));
  EXPECT_THAT(text, HasSubstr("UPDATE \"My Schema\".\"thread\"\"content\" t SET neo4j_sync_status = 'synced'"));
  EXPECT_THAT(text, HasSubstr("(t.neo4j_synced_at < $6::timestamptz) IS TRUE AS stale"));
  EXPECT_THAT(text, HasSubstr("pg_catalog.unnest($4::text[]), pg_catalog.unnest($5::text[])"));
}

TEST(SyncTexts, a_write_is_only_of_the_version_that_was_applied) {
  EXPECT_THAT(write_text(messages()), HasSubstr("WHERE t.\"version\" = w.version AND (t.neo4j_sync_status <> 'synced' OR"));
  EXPECT_THAT(write_text(messages()), EndsWith("AND t.\"version\" = w.version RETURNING w.number")) << "also once it is locked";
}

TEST(SyncTexts, element_ids_are_kept_unless_they_are_null_or_stale) {
  EXPECT_THAT(write_text(messages()), Not(HasSubstr("contextnexus.pipelines")));
  EXPECT_THAT(write_text(messages(), true), HasSubstr("p.epoch > $7::bigint) ORDER BY")) << "an owner that was away writes nothing";
  EXPECT_THAT(write_text(includes()),
              HasSubstr("neo4j_relationship_id = CASE WHEN w.stale THEN NULLIF(w.relationship_id, '') ELSE "
                        "COALESCE(t.neo4j_relationship_id, NULLIF(w.relationship_id, '')) END"));
  EXPECT_THAT(write_text(messages()), Not(HasSubstr("neo4j_relationship_id")));
}

TEST(SyncTexts, a_sweep_goes_on_behind_its_last_row_in_the_order_of_its_index) {
  EXPECT_EQ(unsynced_text(messages(), false, true),
            "SELECT t.\"version\", t.updated_at, t.\"id\" FROM \"public\".\"messages\" t WHERE t.neo4j_sync_status = 'pending' "
            "AND (t.updated_at, t.\"id\") > ($2::timestamptz, $3::uuid) ORDER BY t.updated_at, t.\"id\" LIMIT $1::bigint");
  EXPECT_THAT(unsynced_text(messages(), true, false), HasSubstr("WHERE t.neo4j_sync_status <> 'synced' ORDER BY"));
  EXPECT_THAT(unsynced_text(messages(), false, false), Not(HasSubstr("$2")));
  EXPECT_THAT(unsynced_text(includes(), false, true), HasSubstr("(t.\"thread_id\", t.\"item id\") > ($2::uuid, $3::bigint)"));
}

TEST(SyncTexts, rows_that_are_held_are_marked_in_the_order_of_their_keys_and_only_while_they_are_pending) {
  const std::string text = held_text(includes(), true);
  EXPECT_THAT(text, HasSubstr("SELECT h.key_values[1]::uuid AS k1, h.key_values[2]::bigint AS k2, 'failed' AS status FROM contextnexus.dead_letters h"));
  EXPECT_THAT(text, HasSubstr("h.table_schema = 'My Schema' AND h.table_name = 'thread\"content' AND h.key_columns = $2::text[]"));
  EXPECT_THAT(text, HasSubstr("WHERE t.neo4j_sync_status = 'pending' AND NOT EXISTS (SELECT FROM contextnexus.pipelines p WHERE p.name = $1::text AND "
                              "p.epoch > $3::bigint) ORDER BY t.\"thread_id\", t.\"item id\" FOR NO KEY UPDATE OF t SKIP LOCKED"));
  EXPECT_THAT(held_text(messages(), false), Not(HasSubstr("$3")));
}

TEST(SyncTexts, a_sweep_for_stale_rows_reads_the_table_in_the_order_of_its_key) {
  EXPECT_EQ(stale_text(includes(), true),
            "SELECT CASE WHEN t.neo4j_sync_status = 'synced' AND (t.neo4j_synced_at < $2::timestamptz) IS TRUE THEN "
            "t.\"version\" END, NULL, t.\"thread_id\", t.\"item id\" FROM \"My Schema\".\"thread\"\"content\" t WHERE "
            "(t.\"thread_id\", t.\"item id\") > ($3::uuid, $4::bigint) ORDER BY t.\"thread_id\", t.\"item id\" LIMIT "
            "$1::bigint");
}

}  // namespace
}  // namespace cnx::record
