#include "run_histories.hpp"

#include <unistd.h>

#include <csignal>
#include <cstdio>

namespace cnx::simulation {
namespace {

// A broken CNX_CHECK ends the process: the seed is said first.
volatile std::sig_atomic_t seed_under_way = 0;

void say_seed(int) {
  char text[64];
  const int length = std::snprintf(text, sizeof text, "repeat it with --seed=%ld\n", static_cast<long>(seed_under_way));
  [[maybe_unused]] auto written = ::write(STDERR_FILENO, text, static_cast<size_t>(length));
}

}  // namespace

HistoryRun& asked_run() {
  static HistoryRun run;
  return run;
}

RunResult run_histories(HistoryRun run, Planted planted, Tally& tally) {
  const auto before = std::signal(SIGABRT, say_seed);
  RunResult result;
  for (uint64_t seed = run.first_seed; result.passed < run.histories; ++seed) {
    seed_under_way = static_cast<std::sig_atomic_t>(seed);
    History history(seed, planted);
    history.run(tally);
    if (history.violation()) {
      result.broken = BrokenHistory{seed, *history.violation(), history.trace()};
      break;
    }
    ++result.passed;
  }
  std::signal(SIGABRT, before);
  return result;
}

}  // namespace cnx::simulation
