#include "apply/poison_search.hpp"

namespace cnx::apply {

Result<Poison> find_poison(size_t rows, size_t most, const TryRows& try_rows) {
  Poison poison;
  size_t good = 0;  // So many can be applied, without those found.
  while (true) {
    CNX_TRY(std::optional<Refusal> refusal, try_rows(rows, poison.rows));
    if (!refusal) return poison;
    if (poison.rows.size() == most || good == rows) {
      poison.all = false;
      return poison;
    }
    // Between `good`, which can, and `bad`, which cannot, there is a row that makes the difference, whatever the others do.
    size_t bad = rows;
    while (bad - good > 1) {
      const size_t middle = good + (bad - good) / 2;
      CNX_TRY(std::optional<Refusal> failed, try_rows(middle, poison.rows));
      if (failed) {
        bad = middle;
        refusal = std::move(failed);
      } else {
        good = middle;
      }
    }
    poison.rows.push_back(bad - 1);
    poison.refusals.push_back(std::move(*refusal));
    good = bad;
  }
}

}  // namespace cnx::apply
