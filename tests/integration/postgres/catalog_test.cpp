// The catalog of a real server: tables and their keys, policies, publications, the server itself.
#include "postgres/catalog.hpp"
#include "database.hpp"
#include "postgres/publication.hpp"
#include "postgres/replication.hpp"
#include "postgres/server.hpp"

namespace cnx::postgres {
namespace {

using Names = std::vector<std::string>;

class CatalogOnServer : public DatabaseTest {
 protected:
  Table table(const std::string& schema, const std::string& name) {
    auto tables = must(read_tables(session(), {{schema, name}}, soon()));
    EXPECT_EQ(tables.size(), 1u);
    return tables.at(0);
  }
};

TEST_F(CatalogOnServer, names_columns_and_keys_are_read_as_they_are) {
  run("CREATE SCHEMA \"a.b\"; CREATE TABLE \"a.b\".\"Mixed Case``\"\"x\" (gone int, \"Id\" int, "
      "\"or``der\" int, \"sélect\" text COLLATE \"C\", n numeric(8,2) NOT NULL, "
      "g int GENERATED ALWAYS AS (\"Id\" * 2) STORED, PRIMARY KEY (\"or``der\", \"Id\"), UNIQUE "
      "(n) DEFERRABLE);"
      "ALTER TABLE \"a.b\".\"Mixed Case``\"\"x\" DROP COLUMN gone");
  Table t = table("a.b", "Mixed Case``\"x");
  ASSERT_EQ(t.columns.size(), 5u);
  EXPECT_EQ(t.columns[0].name, "Id");
  EXPECT_EQ(t.columns[0].number, 2);
  EXPECT_EQ(t.columns[2].collation, "C");
  EXPECT_EQ(t.columns[3].type_modifier, 524294);
  EXPECT_TRUE(t.columns[3].not_null);
  EXPECT_TRUE(t.columns[4].generated);
  ASSERT_NE(t.primary_key(), nullptr);
  EXPECT_EQ(t.primary_key()->columns, (Names{"or``der", "Id"}));
  EXPECT_EQ(t.identity_columns(), (Names{"or``der", "Id"}));
  ASSERT_EQ(t.keys.size(), 2u);
  EXPECT_FALSE(t.keys[1].immediate);
  EXPECT_TRUE(t.may_select);
  EXPECT_TRUE(must(read_tables(session(), {{"a", "b"}, {"public", "none"}}, soon())).empty());
}

TEST_F(CatalogOnServer, replica_identity_is_judged_as_the_server_does) {
  run("CREATE TABLE bare (a int); CREATE TABLE whole (a int, b int); ALTER TABLE whole REPLICA "
      "IDENTITY FULL;"
      "CREATE TABLE by_index (a int NOT NULL, b int PRIMARY KEY);"
      "CREATE UNIQUE INDEX by_index_a ON by_index (a);"
      "ALTER TABLE by_index REPLICA IDENTITY USING INDEX by_index_a;"
      "CREATE TABLE later (a int PRIMARY KEY DEFERRABLE); CREATE UNLOGGED TABLE fleeting (a int "
      "PRIMARY KEY)");
  EXPECT_TRUE(table("public", "bare").identity_columns().empty());
  EXPECT_EQ(table("public", "whole").identity_columns(), (Names{"a", "b"}));
  EXPECT_EQ(table("public", "by_index").identity_columns(), (Names{"a"}));
  EXPECT_TRUE(table("public", "later").identity_columns().empty());
  EXPECT_FALSE(table("public", "fleeting").persistent);
}

TEST_F(CatalogOnServer, foreign_keys_name_both_sides_in_one_order) {
  run("CREATE TABLE parent (x int, y int, PRIMARY KEY (y, x)); CREATE TABLE child (id int PRIMARY "
      "KEY, "
      "px int, py int, self int REFERENCES child ON UPDATE CASCADE, CONSTRAINT up FOREIGN KEY (py, px) REFERENCES "
      "parent (y, x))");
  Table t = table("public", "child");
  ASSERT_EQ(t.foreign_keys.size(), 2u);
  EXPECT_EQ(t.foreign_keys[0].referenced_table, (TableName{"public", "child"}));
  EXPECT_TRUE(t.foreign_keys[0].update_cascades);
  EXPECT_EQ(t.foreign_keys[1].name, "up");
  EXPECT_FALSE(t.foreign_keys[1].update_cascades);
  EXPECT_EQ(t.foreign_keys[1].columns, (Names{"py", "px"}));
  EXPECT_EQ(t.foreign_keys[1].referenced_columns, (Names{"y", "x"}));
}

TEST_F(CatalogOnServer, partitions_know_their_root_and_their_constraints_once) {
  run("CREATE TABLE target (id int PRIMARY KEY, k int, UNIQUE (id, k)) ;"
      "CREATE TABLE part (id int REFERENCES target, k int, PRIMARY KEY (id, k)) PARTITION BY LIST "
      "(k);"
      "CREATE TABLE part1 PARTITION OF part FOR VALUES IN (1) PARTITION BY LIST (id);"
      "CREATE TABLE part1a PARTITION OF part1 DEFAULT; CREATE TABLE part2 PARTITION OF part "
      "DEFAULT;"
      "CREATE TABLE points (id int PRIMARY KEY, pid int, pk int, FOREIGN KEY (pid, pk) REFERENCES "
      "part)");
  Table root = table("public", "part");
  EXPECT_EQ(root.kind, TableKind::partitioned);
  EXPECT_FALSE(root.partition_root);
  Table leaf = table("public", "part1a");
  EXPECT_EQ(leaf.kind, TableKind::table);
  EXPECT_EQ(leaf.partition_root, root.oid);
  EXPECT_EQ(leaf.foreign_keys.size(), 1u);
  EXPECT_EQ(table("public", "points").foreign_keys.size(), 1u);
  EXPECT_EQ(must(read_partitions(session(), {"public", "part"}, soon())),
            (std::vector<TableName>{{"public", "part1a"}, {"public", "part2"}}));
}

TEST_F(CatalogOnServer, policies_are_judged_for_the_current_role) {
  run("DROP ROLE IF EXISTS cnx_member; DROP ROLE IF EXISTS cnx_group; CREATE ROLE cnx_group;"
      "CREATE ROLE cnx_member IN ROLE cnx_group; CREATE TABLE guarded (id int, tenant int);"
      "ALTER TABLE guarded ENABLE ROW LEVEL SECURITY; GRANT SELECT ON guarded TO cnx_group;"
      "CREATE POLICY narrow ON guarded USING (tenant = 1)");
  EXPECT_FALSE(table("public", "guarded").row_security_applies);  // The owner is not bound.
  run("SET ROLE cnx_member");
  Table t = table("public", "guarded");
  EXPECT_TRUE(t.row_security && t.row_security_applies && t.may_select);
  EXPECT_FALSE(may_read_all_rows_with_row_security(t));
  run("RESET ROLE; CREATE POLICY open ON guarded FOR SELECT TO cnx_group USING (true); SET ROLE "
      "cnx_member");
  EXPECT_TRUE(may_read_all_rows_with_row_security(table("public", "guarded")));
  run("RESET ROLE; CREATE POLICY shut ON guarded AS RESTRICTIVE TO PUBLIC USING (tenant > 0); SET "
      "ROLE cnx_member");
  EXPECT_FALSE(may_read_all_rows_with_row_security(table("public", "guarded")));
  run("RESET ROLE; DROP TABLE guarded; DROP ROLE cnx_member; DROP ROLE cnx_group");
}

TEST_F(CatalogOnServer, publications_are_made_read_changed_and_dropped) {
  run("CREATE TABLE p1 (id int PRIMARY KEY, v int); CREATE TABLE p2 (id int PRIMARY KEY);"
      "CREATE TABLE \"P 3\" (id int PRIMARY KEY)");
  EXPECT_FALSE(must(read_publication(session(), "PubX", soon())));
  EXPECT_EQ(create_publication(session(), {"PubX", {}, true}, soon()).error().kind(),
            ErrorKind::invalid);
  must(create_publication(session(), {"PubX", {{"public", "p1"}}, true}, soon()));
  EXPECT_EQ(
      create_publication(session(), {"PubX", {{"public", "p1"}}, true}, soon()).error().code(),
      "42710");
  must(add_to_publication(session(), "PubX", {{"public", "p2"}}, soon()));
  Publication read = *must(read_publication(session(), "PubX", soon()));
  EXPECT_FALSE(read.all_tables);
  EXPECT_TRUE(read.via_partition_root && read.insert && read.update && read.remove &&
              read.truncate);
  ASSERT_EQ(read.tables.size(), 2u);
  EXPECT_EQ(read.tables[0].columns, (Names{"id", "v"}));
  must(set_publication(session(), {"PubX", {{"public", "P 3"}}, false}, soon()));
  read = *must(read_publication(session(), "PubX", soon()));
  EXPECT_FALSE(read.via_partition_root);
  ASSERT_EQ(read.tables.size(), 1u);
  EXPECT_EQ(read.tables[0].name, (TableName{"public", "P 3"}));
  must(drop_publication(session(), "PubX", soon()));
}

TEST_F(CatalogOnServer, the_server_tells_what_it_is) {
  ServerInfo server = must(read_server(session(), soon()));
  EXPECT_EQ(server.wal_level, "logical");
  EXPECT_EQ(server.database, database());
  EXPECT_EQ(server.encoding, "UTF8");
  EXPECT_TRUE(server.role_superuser);
  EXPECT_GT(server.wal_end.value(), 0u);
  ReplicationStream stream = must(ReplicationStream::open(options_for(database()), soon()));
  EXPECT_EQ(server.system_identifier, must(stream.identify_system(soon())).system_identifier);
}

}  // namespace
}  // namespace cnx::postgres
