#include "capture/logical/transaction_reader.hpp"

#include <gtest/gtest.h>

#include "capture/logical/source_state.hpp"
#include "capture/logical/testing/pgoutput_writer.hpp"

namespace cnx::capture {
namespace {

using change::Lsn;
using change::Position;
using testing::Datum;

constexpr uint32_t kTable = 4711;

// What testing::begin says: 2000-01-01.
constexpr int64_t kCommitted = 946'684'800'000'000;

// Two transactions; the second begins at the very LSN where the first ends.
constexpr Lsn kFirstFinal(1000), kFirstEnd(1048), kSecondFinal(1048), kSecondEnd(1100);

std::vector<Bytes> described(std::vector<Bytes> messages) {
  std::vector<Bytes> all;
  for (Bytes& message : messages) {
    const bool opens = static_cast<char>(message[0]) == 'B';
    all.push_back(std::move(message));
    if (opens) all.push_back(testing::relation(kTable, "counted", {"id", "value"}));
  }
  return all;
}

std::vector<Bytes> stream() {
  return described({testing::begin(kFirstFinal), testing::insert(kTable, {"1", "10"}),
                    testing::insert(kTable, {"2", "20"}), testing::insert(kTable, {"3", "30"}),
                    testing::commit(kFirstFinal, kFirstEnd), testing::begin(kSecondFinal),
                    testing::insert(kTable, {"4", "40"}), testing::remove(kTable, {"1", {}}),
                    testing::truncate({kTable}), testing::insert(kTable, {"5", "50"}),
                    testing::commit(kSecondFinal, kSecondEnd)});
}

// An event as a test compares it: its kind, and where it stands.
struct Seen {
  char kind;
  Position position;
  friend bool operator==(const Seen&, const Seen&) = default;
  friend std::ostream& operator<<(std::ostream& out, const Seen& seen) {
    return out << seen.kind << " " << seen.position.to_string();
  }
};

Seen seen(const change::Event& event) {
  if (const auto* begin = std::get_if<change::Begin>(&event)) return {'B', {begin->final_lsn, 0}};
  if (const auto* commit = std::get_if<change::Commit>(&event)) return {'C', {commit->end_lsn, 0}};
  if (const auto* truncate = std::get_if<change::Truncate>(&event))
    return {'T', truncate->position};
  const auto& row = std::get<change::RowChange>(event);
  return {row.operation == change::Operation::remove ? 'D' : 'I', row.position};
}

const std::vector<Seen> kAll = {
    {'B', {kFirstFinal, 0}},  {'I', {kFirstFinal, 1}},  {'I', {kFirstFinal, 2}},
    {'I', {kFirstFinal, 3}},  {'C', {kFirstEnd, 0}},    {'B', {kSecondFinal, 0}},
    {'I', {kSecondFinal, 1}}, {'D', {kSecondFinal, 2}}, {'T', {kSecondFinal, 3}},
    {'I', {kSecondFinal, 4}}, {'C', {kSecondEnd, 0}}};

std::vector<Seen> tail(size_t from) {
  return {kAll.begin() + static_cast<long>(from), kAll.end()};
}

// Reads at most `count` messages of the stream and adds the events.
void read_into(TransactionReader& reader, std::vector<Seen>& events, size_t count = SIZE_MAX) {
  for (const Bytes& message : stream()) {
    if (count-- == 0) return;
    auto event = reader.read(testing::wal_data(message));
    ASSERT_TRUE(event) << event.error().describe();
    if (*event) events.push_back(seen(**event));
  }
}

ErrorKind kind_of_failure(const std::vector<Bytes>& messages) {
  TransactionReader reader({Lsn(500), 0});
  for (const Bytes& message : messages) {
    auto event = reader.read(testing::wal_data(message));
    if (!event) return event.error().kind();
  }
  ADD_FAILURE() << "nothing was wrong with it";
  return ErrorKind::internal;
}

TEST(TransactionReader, numbers_the_rows_of_a_transaction_from_one) {
  TransactionReader reader({Lsn(500), 0});
  std::vector<Seen> events;
  read_into(reader, events);
  EXPECT_EQ(events, kAll);
  EXPECT_EQ(reader.whole(), kSecondEnd);
  EXPECT_TRUE(reader.between_transactions());
}

TEST(TransactionReader, passes_over_what_the_position_covers_and_nothing_else) {
  const std::vector<std::pair<Position, std::vector<Seen>>> cases = {
      {{kFirstFinal, 0}, kAll},   // Up to where its commit begins: it is not in the graph.
      {{Lsn(1020), 0}, tail(5)},  // An idle advance into its commit record.
      {{kFirstEnd, 0}, tail(5)},  // The next one begins right there.
      {{Lsn(1049), 0}, {}},      {{kSecondEnd, 0}, {}},
  };
  for (const auto& [start, wanted] : cases) {
    TransactionReader reader(start);
    std::vector<Seen> events;
    read_into(reader, events);
    EXPECT_EQ(events, wanted) << "from " << start.to_string();
  }
}

// One LSN stands for all rows of a transaction: the rest of it comes after a restart inside it.
TEST(TransactionReader, goes_on_inside_a_transaction_that_is_applied_in_part) {
  for (uint64_t applied = 1; applied <= 4; ++applied) {
    TransactionReader reader({kSecondFinal, applied});
    std::vector<Seen> events;
    read_into(reader, events);
    std::vector<Seen> wanted = tail(6 + applied);
    wanted.insert(wanted.begin(), Seen{'B', {kSecondFinal, 0}});
    EXPECT_EQ(events, wanted) << "after row " << applied;
  }
}

TEST(TransactionReader, goes_on_where_a_lost_connection_ended_whatever_the_message) {
  for (size_t first = 0; first < stream().size(); ++first) {
    for (size_t second : {size_t{0}, size_t{1}, first / 2, first + 1}) {
      TransactionReader reader({Lsn(500), 0});
      std::vector<Seen> events;
      read_into(reader, events, first);
      reader.restart({});
      read_into(reader, events, second);
      reader.restart({});
      EXPECT_EQ(reader.between_transactions(), events.empty() || events.back().kind == 'C');
      read_into(reader, events);
      EXPECT_EQ(events, kAll) << "lost after " << first << ", then after " << second;
    }
  }
}

TEST(TransactionReader, is_between_transactions_only_where_none_is_open_on_either_side) {
  TransactionReader reader({Lsn(500), 0});
  std::vector<Seen> events;
  read_into(reader, events, 3);
  EXPECT_FALSE(reader.between_transactions());
  reader.restart({});
  EXPECT_FALSE(reader.between_transactions()) << "half of it was handed on";
}

// What a server sends that was set back, and whose log is as long again.
TEST(TransactionReader, the_last_transaction_comes_again_or_the_server_has_gone_another_way) {
  struct Case {
    change::LastCommit last;
    Lsn confirmed;
    bool fits;
  };
  for (const Case& each : {Case{{kFirstFinal, kCommitted}, Lsn(900), true}, Case{{kFirstFinal, kCommitted + 1}, Lsn(900), false},
                           Case{{Lsn(1020), 0}, Lsn(900), false}, Case{{Lsn(1020), 0}, Lsn(1030), true}, Case{{}, Lsn(900), true}}) {
    TransactionReader reader({kFirstEnd, 0});
    reader.holds(each.last);
    reader.restart(each.confirmed);
    Status read;
    for (const Bytes& message : stream()) {
      auto event = reader.read(testing::wal_data(message));
      if (event) continue;
      read = fail(event.error());
      break;
    }
    EXPECT_EQ(static_cast<bool>(read), each.fits) << each.last.final_lsn.to_string();
    if (!read) {
      EXPECT_EQ(read.error().code(), kGoneAnotherWay);
    }
  }
}

TEST(TransactionReader, a_log_that_was_read_past_the_last_transaction_does_not_have_it) {
  TransactionReader reader({kFirstEnd, 0});
  reader.holds({kFirstFinal, kCommitted});
  reader.restart(Lsn(900));
  EXPECT_TRUE(reader.hear_of(kFirstFinal));
  EXPECT_FALSE(reader.hear_of(Lsn(1001)));
  ASSERT_TRUE(reader.read(testing::wal_data(testing::begin(kFirstFinal))));
  EXPECT_TRUE(reader.hear_of(Lsn(1001)));
}

// Also where it was read over a connection before, and nobody has told the reader of it.
TEST(TransactionReader, after_a_lost_connection_what_was_read_last_comes_again) {
  TransactionReader reader({Lsn(500), 0});
  std::vector<Seen> events;
  read_into(reader, events);
  reader.restart(Lsn(500));
  auto other = reader.read(testing::wal_data(testing::begin(Lsn(1060))));
  ASSERT_FALSE(other);
  EXPECT_EQ(other.error().code(), kGoneAnotherWay);
}

TEST(TransactionReader, passes_over_a_transaction_below_an_idle_advance) {
  TransactionReader reader({Lsn(500), 0});
  std::vector<Seen> events;
  read_into(reader, events, 6);
  reader.advance(Lsn(1060));
  reader.restart({});
  events.clear();
  read_into(reader, events);
  EXPECT_TRUE(events.empty());
}

TEST(TransactionReader, forgets_relations_with_the_connection) {
  TransactionReader reader({Lsn(500), 0});
  std::vector<Seen> events;
  read_into(reader, events, 3);
  reader.restart({});
  ASSERT_TRUE(reader.read(testing::wal_data(testing::begin(kFirstFinal))));
  ASSERT_TRUE(reader.read(testing::wal_data(testing::insert(kTable, {"1", "10"}))))
      << "handed on before: its relation is not asked for";
  EXPECT_FALSE(reader.read(testing::wal_data(testing::insert(kTable, {"2", "20"}))));
}

TEST(TransactionReader, refuses_an_order_of_messages_that_no_server_sends) {
  const Bytes row = testing::insert(kTable, {"1", "10"});
  const Bytes described_table = testing::relation(kTable, "counted", {"id", "value"});
  const Bytes begin = testing::begin(kFirstFinal);
  const std::vector<std::vector<Bytes>> conversations = {
      {described_table, row},
      {testing::truncate({kTable})},
      {testing::commit(kFirstFinal, kFirstEnd)},
      {begin, begin},
      {begin, row},
      {begin, testing::truncate({kTable})},
      {begin, described_table, testing::insert(kTable, {"1"})},
      {begin, described_table, testing::update(kTable, {"1", "10"}, {"1", {}, {}})},
      {Bytes{std::byte{'?'}}},
      {Bytes{}},
  };
  for (size_t i = 0; i < conversations.size(); ++i) {
    EXPECT_EQ(kind_of_failure(conversations[i]), ErrorKind::malformed) << "conversation " << i;
  }
}

TEST(TransactionReader, refuses_to_go_on_where_the_open_transaction_does_not_come_again) {
  TransactionReader reader({Lsn(500), 0});
  std::vector<Seen> events;
  read_into(reader, events, 3);
  reader.restart({});
  auto other = reader.read(testing::wal_data(testing::begin(Lsn(2000))));
  ASSERT_FALSE(other);
  EXPECT_EQ(other.error().kind(), ErrorKind::malformed);
}

TEST(TransactionReader, refuses_the_stream_of_an_open_transaction) {
  Bytes stream_start = {std::byte{'S'}, std::byte{0}, std::byte{0},
                        std::byte{0},   std::byte{7}, std::byte{1}};
  EXPECT_EQ(kind_of_failure({stream_start}), ErrorKind::unsupported);
}

TEST(TransactionReader, tells_each_rows_origin_and_forgets_it_with_the_transaction) {
  std::vector<std::string> origins;
  TransactionReader reader({Lsn(500), 0}, [&](const change::RowChange&, std::string_view origin) {
    origins.emplace_back(origin);
    return origin == "ours";
  });
  auto say = [&](const Bytes& message) {
    auto event = reader.read(testing::wal_data(message));
    EXPECT_TRUE(event) << event.error().describe();
    return event ? std::move(*event) : std::nullopt;
  };
  auto transaction = [&](Lsn final_lsn, const char* origin) {
    say(testing::begin(final_lsn));
    if (origin != nullptr) say(testing::origin(origin));
    say(testing::relation(kTable, "counted", {"id", "value"}));
    say(testing::update(kTable, {"1", "10"}));
    return say(testing::commit(final_lsn, Lsn(final_lsn.value() + 40)));
  };
  auto own = transaction(Lsn(1000), "ours");
  auto others = transaction(Lsn(1100), "theirs");
  auto none = transaction(Lsn(1200), nullptr);
  EXPECT_EQ(origins, (std::vector<std::string>{"ours", "theirs", ""}));
  ASSERT_TRUE(own && others && none);
  EXPECT_TRUE(std::get<change::Commit>(*own).passed_over);
  EXPECT_FALSE(std::get<change::Commit>(*others).passed_over);
  EXPECT_FALSE(std::get<change::Commit>(*none).passed_over);
}

TEST(TransactionReader, tells_of_each_transaction_that_changes_something) {
  ToldTransactions told;
  TransactionReader reader({Lsn(500), 0}, {}, nullptr, &told);
  EXPECT_TRUE(told.are_seen_by({}));
  std::vector<Seen> events;
  read_into(reader, events);
  EXPECT_FALSE(told.are_seen_by({}));
  // Nothing runs, and the next one is far ahead.
  EXPECT_TRUE(told.are_seen_by(*change::PgSnapshot::parse("1000000:1000000:")));
  EXPECT_TRUE(told.are_seen_by({}));
}

TEST(TransactionReader, tells_of_each_table_before_its_rows_and_ends_where_that_is_refused) {
  std::vector<std::string> told;
  TransactionReader reader({Lsn(500), 0});
  reader.on_relation([&](const change::Relation& relation, const change::Relation* before, Lsn at) -> Status {
    EXPECT_EQ(at, kFirstFinal);
    told.push_back(relation.name + (before == nullptr ? "" : " after " + before->name));
    if (relation.name == "leaf") return fail(ErrorKind::state, "not now");
    return {};
  });
  auto say = [&](const Bytes& message) { return reader.read(testing::wal_data(message)).has_value(); };
  EXPECT_TRUE(say(testing::begin(kFirstFinal)));
  EXPECT_TRUE(say(testing::relation(kTable, "root", {"id", "value"})));
  EXPECT_FALSE(say(testing::relation(kTable + 1, "leaf", {"id", "value"})));
  reader.restart({});
  EXPECT_TRUE(say(testing::begin(kFirstFinal)));
  EXPECT_TRUE(say(testing::relation(kTable, "root", {"id", "value"})));
  EXPECT_EQ(told, (std::vector<std::string>{"root", "leaf after root", "root"}));
}

TEST(TransactionReader, has_nothing_to_say_of_types_origins_and_messages) {
  Bytes type;
  ByteWriter type_writer(type);
  type_writer.write<uint8_t>('Y');
  type_writer.write<uint32_t>(5000);
  testing::detail::write_string(type_writer, "public");
  testing::detail::write_string(type_writer, "mood");
  TransactionReader reader({Lsn(500), 0});
  ASSERT_TRUE(reader.read(testing::wal_data(testing::begin(kFirstFinal))));
  for (const Bytes& message : {testing::origin("elsewhere"), type}) {
    auto event = reader.read(testing::wal_data(message));
    ASSERT_TRUE(event) << event.error().describe();
    EXPECT_FALSE(*event);
  }
}

}  // namespace
}  // namespace cnx::capture
