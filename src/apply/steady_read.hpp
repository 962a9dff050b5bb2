// Reads of nodes of ours while their owner writes them. Neo4j's reads are not isolated: one that meets a commit may find a node that
// has just been removed, without its properties, or miss properties of one that has them before and after.
#pragma once

#include <chrono>
#include <thread>

#include "stream/retry_class.hpp"

namespace cnx::apply {

constexpr int kSteadyReads = 5;

// Runs `read`, which returns a Result, and again after a pause, kSteadyReads times in all at most, where it failed as one does that
// met a commit. What fails each time is what it says. Blocks its caller.
template <typename Read>
auto steady_read(const Read& read) {
  for (int left = kSteadyReads - 1;; --left) {
    auto found = read();
    if (found || left == 0) return found;
    const bool may_have_met_a_commit =
        found.error().kind() == ErrorKind::state || stream::retry_class(found.error()) == stream::RetryClass::at_once;
    if (!may_have_met_a_commit) return found;
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
}

}  // namespace cnx::apply
