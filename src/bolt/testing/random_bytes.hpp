// Random input for decoders, from a seed that is printed when a test fails. For tests only.
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <random>

#include "base/bytes.hpp"

namespace bolt::testing {

// CNX_TEST_SEED repeats a run.
inline uint64_t test_seed() {
  const char* given = std::getenv("CNX_TEST_SEED");
  return given != nullptr ? std::strtoull(given, nullptr, 10) : std::random_device{}();
}

class RandomBytes {
 public:
  RandomBytes() : trace_(__FILE__, __LINE__, "CNX_TEST_SEED=" + std::to_string(seed_)) {}
  size_t below(size_t limit) {
    return std::uniform_int_distribution<size_t>(0, limit - 1)(engine_);
  }
  std::byte byte() { return static_cast<std::byte>(below(256)); }
  cnx::Bytes bytes(size_t count) {
    cnx::Bytes all(count);
    for (std::byte& one : all) one = byte();
    return all;
  }

 private:
  uint64_t seed_ = test_seed();
  ::testing::ScopedTrace trace_;
  std::mt19937_64 engine_{seed_};
};

}  // namespace bolt::testing
