#include "pipeline/row_filters.hpp"

#include <gmock/gmock.h>

namespace cnx::pipeline {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

postgres::Table posts() {
  postgres::Table table;
  table.name = {"public", "posts"};
  table.columns = {{.number = 1, .name = "id"}, {.number = 2, .name = "state"}};
  table.keys = {{.name = "posts_pkey", .columns = {"id"}, .primary = true}};
  table.filter = {.sql = "id > 1 AND state = 'x'", .printed = "((id > 1) AND (state = 'x'::text))", .columns = {"id", "state"}};
  return table;
}

TEST(RowFilter, may_read_what_old_rows_tell) {
  postgres::Table table = posts();
  EXPECT_THAT(columns_beyond_identity(table), ElementsAre("state"));
  Status checked = check_filter_columns({table});
  ASSERT_FALSE(checked);
  EXPECT_THAT(checked.error().describe(), HasSubstr("column=state"));
  table.replica_identity = change::ReplicaIdentity::full;
  EXPECT_THAT(columns_beyond_identity(table), IsEmpty());
  EXPECT_TRUE(check_filter_columns({table}));
}

TEST(RowFilter, is_held_against_what_the_publication_sends) {
  postgres::Table table = posts();
  postgres::PublishedTable published{.name = table.name, .columns = {}, .row_filter = table.filter.printed};
  EXPECT_TRUE(sends_rows_of(published, table));
  for (const char* other : {"", "(id > 1)"}) {
    published.row_filter = other;
    EXPECT_FALSE(sends_rows_of(published, table)) << other;
  }
  // Where PostgreSQL could not be asked, that there is one has to do.
  table.filter.known = false;
  table.filter.printed.clear();
  EXPECT_TRUE(sends_rows_of(published, table));
  published.row_filter.clear();
  EXPECT_FALSE(sends_rows_of(published, table));
}

TEST(RowFilter, without_one_all_rows_are_sent) {
  postgres::Table table = posts();
  table.filter = {};
  EXPECT_TRUE(sends_rows_of({.name = table.name, .columns = {}, .row_filter = {}}, table));
  EXPECT_FALSE(sends_rows_of({.name = table.name, .columns = {}, .row_filter = "(id > 1)"}, table));
}

}  // namespace
}  // namespace cnx::pipeline
