#include "apply/poison_search.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <algorithm>
#include <cmath>
#include <set>

namespace cnx::apply {
namespace {

Refusal refusal() { return {.error = Error(ErrorKind::server, "Neo.ClientError.Statement.TypeError", "no"), .statement = "insert A"}; }

// Rows that fail by themselves.
struct Poisoned {
  std::set<size_t> rows;
  size_t tries = 0;
  Result<std::optional<Refusal>> operator()(size_t count, const std::vector<size_t>& found) {
    ++tries;
    for (size_t row : rows) {
      if (row < count && std::find(found.begin(), found.end(), row) == found.end()) return std::optional(refusal());
    }
    return std::optional<Refusal>();
  }
};

void expect_found() {
  const size_t rows = *rc::gen::inRange<size_t>(1, 3000);
  Poisoned poisoned{*rc::gen::container<std::set<size_t>>(rc::gen::inRange<size_t>(0, rows))};
  const size_t wanted = poisoned.rows.size();
  Result<Poison> poison = find_poison(rows, rows + 1, std::ref(poisoned));
  RC_ASSERT(poison.has_value());
  RC_ASSERT(poison->all);
  RC_ASSERT(std::set<size_t>(poison->rows.begin(), poison->rows.end()) == poisoned.rows);
  RC_ASSERT(std::is_sorted(poison->rows.begin(), poison->rows.end()));
  RC_ASSERT(poison->refusals.size() == wanted);
  const double steps = std::ceil(std::log2(static_cast<double>(rows))) + 1;
  RC_ASSERT(static_cast<double>(poisoned.tries) <= 1 + static_cast<double>(wanted) * (steps + 1));
}

TEST(PoisonSearch, finds_exactly_the_rows_at_fault_in_few_trials) { EXPECT_TRUE(rc::check(expect_found)); }

TEST(PoisonSearch, nothing_is_found_where_all_can_be_applied) {
  Result<Poison> poison = find_poison(100, 10, Poisoned{});
  ASSERT_TRUE(poison);
  EXPECT_TRUE(poison->rows.empty() && poison->all);
}

TEST(PoisonSearch, of_two_rows_that_do_not_fit_together_the_later_one_is_at_fault) {
  Result<Poison> poison = find_poison(100, 10, [](size_t count, const std::vector<size_t>& found) -> Result<std::optional<Refusal>> {
    const bool both = count > 70 && std::find(found.begin(), found.end(), 70u) == found.end();
    return both ? std::optional(refusal()) : std::nullopt;
  });
  ASSERT_TRUE(poison);
  EXPECT_EQ(poison->rows, std::vector<size_t>{70});
}

TEST(PoisonSearch, ends_where_it_was_told_to_though_there_are_more) {
  Poisoned poisoned;
  for (size_t row = 0; row < 50; ++row) poisoned.rows.insert(row);
  Result<Poison> poison = find_poison(50, 7, std::ref(poisoned));
  ASSERT_TRUE(poison);
  EXPECT_EQ(poison->rows.size(), 7u);
  EXPECT_FALSE(poison->all);
}

TEST(PoisonSearch, what_could_not_be_tried_is_the_error) {
  Result<Poison> poison = find_poison(5, 5, [](size_t, const std::vector<size_t>&) -> Result<std::optional<Refusal>> {
    return fail(ErrorKind::unavailable, "lost");
  });
  ASSERT_FALSE(poison);
  EXPECT_EQ(poison.error().kind(), ErrorKind::unavailable);
}

}  // namespace
}  // namespace cnx::apply
