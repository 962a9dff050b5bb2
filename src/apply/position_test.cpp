#include "apply/position.hpp"

#include <gtest/gtest.h>

#include <fstream>

#include "apply/steady_read.hpp"
#include "apply/testing/answering.hpp"
#include "bolt/packstream.hpp"

namespace cnx::apply {
namespace {

using bolt::Value;
using change::Lsn;

using testing::Answering;
using testing::kDeadline;

// From this column on.
constexpr size_t kNotInEvery = 12;

bolt::List columns() {
  return {Value(int64_t{0x1'00000010}),
          Value(int64_t{7}),
          Value(int64_t{3}),
          Value("stream"),
          Value(true),
          Value("77"),
          Value(int64_t{1}),
          Value("knowledge"),
          Value("contextnexus"),
          Value("a fingerprint"),
          Value(int64_t{1}),
          Value(int64_t{123456}),
          Value("0/320"),
          Value(int64_t{16384}),
          Value(int64_t{2})};
}

// Each look gives the next record. Fails where one of them is not asked for.
Result<std::optional<PositionNode>> read(const std::vector<std::optional<bolt::List>>& looks) {
  Answering graph(looks);
  auto node = read_position(*graph.connection, "p/0", kDeadline);
  EXPECT_TRUE(graph.server.script_played());
  return node;
}

bolt::List columns_without(size_t column) {
  bolt::List lacking = columns();
  lacking[column] = Value(bolt::Null{});
  return lacking;
}

bolt::Map parameters(const Batch& batch, int64_t epoch) {
  auto value = bolt::unpack(compare_and_set_parameters("p/0", batch, epoch), bolt::Dialect{});
  EXPECT_TRUE(value) << value.error().describe();
  const auto* map = value ? value->get_if<bolt::Map>() : nullptr;
  EXPECT_NE(map, nullptr);
  return map == nullptr ? bolt::Map{} : *map;
}

Batch some_batch() {
  Batch batch;
  batch.from = {.position = {Lsn(0x1'00000020), 5}, .phase = Phase::stream, .partial = true};
  batch.to = {.position = {Lsn(0x1'00000020), 12}, .phase = Phase::stream, .partial = true};
  batch.commit_microseconds = 99;
  batch.final_lsn = Lsn(0x1'00000010);
  return batch;
}

TEST(Position, is_read_with_its_source) {
  auto node = read({columns()});
  ASSERT_TRUE(node) << node.error().describe();
  ASSERT_TRUE(*node);
  const PositionNode& read = **node;
  EXPECT_EQ(read.stored.lane.position, (change::Position{Lsn(0x1'00000010), 7}));
  EXPECT_EQ(read.stored.lane.phase, Phase::stream);
  EXPECT_TRUE(read.stored.lane.partial);
  EXPECT_EQ(read.stored.epoch, 3);
  EXPECT_EQ(read.source.system_identifier, "77");
  EXPECT_EQ(read.source.timeline, 1);
  EXPECT_EQ(read.source.database, "knowledge");
  EXPECT_EQ(read.source.slot, "contextnexus");
  EXPECT_EQ(read.source.fingerprint, "a fingerprint");
  EXPECT_EQ(read.commit_microseconds, 123456);
  EXPECT_EQ(read.consistent_point, Lsn(0x320));
  EXPECT_EQ(read.source.database_oid, 16384);
  EXPECT_EQ(read.recorded_epoch, 2);
}

TEST(Position, may_not_be_there) {
  Answering graph({std::nullopt});
  auto node = read_position(*graph.connection, "p/0", kDeadline);
  ASSERT_TRUE(node) << node.error().describe();
  EXPECT_FALSE(*node);
}

TEST(Position, of_a_newer_format_is_not_understood) {
  bolt::List newer = columns();
  newer[10] = Value(kPositionFormat + 1);
  auto node = read({newer});
  ASSERT_FALSE(node);
  EXPECT_EQ(node.error().kind(), ErrorKind::unsupported);
}

TEST(Position, that_somebody_changed_is_a_state_for_a_person) {
  for (size_t column = 0; column < kNotInEvery; ++column) {
    if (column == 4) continue;  // `partial` is false where it is not there.
    const bolt::List strange = columns_without(column);
    auto node = read(std::vector<std::optional<bolt::List>>(2 * kSteadyReads, strange));
    ASSERT_FALSE(node) << "column " << column;
    EXPECT_EQ(node.error().kind(), ErrorKind::state);
    EXPECT_FALSE(node.error().advice().empty());
  }
}

// What no commit explains is taken as it is.
TEST(Position, may_lack_what_not_every_node_has) {
  for (size_t column = kNotInEvery; column < 15; ++column) {
    const bolt::List lacking = columns_without(column);
    auto node = read(std::vector<std::optional<bolt::List>>(kSteadyReads + 1, lacking));
    ASSERT_TRUE(node) << "column " << column << ": " << node.error().describe();
    EXPECT_EQ((*node)->consistent_point, column == 12 ? Lsn() : Lsn(0x320));
    EXPECT_EQ((*node)->recorded_epoch, column == 14 ? 0 : 2);
  }
}

TEST(Position, is_read_again_where_a_read_met_a_commit) {
  for (size_t column = 0; column < 15; ++column) {
    auto node = read({columns_without(column), columns_without(column), columns()});
    ASSERT_TRUE(node) << "column " << column << ": " << node.error().describe();
    EXPECT_EQ((*node)->consistent_point, Lsn(0x320));
    EXPECT_EQ((*node)->recorded_epoch, 2);
    EXPECT_TRUE((*node)->stored.lane.partial);
  }
}

TEST(Position, a_lane_is_named_by_its_pipeline) {
  EXPECT_EQ(lane_key("contextnexus"), "contextnexus/0");
}

TEST(CompareAndSet, compares_every_part_of_what_the_batch_starts_from) {
  const bolt::Map packed = parameters(some_batch(), 4);
  EXPECT_EQ(packed.size(), 14u);
  EXPECT_EQ(*packed.get_if<std::string>("lane"), "p/0");
  EXPECT_EQ(*packed.get_if<int64_t>("lsn"), 0x1'00000020);
  EXPECT_EQ(*packed.get_if<int64_t>("ordinal"), 5);
  EXPECT_EQ(*packed.get_if<int64_t>("epoch"), 4);
  EXPECT_EQ(*packed.get_if<std::string>("phase"), "stream");
  const std::string text(compare_and_set_text());
  for (const char* part : {"p.lsn = $lsn", "p.ordinal = $ordinal", "p.epoch = $epoch",
                           "p.phase = $phase", "ELSE 1/0 END"}) {
    EXPECT_NE(text.find(part), std::string::npos) << part;
  }
  EXPECT_LT(text.find("SET p._cnx_lock = true"), text.find("CASE")) << "the lock comes first";
}

// tests/integration/plans_test.py has Neo4j plan it with the statements of few rows behind it.
TEST(CompareAndSet, is_the_text_that_was_tried_against_neo4j) {
  std::ifstream file(CNX_TEST_DATA "/cypher/compare_and_set.txt");
  std::string expected;
  std::getline(file, expected);
  EXPECT_EQ(compare_and_set_text(), expected);
}

TEST(CompareAndSet, sets_every_part_of_where_the_batch_leads) {
  const bolt::Map packed = parameters(some_batch(), 4);
  EXPECT_EQ(*packed.get_if<int64_t>("nextLsn"), 0x1'00000020);
  EXPECT_EQ(*packed.get_if<int64_t>("nextOrdinal"), 12);
  EXPECT_EQ(*packed.get_if<std::string>("nextText"), "1/20+12");
  EXPECT_EQ(*packed.get_if<std::string>("nextPhase"), "stream");
  EXPECT_EQ(*packed.get_if<bool>("partial"), true);
  EXPECT_EQ(*packed.get_if<int64_t>("committedAt"), 99);
  EXPECT_EQ(*packed.get_if<int64_t>("commitLsn"), 0x1'00000010);
}

TEST(CompareAndSet, leaves_the_commit_time_where_the_batch_has_none) {
  Batch idle = some_batch();
  idle.commit_microseconds = 0;
  idle.final_lsn = {};
  EXPECT_NE(parameters(idle, 4).get_if<bolt::Null>("commitLsn"), nullptr);
  EXPECT_NE(parameters(idle, 4).get_if<bolt::Null>("committedAt"), nullptr);
}

TEST(CompareAndSet, speaks_of_a_copy_by_its_phase) {
  Batch copy;
  copy.from = {.position = {}, .phase = Phase::snapshot};
  copy.to = {.position = {Lsn(), 1}, .phase = Phase::snapshot};
  EXPECT_EQ(*parameters(copy, 1).get_if<std::string>("phase"), "snapshot");
  EXPECT_EQ(*parameters(copy, 1).get_if<std::string>("nextPhase"), "snapshot");
}

// A transaction of the owner before may have been done between two reads: what the new owner starts
// from is read under the lock that fences the other one off.
TEST(Epoch, is_raised_and_tells_where_the_lane_stands_by_then) {
  bolt::List first = columns();
  first.resize(5);
  first.push_back(int64_t{700});
  first.push_back(std::string("[]"));
  first.push_back(int64_t{600});
  first.push_back(int64_t{1'700'000'000'000'000});
  Answering graph({first});
  auto stored = raise_epoch(*graph.connection, "p/0", kDeadline);
  ASSERT_TRUE(stored) << stored.error().describe();
  EXPECT_EQ(stored->epoch, 3);
  EXPECT_EQ(stored->lane.position, (change::Position{Lsn(0x1'00000010), 7}));
  EXPECT_TRUE(stored->lane.partial);
  EXPECT_EQ(stored->lane.partial_until, Lsn(700));
  EXPECT_EQ(stored->ahead, "[]");
  EXPECT_EQ(stored->last, (change::LastCommit{Lsn(600), 1'700'000'000'000'000}));
}

TEST(Epoch, is_not_raised_where_there_is_no_position) {
  Answering graph({std::nullopt});
  auto stored = raise_epoch(*graph.connection, "p/0", kDeadline);
  ASSERT_FALSE(stored);
  EXPECT_EQ(stored.error().kind(), ErrorKind::state);
}

}  // namespace
}  // namespace cnx::apply
