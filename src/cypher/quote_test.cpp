#include "cypher/quote.hpp"

#include <gtest/gtest.h>

namespace cnx::cypher {
namespace {

TEST(Quote, doubles_a_backtick_and_spells_a_backslash) {
  EXPECT_EQ(quote("Thread"), "`Thread`");
  EXPECT_EQ(quote("a`b"), "`a``b`");
  EXPECT_EQ(quote("a\\u0060 {x:1}) RETURN 1 //"), "`a\\u005Cu0060 {x:1}) RETURN 1 //`");
}

TEST(Quote, refuses_names_that_neo4j_cannot_hold) {
  EXPECT_FALSE(check_name(""));
  EXPECT_FALSE(check_name(std::string_view("a\0b", 3)));
  EXPECT_TRUE(check_name("é *//* $"));
}

}  // namespace
}  // namespace cnx::cypher
