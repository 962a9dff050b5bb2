#include "mapping/names.hpp"

#include <gtest/gtest.h>

namespace cnx::mapping {
namespace {

TEST(Names, are_neither_empty_nor_with_a_nul) {
  EXPECT_FALSE(check_name(""));
  EXPECT_FALSE(check_name(std::string_view("a\0b", 3)));
  EXPECT_TRUE(check_name("é *//* $ ` \\ '"));
}

TEST(Names, of_properties_are_told_apart_by_what_the_columns_become) {
  TableRule rule;
  rule.table = {"public", "items"};
  PropertyRules properties;
  EXPECT_TRUE(check_properties(rule, properties, Naming::camel_case, {"a_b", "a_c"}));
  Status same = check_properties(rule, properties, Naming::camel_case, {"a_b", "aB"});
  ASSERT_FALSE(same);
  EXPECT_EQ(same.error().kind(), ErrorKind::invalid);
  EXPECT_TRUE(check_properties(rule, properties, Naming::as_is, {"a_b", "aB"}));
  // One column under two names is no collision; two under one are.
  properties.renamed = {{"other", "a_b"}};
  EXPECT_TRUE(check_properties(rule, properties, Naming::camel_case, {"a_b"}));
  EXPECT_FALSE(check_properties(rule, properties, Naming::camel_case, {"a_b", "other"}));
}

TEST(Names, that_are_the_engines_are_not_made_of_columns) {
  TableRule rule;
  rule.table = {"public", "items"};
  PropertyRules properties;
  EXPECT_FALSE(check_properties(rule, properties, Naming::as_is, {"_cnx_key"}));
  EXPECT_FALSE(check_properties(rule, properties, Naming::as_is, {"x__pg"}));
  EXPECT_TRUE(check_properties(rule, properties, Naming::camel_case, {"x__pg"}));  // xPg
  properties.excluded = {"_cnx_key"};
  EXPECT_TRUE(check_properties(rule, properties, Naming::as_is, {"_cnx_key"}));
}

}  // namespace
}  // namespace cnx::mapping
