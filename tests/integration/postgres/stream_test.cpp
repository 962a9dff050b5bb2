// The replication stream of a real server: slot, exported snapshot, messages, confirmation, ends.
#include <poll.h>

#include <chrono>
#include <functional>

#include "database.hpp"
#include "postgres/catalog.hpp"
#include "postgres/copy_text.hpp"
#include "postgres/pgoutput.hpp"
#include "postgres/publication.hpp"
#include "postgres/replication.hpp"
#include "postgres/slot.hpp"
#include "postgres/text_codec.hpp"

namespace cnx::postgres {
namespace {

using change::Lsn;

class StreamOnServer : public DatabaseTest {
 protected:
  void SetUp() override {
    DatabaseTest::SetUp();
    if (IsSkipped()) return;
    static int made = 0;
    slot_ = "cnx_slot_" + std::to_string(::getpid()) + "_" + std::to_string(++made);
  }
  ReplicationStream open() {
    return must(ReplicationStream::open(options_for(database()), soon()));
  }

  CreatedSlot make_slot(ReplicationStream& stream) {
    CreateSlotOptions options;
    options.name = slot_;
    return must(stream.create_slot(options, soon()));
  }
  Status start(ReplicationStream& stream, const std::string& publication, Lsn from = {}) {
    StartOptions options;
    options.slot = slot_;
    options.from = from;
    options.publications = {publication};
    return stream.start(options, soon());
  }
  // Hands messages on until `take` says that it has enough; the error that ended the stream, if one
  // did.
  Status read(ReplicationStream& stream, const std::function<bool(StreamMessage&)>& take) {
    TimePoint deadline = soon();
    while (Clock::now() < deadline) {
      auto message = stream.try_read();
      if (!message) return fail(std::move(message).error());
      if (!*message) {
        pollfd waiting{stream.fd(), POLLIN, 0};
        ::poll(&waiting, 1, 1000);
        continue;
      }
      if (take(**message)) return {};
    }
    ADD_FAILURE() << "the stream gave nothing in time";
    return {};
  }
  // All row messages' new rows up to the n-th commit, as text; also the last commit's end_lsn.
  std::vector<std::string> rows_until_commit(ReplicationStream& stream, int commits) {
    std::vector<std::string> found;
    must(read(stream, [&](StreamMessage& message) {
      auto* wal = std::get_if<WalData>(&message);
      if (wal == nullptr) return false;
      Message decoded = must(decode(wal->payload, state_));
      if (auto* row = std::get_if<RowMessage>(&decoded)) {
        std::string text;
        for (const auto& datum : row->row) {
          text += datum.kind == change::DatumView::Kind::text ? "[" + std::string(datum.text) + "]"
                                                              : "-";
        }
        found.push_back(text);
      }
      if (auto* commit = std::get_if<CommitMessage>(&decoded)) {
        end_lsn_ = commit->end_lsn;
        return --commits == 0;
      }
      return false;
    }));
    return found;
  }
  void drop_slot_when_free() {
    for (int tries = 0; tries < 100; ++tries) {
      if (drop_slot(session(), slot_, soon())) return;
      run("SELECT pg_sleep(0.05)");
    }
    ADD_FAILURE() << "the slot stays in use";
  }

  std::string slot_;
  DecoderState state_;
  Lsn end_lsn_;
};

TEST_F(StreamOnServer, what_was_there_is_in_the_snapshot_and_what_follows_in_the_stream) {
  run("CREATE TABLE s (id int PRIMARY KEY, t text); INSERT INTO s VALUES (1, 'before')");
  must(create_publication(session(), {"Pub\"X", {{"public", "s"}}, true}, soon()));
  ReplicationStream maker = open();
  SystemIdentity system = must(maker.identify_system(soon()));
  EXPECT_EQ(system.database, database());
  EXPECT_GT(system.system_identifier, 0u);
  CreatedSlot created = make_slot(maker);
  run("INSERT INTO s VALUES (2, 'after')");

  Session reader = must(Session::open(options_for(database()), soon()));
  must(reader.execute("BEGIN ISOLATION LEVEL REPEATABLE READ; SET TRANSACTION SNAPSHOT '" +
                          created.snapshot_name + "'",
                      soon()));
  EXPECT_EQ(must(reader.query("SELECT t FROM s", soon())).size(), 1u);
  must(reader.execute("COMMIT", soon()));

  ASSERT_TRUE(start(maker, "Pub\"X"));
  EXPECT_EQ(rows_until_commit(maker, 1), (std::vector<std::string>{"[2][after]"}));
  EXPECT_GT(end_lsn_, created.consistent_point);

  ReplicationStream second = open();
  Status busy = start(second, "Pub\"X");
  ASSERT_FALSE(busy);
  EXPECT_EQ(busy.error().code(), "55006");

  SlotState before = *must(read_slot(session(), slot_, soon()));
  EXPECT_TRUE(before.active);
  EXPECT_EQ(before.plugin, "pgoutput");
  EXPECT_EQ(*before.confirmed_flush, created.consistent_point);
  must(maker.send_status({end_lsn_, end_lsn_, end_lsn_, true}));
  EXPECT_FALSE(maker.wants_write());
  must(read(maker, [&](StreamMessage&) {  // Earlier keep-alives may come first.
    return must(read_slot(session(), slot_, soon()))->confirmed_flush == end_lsn_;
  }));
  SlotState after = *must(read_slot(session(), slot_, soon()));
  EXPECT_EQ(*after.confirmed_flush, end_lsn_);
  EXPECT_EQ(after.wal_status, "reserved");

  { ReplicationStream closed = std::move(maker); }
  drop_slot_when_free();
  EXPECT_FALSE(must(read_slot(session(), slot_, soon())));
  must(drop_publication(session(), "Pub\"X", soon()));
  run("DROP TABLE s");
}

TEST_F(StreamOnServer, a_value_is_the_same_by_stream_copy_and_query) {
  run("CREATE TABLE kinds (id int PRIMARY KEY, a int2, b int8, c numeric, d numeric(8,2), e "
      "numeric(5,0), "
      "f float4, g float8, h bool, i char(5), j varchar, k uuid, l date, m time, n timetz, o "
      "timestamp, "
      "p timestamptz, q interval, r bytea, s money, t text[], u int[], v jsonb, w inet, x "
      "int4range, y box)");
  must(create_publication(session(), {"kinds", {{"public", "kinds"}}, true}, soon()));
  ReplicationStream stream = open();
  make_slot(stream);
  run("INSERT INTO kinds VALUES (1, -1, 9e15, '1.10', 2.5, 'NaN', 0.1, 'NaN', true, 'ab', '', "
      "'00000000-0000-0000-0000-000000000001', '0044-03-15 BC', '24:00', '12:00-03:30', "
      "'infinity', "
      "'2024-07-01 12:00+02', '1 mon -2 days 3.5 s', '\\x00ff', -1234.5, '{NULL,\"a,b\"}', "
      "'[0:1]={1,2}', "
      "'{\"b\": 1, \"a\": 1e2}', '10.0.0.1/8', '[1,5)', '(0,0),(1,1)'); INSERT INTO kinds VALUES "
      "(2)");
  ASSERT_TRUE(start(stream, "kinds"));
  std::vector<std::string> streamed = rows_until_commit(stream, 1);

  must(session().start_copy("COPY (SELECT * FROM kinds ORDER BY id) TO STDOUT", soon()));
  std::vector<std::string> copied;
  for (;;) {
    CopyRead read = must(session().try_read_copy());
    if (std::holds_alternative<CopyEnd>(read)) break;
    if (std::holds_alternative<CopyWouldBlock>(read)) {
      must(session().wait_readable(soon()));
      continue;
    }
    std::string text;
    for (const auto& datum : must(decode_copy_line(std::get<CopyRow>(read).line, 26))) {
      text +=
          datum.kind == change::DatumView::Kind::text ? "[" + std::string(datum.text) + "]" : "-";
    }
    copied.push_back(text);
  }
  EXPECT_EQ(streamed, copied);
  ASSERT_EQ(copied.size(), 2u);

  // And every one of them is a value or its companion.
  TypeCatalog types = must(read_types(session(), soon()));
  Table table = must(read_tables(session(), {{"public", "kinds"}}, soon())).at(0);
  Rows queried = rows("SELECT * FROM kinds WHERE id = 1");
  std::string unfit;
  for (size_t i = 0; i < table.columns.size(); ++i) {
    const TableColumn& column = table.columns[i];
    Codec codec = must(codec_for(types, column.type, column.type_modifier));
    auto value = decode(codec, queried.text(0, i));
    ASSERT_TRUE(value) << column.name << ": " << value.error().describe();
    if (std::holds_alternative<change::Unfit>(*value)) unfit += column.name;
  }
  EXPECT_EQ(unfit, "emotu");
  { ReplicationStream closed = std::move(stream); }
  drop_slot_when_free();
  run("DROP PUBLICATION kinds; DROP TABLE kinds");
}

constexpr int kMissingPublicationIsSilentSince = 180000;

TEST_F(StreamOnServer, a_change_older_than_its_publication_is_the_servers_error_before_18) {
  if (session().server_version() >= kMissingPublicationIsSilentSince) GTEST_SKIP();
  run("CREATE TABLE late (id int PRIMARY KEY)");
  ReplicationStream stream = open();
  make_slot(stream);
  run("INSERT INTO late VALUES (1)");
  ASSERT_TRUE(start(stream, "late"));
  Status ended = read(stream, [](StreamMessage&) { return false; });
  ASSERT_FALSE(ended);
  EXPECT_EQ(ended.error().kind(), ErrorKind::server);
  EXPECT_EQ(ended.error().code(), "42704");
  { ReplicationStream closed = std::move(stream); }
  drop_slot_when_free();
  run("DROP TABLE late");
}

TEST_F(StreamOnServer, a_change_older_than_its_publication_is_silently_absent_since_18) {
  if (session().server_version() < kMissingPublicationIsSilentSince) GTEST_SKIP();
  run("CREATE TABLE late (id int PRIMARY KEY)");
  ReplicationStream stream = open();
  make_slot(stream);
  run("INSERT INTO late VALUES (1)");
  run("CREATE PUBLICATION late FOR TABLE late");
  run("INSERT INTO late VALUES (2)");
  ASSERT_TRUE(start(stream, "late"));
  EXPECT_EQ(rows_until_commit(stream, 1), (std::vector<std::string>{"[2]"}));
  { ReplicationStream closed = std::move(stream); }
  drop_slot_when_free();
  run("DROP PUBLICATION late; DROP TABLE late");
}

TEST_F(StreamOnServer, a_killed_walsender_is_unavailable) {
  run("CREATE TABLE k (id int PRIMARY KEY); CREATE PUBLICATION k FOR TABLE k");
  ReplicationStream stream = open();
  make_slot(stream);
  ASSERT_TRUE(start(stream, "k"));
  run("SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots WHERE slot_name = '" +
      slot_ + "'");
  Status ended = read(stream, [](StreamMessage&) { return false; });
  ASSERT_FALSE(ended);
  EXPECT_EQ(ended.error().kind(), ErrorKind::unavailable);
  { ReplicationStream closed = std::move(stream); }
  drop_slot_when_free();
  run("DROP PUBLICATION k; DROP TABLE k");
}

TEST_F(StreamOnServer, commands_that_cannot_be_are_refused_with_the_reason) {
  ReplicationStream stream = open();
  CreateSlotOptions wrong;
  wrong.name = "Wrong-Name";
  EXPECT_EQ(stream.create_slot(wrong, soon()).error().kind(), ErrorKind::invalid);
  EXPECT_EQ(stream.drop_slot("cnx_no_such_slot", soon()).error().code(), "42704");
  EXPECT_EQ(start(stream, "p").error().code(), "42704");
  make_slot(stream);
  CreateSlotOptions again;
  again.name = slot_;
  EXPECT_EQ(stream.create_slot(again, soon()).error().code(), "42710");
  must(stream.drop_slot(slot_, soon()));
}

}  // namespace
}  // namespace cnx::postgres
