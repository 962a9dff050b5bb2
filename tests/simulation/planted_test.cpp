// Each check can fail: with a fault planted in a port some history must be broken, and by the invariant that the fault is against.
#include <gtest/gtest.h>

#include <algorithm>

#include "run_histories.hpp"

namespace cnx::simulation {
namespace {

struct Case {
  const char* name;
  Planted planted;
  std::vector<std::string> invariants;  // Any of them.
};

void PrintTo(const Case& planted, std::ostream* out) { *out << planted.name; }

class PlantedFault : public ::testing::TestWithParam<Case> {};

TEST_P(PlantedFault, turns_a_check_red) {
  constexpr uint64_t kHistories = 200;
  Tally tally;
  const RunResult result = run_histories({.first_seed = 1, .histories = kHistories}, GetParam().planted, tally);
  ASSERT_TRUE(result.broken) << "no history found it";
  const auto& invariants = GetParam().invariants;
  EXPECT_NE(std::find(invariants.begin(), invariants.end(), result.broken->violation.invariant), invariants.end())
      << result.broken->violation.invariant << ": " << result.broken->violation.what;
}

// A row that is lost, or comes too late, is missing, or leaves what should be gone, or is missed by a relationship.
const std::vector<std::string> kAnyOfRows = {"I4", "I5", "I6"};

INSTANTIATE_TEST_SUITE_P(
    All, PlantedFault,
    ::testing::Values(Case{"confirms_what_it_read", Planted::confirms_what_it_read, {"I1"}},
                      Case{"applies_twice", Planted::applies_twice, {"I2"}},
                      Case{"hides_pieces", Planted::hides_pieces, {"I3"}},
                      Case{"swaps_two_rows", Planted::swaps_two_rows, kAnyOfRows},
                      Case{"brings_back_what_was_older", Planted::brings_back_what_was_older, kAnyOfRows},
                      Case{"drops_stubs", Planted::drops_stubs, {"I5"}},
                      Case{"loses_a_row", Planted::loses_a_row, kAnyOfRows},
                      Case{"passes_refused_rows", Planted::passes_refused_rows, {"I6"}},
                      Case{"hoards", Planted::hoards, {"I7"}},
                      Case{"never_recovers", Planted::never_recovers, {"I8"}},
                      Case{"goes_on_over_a_gap", Planted::goes_on_over_a_gap, {"I9"}}),
    [](const auto& tested) { return std::string(tested.param.name); });

TEST(History, one_seed_is_one_history) {
  for (uint64_t seed : {1u, 2u, 3u}) {
    Tally tally;
    History first(seed), second(seed);
    first.run(tally);
    second.run(tally);
    EXPECT_EQ(first.trace(), second.trace());
  }
}

}  // namespace
}  // namespace cnx::simulation
