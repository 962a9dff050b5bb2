#include "cypher/quote.hpp"

#include <gtest/gtest.h>

namespace cnx::cypher {
namespace {

TEST(Quote, doubles_a_backtick_and_spells_a_backslash) {
  EXPECT_EQ(quote("Thread"), "`Thread`");
  EXPECT_EQ(quote("a`b"), "`a``b`");
  EXPECT_EQ(quote("a\\u0060 {x:1}) RETURN 1 //"), "`a\\u005Cu0060 {x:1}) RETURN 1 //`");
}

TEST(QuoteDeathTest, a_name_that_the_model_would_not_let_pass_ends_the_process) {
  EXPECT_DEATH(quote(""), "no name pass");
  EXPECT_DEATH(quote(std::string_view("a\0b", 3)), "no name pass");
}

}  // namespace
}  // namespace cnx::cypher
