// Many histories, one seed after another.
#pragma once

#include "history.hpp"

namespace cnx::simulation {

struct HistoryRun {
  uint64_t first_seed = 1;
  uint64_t histories = 400;
};
// What the command line asks for: set by main() before any test runs.
HistoryRun& asked_run();

struct BrokenHistory {
  uint64_t seed;
  Violation violation;
  std::string trace;
};
struct RunResult {
  uint64_t passed = 0;
  std::optional<BrokenHistory> broken;  // The first one; the run ends there.
};
RunResult run_histories(HistoryRun run, Planted planted, Tally& tally);

}  // namespace cnx::simulation
