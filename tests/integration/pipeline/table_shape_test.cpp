// What is read of a table's shape is of one moment.
#include "pipeline/table_shape.hpp"

#include "database.hpp"
#include "pipeline/table_changes.hpp"

namespace cnx::pipeline {
namespace {

using postgres::must;
using postgres::soon;

class TableShapeOnServer : public postgres::DatabaseTest {
 protected:
  static TableShape shape(postgres::Session& session) { return must(read_shapes(session, {{"public", "t"}}, "none", soon())).at(0); }
};

TEST_F(TableShapeOnServer, an_alteration_shows_with_the_file_that_it_wrote_or_not_at_all) {
  run("CREATE TABLE t (id int PRIMARY KEY, n int); INSERT INTO t VALUES (1, 1)");
  postgres::Session reader = must(postgres::Session::open(postgres::options_for(database()), soon()));
  const TableShape before = shape(reader);
  must(reader.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", soon()));
  must(reader.query("SELECT count(*) FROM pg_catalog.pg_class", soon()));
  run("ALTER TABLE t ALTER n TYPE int USING n + 1");
  const TableShape meanwhile = shape(reader);
  must(reader.execute("COMMIT", soon()));
  EXPECT_EQ(to_text(meanwhile), to_text(before));
  const TableShape after = shape(reader);
  EXPECT_NE(after.files, before.files);
  EXPECT_TRUE(compare(meanwhile, after, {}).copy);
  run("DROP TABLE t");
}

}  // namespace
}  // namespace cnx::pipeline
