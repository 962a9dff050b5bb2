// Thousands of histories end as they must: each transaction in the graph once, whole and in order.
#include <gtest/gtest.h>

#include "run_histories.hpp"

namespace cnx::simulation {
namespace {

TEST(History, each_transaction_takes_effect_once_whole_and_in_order) {
  Tally tally;
  const RunResult result = run_histories(asked_run(), Planted::nothing, tally);
  std::cout << result.passed << " of " << asked_run().histories << " histories\n";
  if (result.broken) {
    FAIL() << result.broken->violation.invariant << ": " << result.broken->violation.what << "\nbefore it\n"
           << result.broken->trace << "repeat it with --seed=" << result.broken->seed << " --histories=1";
  }
  constexpr uint64_t kEnoughForAll = 200;
  if (result.passed < kEnoughForAll) return;
  // Everything that a history can be made of was there.
  EXPECT_GT(tally.kills, 0);
  EXPECT_GT(tally.stops, 0);
  EXPECT_GT(tally.takeovers, 0);
  EXPECT_GT(tally.crashes, 0);
  EXPECT_GT(tally.copies_killed, 0);
  EXPECT_GT(tally.copies_continued, 0);
  EXPECT_GT(tally.pieces, 0);
  EXPECT_GT(tally.removals, 0);
  EXPECT_GT(tally.deposed_failures, 0);
  EXPECT_GT(tally.letters, 0);
  EXPECT_GT(tally.read_again, 0);
  EXPECT_GT(tally.restored, 0);
  EXPECT_GT(tally.gaps, 0);
}

}  // namespace
}  // namespace cnx::simulation
