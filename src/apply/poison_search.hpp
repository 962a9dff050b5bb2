// Finds the rows that keep the others from being applied, by trying parts of them: each time the row whose coming makes the rows up
// to it fail, until the rest can be applied. O(found × log rows) trials; pure but for what `try_rows` does.
#pragma once

#include <functional>
#include <optional>
#include <vector>

#include "apply/refused_row.hpp"
#include "base/result.hpp"

namespace cnx::apply {

// Whether the first `count` rows can be applied together, without those that were found: the refusal, or nothing where they can. An
// error: it could not be tried.
using TryRows = std::function<Result<std::optional<Refusal>>(size_t count, const std::vector<size_t>& found)>;

struct Poison {
  std::vector<size_t> rows;       // In the order in which they were found: ascending.
  std::vector<Refusal> refusals;  // Of each.
  bool all = true;                // The rest can be applied. Else the search ended with `most`.
};

// None where all can be applied as they are: whatever was the matter is over, or shows at the commit alone.
Result<Poison> find_poison(size_t rows, size_t most, const TryRows& try_rows);

}  // namespace cnx::apply
