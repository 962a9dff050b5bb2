#include "mapping/lacking_rows.hpp"

#include <gtest/gtest.h>

namespace cnx::mapping {
namespace {

using change::DatumView;

change::Relation relation(const std::vector<std::string>& columns) {
  change::Relation made{.schema = "public", .name = "likes"};
  for (const std::string& name : columns) made.columns.push_back({.name = name});
  return made;
}

DatumView text(std::string_view value) { return {.kind = DatumView::Kind::text, .text = value}; }

const RowKey kKey{.table = {"public", "likes"}, .columns = {"a", "b"}, .values = {"1", "2"}};

TEST(HasKey, means_every_column_of_it) {
  const change::Relation likes = relation({"note", "b", "a"});
  EXPECT_TRUE(has_key(kKey, likes, {DatumView{}, text("2"), text("1")}));
  EXPECT_FALSE(has_key(kKey, likes, {DatumView{}, text("2"), text("9")}));
  EXPECT_FALSE(has_key(kKey, likes, {DatumView{}, text("9"), text("1")}));
  EXPECT_FALSE(has_key(kKey, likes, {DatumView{}, DatumView{}, text("1")}));
}

TEST(HasKey, is_not_there_where_one_of_its_columns_is_not) {
  EXPECT_FALSE(has_key(kKey, relation({"a", "renamed"}), {text("1"), text("2")}));
  EXPECT_FALSE(has_key(kKey, relation({"a", "b"}), {}));
  EXPECT_FALSE(has_key({.table = kKey.table, .columns = {}, .values = {}}, relation({"a", "b"}), {text("1"), text("2")}));
}

TEST(HasKey, is_not_there_in_a_row_of_another_table) {
  change::Relation other = relation({"a", "b"});
  other.name = "dislikes";
  EXPECT_FALSE(has_key(kKey, other, {text("1"), text("2")}));
}

}  // namespace
}  // namespace cnx::mapping
