#include "cypher/list_rows.hpp"

#include <gmock/gmock.h>

#include "bolt/packstream.hpp"

namespace cnx::cypher {
namespace {

using mapping::Properties;
using mapping::PropertyName;
using ::testing::ElementsAre;

const PropertyName kId{.name = "id", .companion = "id__pg"};
const PropertyName kTitle{.name = "title", .companion = "title__pg"};
const PropertyName kSeen{.name = "seen", .companion = "seen__pg", .may_be_unfit = true};

Properties row(change::Value seen) {
  return {{&kId, int64_t{1}}, {&kTitle, std::string("a")}, {&kSeen, std::move(seen)}};
}

TEST(ListColumns, are_the_rows_properties_but_the_one_that_finds_it) {
  const Properties one = row(change::Null{});
  const auto list = list_columns({&one}, Companions::when_unfit, "id");
  ASSERT_TRUE(list);
  EXPECT_THAT(list->names, ElementsAre("title", "seen"));
  EXPECT_THAT(list_columns({&one}, Companions::when_unfit, "")->names, ElementsAre("id", "title", "seen"));
}

TEST(ListColumns, hold_a_companion_where_a_row_needs_it_or_may_have_left_one) {
  const Properties fits = row(change::Null{});
  const Properties unfit = row(change::Unfit{"infinity"});
  EXPECT_THAT(list_columns({&fits, &unfit}, Companions::when_unfit, "id")->names, ElementsAre("title", "seen", "seen__pg"));
  EXPECT_THAT(list_columns({&fits}, Companions::always, "id")->names, ElementsAre("title", "seen", "seen__pg"));
  const auto list = list_columns({&fits, &unfit}, Companions::when_unfit, "id");
  Bytes bytes;
  bolt::Packer packer(bytes);
  packer.list_header(list->names.size());
  pack_columns(packer, unfit, *list);
  auto values = bolt::unpack(bytes, {});
  ASSERT_TRUE(values) << values.error().describe();
  EXPECT_EQ(*values, bolt::Value(bolt::List{bolt::Value("a"), bolt::Value(), bolt::Value("infinity")}));
}

TEST(ListColumns, are_not_there_where_rows_differ) {
  const Properties one = row(change::Null{});
  Properties fewer = one;
  fewer.pop_back();
  Properties otherwise = one;
  std::swap(otherwise[0], otherwise[1]);
  EXPECT_FALSE(list_columns({&one, &fewer}, Companions::always, "id"));
  EXPECT_FALSE(list_columns({&fewer, &one}, Companions::always, "id"));
  EXPECT_FALSE(list_columns({&one, &otherwise}, Companions::always, "id"));
}

TEST(ListColumns, a_key_that_does_not_fit_is_left_to_the_maps) {
  const Properties unfit = row(change::Unfit{"infinity"});
  EXPECT_FALSE(list_columns({&unfit}, Companions::always, "seen"));
}

TEST(ListColumns, stand_in_the_text_by_their_place) {
  EXPECT_EQ(assign_columns("n", {"a", "b`c"}, 2), "n.`a` = row[2], n.`b``c` = row[3]");
  EXPECT_EQ(assign_columns("n", {}, 2), "");
  EXPECT_EQ(column_value({"a", "b"}, 2, "b"), "row[3]");
  EXPECT_EQ(column_value({"a", "b"}, 2, "c"), "null");
}

}  // namespace
}  // namespace cnx::cypher
