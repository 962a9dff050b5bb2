// Sessions on a real server: settings, errors, deadlines, COPY, notifications.
#include <poll.h>

#include "database.hpp"
#include "postgres/copy_text.hpp"
#include "postgres/quote.hpp"
#include "postgres/replication.hpp"

namespace cnx::postgres {
namespace {

class SessionOnServer : public DatabaseTest {
 protected:
  // The decoded lines, "-" for NULL, and how the copy ended.
  std::pair<std::vector<std::string>, Status> copy(const std::string& sql, size_t columns) {
    must(session().start_copy(sql, soon()));
    std::vector<std::string> lines;
    for (;;) {
      auto read = session().try_read_copy();
      if (!read) return {lines, fail(read.error())};
      if (std::holds_alternative<CopyEnd>(*read)) {
        EXPECT_EQ(std::get<CopyEnd>(*read).rows, lines.size());
        return {lines, {}};
      }
      if (std::holds_alternative<CopyWouldBlock>(*read)) {
        must(session().wait_readable(soon()));
        continue;
      }
      std::string line;
      for (const auto& datum : must(decode_copy_line(std::get<CopyRow>(*read).line, columns))) {
        line +=
            datum.kind == change::DatumView::Kind::null ? "-" : "[" + std::string(datum.text) + "]";
      }
      lines.push_back(line);
    }
  }
};

TEST_F(SessionOnServer, settings_of_the_role_do_not_change_a_value) {
  run("ALTER DATABASE " + database() +
      " SET datestyle = 'SQL, DMY';"
      "ALTER DATABASE " +
      database() +
      " SET timezone = 'America/St_Johns';"
      "ALTER DATABASE " +
      database() +
      " SET intervalstyle = 'sql_standard';"
      "ALTER DATABASE " +
      database() +
      " SET extra_float_digits = -3;"
      "ALTER DATABASE " +
      database() +
      " SET statement_timeout = '1ms';"
      "ALTER DATABASE " +
      database() + " SET bytea_output = 'escape'");
  const std::string sql =
      "SELECT date '2024-02-01', timestamptz '2024-07-01 12:00+00', "
      "interval '1 mon 2 days -00:00:01.5', 0.1::float8 + 0.2::float8, '\\x00ff41'::bytea, "
      "(-1234.56)::money, pg_sleep(0.01)";
  Session other = must(Session::open(options_for(database()), soon()));
  Rows r = must(other.query(sql, soon()));
  EXPECT_EQ(r.text(0, 0), "2024-02-01");
  EXPECT_EQ(r.text(0, 1), "2024-07-01 12:00:00+00");
  EXPECT_EQ(r.text(0, 2), "1 mon 2 days -00:00:01.5");
  EXPECT_EQ(r.text(0, 3), "0.30000000000000004");
  EXPECT_EQ(r.text(0, 4), "\\x00ff41");
  EXPECT_EQ(r.text(0, 5), "-$1,234.56");
  must(other.execute("ALTER DATABASE " + database() + " RESET ALL", soon()));
}

TEST_F(SessionOnServer, a_database_without_an_encoding_is_refused) {
  std::string name = database() + "_ascii";
  run("CREATE DATABASE " + name + " TEMPLATE template0 ENCODING 'SQL_ASCII' LOCALE 'C'");
  auto refused = Session::open(options_for(name), soon());
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind(), ErrorKind::unsupported);
  EXPECT_FALSE(refused.error().advice().empty());
  run("DROP DATABASE " + name);
}

TEST_F(SessionOnServer, errors_carry_sqlstate_detail_and_hint_and_leave_the_session_usable) {
  run("CREATE TABLE unique_id (id int PRIMARY KEY); INSERT INTO unique_id VALUES (1)");
  auto refused = session().query("INSERT INTO unique_id VALUES ($1)", {"1"}, soon());
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind(), ErrorKind::server);
  EXPECT_EQ(refused.error().code(), "23505");
  EXPECT_NE(refused.error().message().find("already exists"), std::string::npos);
  refused = session().query("SELECT no_such_function()", soon());
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code(), "42883");
  EXPECT_FALSE(refused.error().advice().empty());
  EXPECT_EQ(rows("SELECT 1").text(0, 0), "1");
  EXPECT_EQ(session().execute("SELECT 1; SELECT 1/0; SELECT 2", soon()).error().code(), "22012");
}

TEST_F(SessionOnServer, parameters_are_values_and_null_is_null) {
  Rows r = must(session().query("SELECT $1::text, $2::int, $3::text[]",
                                {"'; DROP TABLE x --", std::nullopt, array_text({"a\"b", "c,d"})},
                                soon()));
  EXPECT_EQ(r.text(0, 0), "'; DROP TABLE x --");
  EXPECT_TRUE(r.is_null(0, 1));
  EXPECT_EQ(must(r.texts(0, 2)), (std::vector<std::string>{"a\"b", "c,d"}));
  EXPECT_FALSE(r.integer(0, 1));
}

TEST_F(SessionOnServer, a_deadline_ends_a_wait) {
  auto before = Clock::now();
  auto late = session().query("SELECT pg_sleep(20)", before + std::chrono::milliseconds(200));
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().kind(), ErrorKind::timeout);
  EXPECT_LT(Clock::now() - before, std::chrono::seconds(5));
}

TEST_F(SessionOnServer, a_killed_connection_is_unavailable) {
  Session other = must(Session::open(options_for(database()), soon()));
  run("SELECT pg_terminate_backend(" + std::to_string(other.backend_pid()) + ")");
  auto lost = other.query("SELECT pg_sleep(1)", soon());
  ASSERT_FALSE(lost);
  EXPECT_EQ(lost.error().kind(), ErrorKind::unavailable);
}

TEST_F(SessionOnServer,
       nobody_listening_is_unavailable_and_a_missing_database_is_the_servers_error) {
  ConnectionOptions nowhere;
  nowhere.conninfo = Secret("postgres://me:hunter2@127.0.0.1:1/app");
  auto refused = Session::open(nowhere, soon());
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind(), ErrorKind::unavailable);
  EXPECT_EQ(refused.error().describe().find("hunter2"), std::string::npos);
  refused = Session::open(options_for("no_such_database"), soon());
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind(), ErrorKind::server);
  EXPECT_EQ(refused.error().code(), "3D000");
  EXPECT_EQ(refused.error().message().find("postinit.c"), std::string::npos);
}

TEST_F(SessionOnServer, a_copy_gives_every_row_with_its_bytes) {
  run("CREATE TABLE copied (id int, t text);"
      "INSERT INTO copied VALUES (1, NULL), (2, '\\N'), (3, E'a\\tb\\nc\\\\d\\r\\x01é'), (4, '')");
  auto [lines, status] = copy("COPY copied TO STDOUT", 2);
  EXPECT_TRUE(status);
  EXPECT_EQ(lines,
            (std::vector<std::string>{"[1]-", "[2][\\N]", "[3][a\tb\nc\\d\r\x01é]", "[4][]"}));
  auto [many, ended] =
      copy("COPY (SELECT i, repeat('x', 300) FROM generate_series(1, 20000) i) TO STDOUT", 2);
  EXPECT_TRUE(ended);
  EXPECT_EQ(many.size(), 20000u);
  EXPECT_EQ(rows("SELECT 1").text(0, 0), "1");
}

TEST_F(SessionOnServer, a_copy_that_fails_half_way_says_why_and_leaves_the_session_usable) {
  auto [lines, status] =
      copy("COPY (SELECT 1 / (3 - i) FROM generate_series(1, 5) i) TO STDOUT", 1);
  EXPECT_EQ(lines.size(), 2u);
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code(), "22012");
  EXPECT_EQ(rows("SELECT 1").text(0, 0), "1");
  EXPECT_FALSE(session().start_copy("SELECT 1", soon()));
  EXPECT_EQ(rows("SELECT 1").text(0, 0), "1");
}

TEST_F(SessionOnServer, a_copy_in_writes_all_of_its_lines_or_none) {
  must(session().execute("CREATE TEMP TABLE taken (id int PRIMARY KEY, body text)", soon()));
  std::string lines;
  for (int i = 0; i < 100'000; ++i) lines += std::to_string(i) + "\t" + std::string(60, 'x') + "\n";
  must(session().write_copy("COPY taken FROM STDIN", lines, soon()));
  EXPECT_EQ(must(must(session().query("SELECT count(*) FROM taken", soon())).integer(0, 0)), 100'000);
  Status twice = session().write_copy("COPY taken FROM STDIN", "200000\tnew\n1\tthere already\n", soon());
  ASSERT_FALSE(twice);
  EXPECT_EQ(twice.error().code(), "23505");
  EXPECT_EQ(must(must(session().query("SELECT count(*) FROM taken", soon())).integer(0, 0)), 100'000);
  Status missing = session().write_copy("COPY nowhere FROM STDIN", lines, soon());
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code(), "42P01");
  must(session().write_copy("COPY taken FROM STDIN", "", soon()));
}

TEST_F(SessionOnServer, notifications_arrive) {
  run("LISTEN \"Outbox\"");
  EXPECT_FALSE(must(session().try_read_notification()));
  Session other = must(Session::open(options_for(database()), soon()));
  must(other.execute("NOTIFY \"Outbox\", 'now'", soon()));
  must(session().wait_readable(soon()));
  auto notification = must(session().try_read_notification());
  ASSERT_TRUE(notification);
  EXPECT_EQ(notification->channel, "Outbox");
  EXPECT_EQ(notification->payload, "now");
  EXPECT_EQ(notification->sender_pid, other.backend_pid());
}

TEST_F(SessionOnServer, rows_that_security_hides_are_an_error_unless_asked_otherwise) {
  run("CREATE TABLE hidden (id int); INSERT INTO hidden VALUES (1);"
      "ALTER TABLE hidden ENABLE ROW LEVEL SECURITY; DROP ROLE IF EXISTS cnx_reader;"
      "CREATE ROLE cnx_reader; GRANT SELECT ON hidden TO cnx_reader");
  run("SET ROLE cnx_reader");
  EXPECT_EQ(session().query("SELECT * FROM hidden", soon()).error().code(), "42501");
  ConnectionOptions options = options_for(database());
  options.row_security_on = true;
  Session other = must(Session::open(options, soon()));
  must(other.execute("SET ROLE cnx_reader", soon()));
  EXPECT_TRUE(must(other.query("SELECT * FROM hidden", soon())).empty());
  run("RESET ROLE; DROP TABLE hidden; DROP ROLE cnx_reader");
}

}  // namespace
}  // namespace cnx::postgres
