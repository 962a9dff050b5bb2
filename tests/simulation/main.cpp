// --histories=N --seed=N: so many histories, from that seed on. All other words are GoogleTest's.
#include <gtest/gtest.h>

#include <charconv>
#include <cstdio>

#include "run_histories.hpp"

namespace {

bool take(std::string_view word, std::string_view name, uint64_t& value) {
  if (!word.starts_with(name)) return false;
  word.remove_prefix(name.size());
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), value);
  return error == std::errc() && end == word.data() + word.size();
}

}  // namespace

int main(int count, char** words) {
  ::testing::InitGoogleTest(&count, words);
  cnx::simulation::HistoryRun& run = cnx::simulation::asked_run();
  for (int i = 1; i < count; ++i) {
    if (take(words[i], "--histories=", run.histories) || take(words[i], "--seed=", run.first_seed)) continue;
    std::fprintf(stderr, "%s is neither --histories=N nor --seed=N\n", words[i]);
    return 2;
  }
  return RUN_ALL_TESTS();
}
