#include "mapping/rules.hpp"

#include <gmock/gmock.h>

namespace cnx::mapping {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(PropertyName, is_camel_case_without_inner_underscores) {
  for (auto [column, property] : {
           std::pair("id", "id"),
           std::pair("created_at", "createdAt"),
           std::pair("is_active", "isActive"),
           std::pair("neo4j_node_id", "neo4jNodeId"),
           std::pair("line_2", "line2"),
           std::pair("a__b", "aB"),
           std::pair("_private", "_private"),
           std::pair("__two_words", "__twoWords"),
           std::pair("class_", "class_"),
           std::pair("ends__", "ends__"),
           std::pair("_", "_"),
           std::pair("alreadyCamel", "alreadyCamel"),
           std::pair("größe_öl", "größe_öl"),
           std::pair("a_ b", "a_ b"),
           std::pair("", ""),
       }) {
    EXPECT_EQ(property_name(Naming::camel_case, column), property) << column;
  }
}

TEST(PropertyName, as_is_changes_nothing) {
  for (const char* column : {"created_at", "_private", "a__b", ""}) {
    EXPECT_EQ(property_name(Naming::as_is, column), column);
  }
}

TEST(Properties, of_a_column_are_its_own_name_then_its_others) {
  PropertyRules rules;
  rules.excluded = {"content_item_id", "secret"};
  rules.renamed = {{"alias", "first_name"}, {"id", "content_item_id"}, {"zweitName", "first_name"}};
  EXPECT_THAT(properties_of(rules, Naming::camel_case, "first_name"),
              ElementsAre("firstName", "alias", "zweitName"));
  EXPECT_THAT(properties_of(rules, Naming::camel_case, "content_item_id"), ElementsAre("id"));
  EXPECT_THAT(properties_of(rules, Naming::camel_case, "secret"), IsEmpty());
}

TEST(Properties, are_only_those_included_where_not_all_are_taken) {
  PropertyRules rules;
  rules.all = false;
  rules.included = {"name"};
  rules.renamed = {{"born", "birth_date"}};
  EXPECT_THAT(properties_of(rules, Naming::as_is, "name"), ElementsAre("name"));
  EXPECT_THAT(properties_of(rules, Naming::as_is, "birth_date"), ElementsAre("born"));
  EXPECT_THAT(properties_of(rules, Naming::as_is, "other"), IsEmpty());
}

TEST(Table, is_found_by_schema_and_name_and_not_by_their_text) {
  Mapping mapping;
  mapping.tables.push_back({.table = {"a.b", "c"}, .form = NodeRule{}});
  EXPECT_NE(mapping.find({"a.b", "c"}), nullptr);
  EXPECT_EQ(mapping.find({"a", "b.c"}), nullptr);
  EXPECT_EQ(to_string(TableName{"public", "threads"}), "public.threads");
}

}  // namespace
}  // namespace cnx::mapping
