// What a batch removes, as far as the simulated graph has it: how much that is, and pieces of it.
#pragma once

#include "mapping/testing/memory_graph.hpp"

namespace cnx::simulation {

// First relationships that are rows of their own, then nodes.
inline constexpr size_t kRemovalSteps = 2;

// Elements that go, or lose something.
size_t removal_size(const mapping::Mutations& mutations, const mapping::testing::MemoryGraph& graph);
// A piece of one step, of so many elements: empty where nothing is left of it.
mapping::Mutations removal_piece(const mapping::Mutations& mutations, size_t step, size_t most, const mapping::testing::MemoryGraph& graph);

}  // namespace cnx::simulation
