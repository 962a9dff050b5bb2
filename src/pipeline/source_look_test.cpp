#include "pipeline/source_look.hpp"

#include <gtest/gtest.h>

#include "pipeline/read_again.hpp"

namespace cnx::pipeline {
namespace {

constexpr int64_t kMiB = 1 << 20;

SourceLook keeping(int64_t bytes) {
  SourceLook look;
  look.slot.emplace();
  look.slot->name = "p";
  look.slot->wal_status = "reserved";
  look.slot->retained_wal_bytes = bytes;
  return look;
}

std::vector<std::string> codes(const SourceLook& look, const SourceOptions& options = {}) {
  std::vector<std::string> codes;
  for (const SourceWarning& warning : source_warnings(look, options)) {
    EXPECT_FALSE(warning.message.empty());
    EXPECT_FALSE(warning.advice.empty());
    codes.push_back(warning.code);
  }
  return codes;
}

using Codes = std::vector<std::string>;

TEST(SourceWarnings, are_none_where_all_is_well_or_there_is_no_slot) {
  EXPECT_EQ(codes(keeping(kMiB)), Codes{});
  EXPECT_EQ(codes(SourceLook()), Codes{});
}

TEST(SourceWarnings, tell_of_kept_log_by_the_option) {
  SourceOptions options;
  options.retained_wal_warn_bytes = 8 * kMiB;
  EXPECT_EQ(codes(keeping(8 * kMiB - 1), options), Codes{});
  EXPECT_EQ(codes(keeping(8 * kMiB), options), Codes{"wal_retained_high"});
}

TEST(SourceWarnings, tell_of_kept_log_at_half_of_what_the_server_keeps) {
  SourceLook look = keeping(50 * kMiB);
  look.slot_wal_keep_bytes_max = 100 * kMiB;
  EXPECT_EQ(codes(look), Codes{"wal_retained_high"});
  look.slot_wal_keep_bytes_max = 102 * kMiB;
  EXPECT_EQ(codes(look), Codes{});
}

TEST(SourceWarnings, tell_of_a_slot_that_the_next_checkpoint_loses) {
  SourceLook look = keeping(kMiB);
  look.slot->wal_status = "unreserved";
  EXPECT_EQ(codes(look), Codes{"slot_at_risk"});
  look.slot->wal_status = "lost";
  EXPECT_EQ(codes(look), Codes{}) << "that is a state";
}

TEST(SourceWarnings, name_the_oldest_transaction_that_is_too_old) {
  SourceLook look = keeping(kMiB);
  look.open = {{.gid = "young", .seconds = 10}, {.gid = "old", .user = "app", .seconds = 700}, {.gid = "older", .seconds = 900},
               {.pid = 12, .user = "app", .seconds = 800}, {.pid = 13}};
  EXPECT_EQ(codes(look), (Codes{"prepared_transaction_pins", "open_transaction_pins"}));
  const std::vector<SourceWarning> warnings = source_warnings(look, {});
  EXPECT_NE(warnings[0].message.find("'older' (prepared 900 s ago)"), std::string::npos) << warnings[0].message;
  EXPECT_NE(warnings[1].message.find("pid 12 (user app, open for 800 s)"), std::string::npos) << warnings[1].message;
}

// What a person asks for is done; by itself only what concerns the pipeline's own two databases.
TEST(ReadAgain, is_for_gaps_and_for_another_database_if_a_person_says_so) {
  using capture::SourceState;
  SourceOptions stops;
  SourceOptions resyncs;
  resyncs.gap_action = "resync";
  EXPECT_FALSE(is_to_be_read_again({.state = SourceState::slot_lost}, false, stops));
  EXPECT_TRUE(is_to_be_read_again({.state = SourceState::slot_lost}, true, stops));
  EXPECT_TRUE(is_to_be_read_again({.state = SourceState::slot_lost}, false, resyncs));
  EXPECT_FALSE(is_to_be_read_again({.state = SourceState::database_replaced}, false, resyncs));
  EXPECT_TRUE(is_to_be_read_again({.state = SourceState::database_replaced}, true, stops));
  EXPECT_FALSE(is_to_be_read_again({.state = SourceState::graph_replaced}, true, resyncs));
  EXPECT_FALSE(is_to_be_read_again({.state = SourceState::fits}, true, resyncs));
}

}  // namespace
}  // namespace cnx::pipeline
