// All tables of a real server's database, with what people wrote about them.
#include "postgres/table_list.hpp"

#include "database.hpp"

namespace cnx::postgres {
namespace {

class TableListOnServer : public DatabaseTest {};

TEST_F(TableListOnServer, lists_what_people_made_with_their_words) {
  run("CREATE SCHEMA contextnexus; CREATE TABLE contextnexus.ours (id int);"
      "CREATE SCHEMA \"B.c\"; CREATE TABLE \"B.c\".\"t\"\"x\" (\"a b\" int, gone int);"
      "COMMENT ON TABLE \"B.c\".\"t\"\"x\" IS 'What it is'; COMMENT ON COLUMN "
      "\"B.c\".\"t\"\"x\".\"a b\" IS 'One';"
      "COMMENT ON COLUMN \"B.c\".\"t\"\"x\".gone IS 'Two'; ALTER TABLE \"B.c\".\"t\"\"x\" DROP "
      "COLUMN gone;"
      "CREATE TABLE child (more int) INHERITS (\"B.c\".\"t\"\"x\");"
      "CREATE TABLE parts (id int) PARTITION BY LIST (id); CREATE TABLE part PARTITION OF parts "
      "DEFAULT;"
      "CREATE VIEW seen AS SELECT 1 AS one; CREATE TABLE owned (id int); ALTER EXTENSION plpgsql "
      "ADD TABLE owned");
  TableList list = must(list_tables(session(), {}, soon()));
  EXPECT_FALSE(list.database.empty());
  std::vector<std::string> names;
  for (const DescribedTable& each : list.tables) names.push_back(to_string(each.table.name));
  EXPECT_EQ(names, (std::vector<std::string>{"B.c.t\"x", "public.child", "public.part",
                                             "public.parts", "public.seen"}));
  EXPECT_EQ(list.tables[0].comment, "What it is");
  EXPECT_EQ(list.tables[0].column_comments, (std::map<std::string, std::string>{{"a b", "One"}}));
  EXPECT_EQ(list.tables[1].parents, (std::vector<TableName>{{"B.c", "t\"x"}}));
  EXPECT_TRUE(list.tables[2].parents.empty());
  EXPECT_EQ(list.tables[4].table.kind, TableKind::view);
}

TEST_F(TableListOnServer, takes_the_schemas_that_are_named_and_no_others) {
  run("CREATE SCHEMA one; CREATE TABLE one.t (id int); CREATE TABLE t (id int)");
  TableList list = must(list_tables(session(), {"one"}, soon()));
  ASSERT_EQ(list.tables.size(), 1u);
  EXPECT_EQ(list.tables[0].table.name, (TableName{"one", "t"}));
  auto missing = list_tables(session(), {"one", "two"}, soon());
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().kind(), ErrorKind::invalid);
  EXPECT_FALSE(session().in_transaction());
}

}  // namespace
}  // namespace cnx::postgres
