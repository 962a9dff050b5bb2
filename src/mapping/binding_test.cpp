#include "mapping/binding.hpp"

#include <gmock/gmock.h>

#include "mapping/testing/source.hpp"

namespace cnx::mapping {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::kUnchanged;
using testing::Row;
using testing::Source;

constexpr const char* kMapping = R"(
defaults: {key: id, version: version, tenant: tenant_id}
tables:
  owners: {node: Owner}
  items:
    node: Item
    properties:
      title: item_title
      place:
        choose: kind
        when: {file: "file://{path}", web: "https://{path}"}
        otherwise: "none:{id}"
      label: {template: "{id}/{path}"}
    relationships:
      - OWNS: {from: {owners: owner_id}, properties: {since: created_at}}
  likes:
    relationship: LIKES
    from: {owners: owner_id}
    to: {items: item_id}
    properties: [weight]
)";
const std::vector<std::string> kTables = {
    "owners (id int8)",
    "items (id uuid, owner_id int8, item_title text, kind text, path text, created_at timestamptz)",
    "likes (owner_id int8, item_id uuid, weight int4)"};

std::vector<std::string> names_of(const std::vector<BoundProperty>& properties) {
  std::vector<std::string> names;
  for (const BoundProperty& each : properties) names.push_back(each.name->name);
  return names;
}

class BindingTest : public ::testing::Test {
 protected:
  // Of an item; nullopt where the property is not known from the row.
  std::optional<change::Value> property(const Row& row, const std::string& name) {
    const Binding& items = source_.binding("items");
    auto projected =
        project_properties(items, items.properties, items.computed, testing::views(row));
    EXPECT_TRUE(projected) << projected.error().describe();
    lacks_columns_ = projected->lacks_columns;
    for (const Property& each : projected->properties) {
      if (each.name->name == name) return each.value;
    }
    return std::nullopt;
  }

  Source source_{kMapping, kTables};
  bool lacks_columns_ = false;
};

const Row kItem = {"u1", "7", "a title", "file", "x/y", "2024-01-02 00:00:00+00"};

TEST_F(BindingTest, columns_become_properties_in_their_order) {
  const Binding& items = source_.binding("items");
  EXPECT_THAT(names_of(items.properties),
              ElementsAre("id", "ownerId", "title", "kind", "path", "createdAt"));
  ASSERT_EQ(items.foreign_keys.size(), 1u);
  EXPECT_THAT(names_of(items.foreign_keys[0].properties), ElementsAre("since"));
  EXPECT_THAT(names_of(source_.binding("likes").properties), ElementsAre("weight"));
}

TEST_F(BindingTest, a_row_is_read_by_the_types_of_its_columns) {
  EXPECT_EQ(property(kItem, "title"), change::Value(std::string("a title")));
  EXPECT_EQ(property(kItem, "ownerId"), change::Value(int64_t{7}));
  EXPECT_FALSE(lacks_columns_);
}

TEST_F(BindingTest, null_is_a_value_and_an_unchanged_column_is_none) {
  Row row = kItem;
  row[2] = std::nullopt;
  EXPECT_EQ(property(row, "title"), change::Value(change::Null{}));
  EXPECT_FALSE(lacks_columns_);
  row[2] = kUnchanged;
  EXPECT_EQ(property(row, "title"), std::nullopt);
  EXPECT_TRUE(lacks_columns_);
}

TEST_F(BindingTest, a_template_is_filled_null_by_null_and_unknown_by_unknown) {
  Row row = kItem;
  EXPECT_EQ(property(row, "place"), change::Value(std::string("file://x/y")));
  EXPECT_EQ(property(row, "label"), change::Value(std::string("u1/x/y")));
  row[3] = "other";
  EXPECT_EQ(property(row, "place"), change::Value(std::string("none:u1")));
  row[3] = std::nullopt;
  EXPECT_EQ(property(row, "place"), change::Value(std::string("none:u1")));
  row[3] = kUnchanged;
  EXPECT_EQ(property(row, "place"), std::nullopt);
  EXPECT_TRUE(lacks_columns_);
  row[3] = "web";
  row[4] = std::nullopt;
  EXPECT_EQ(property(row, "place"), change::Value(change::Null{}));
  row[4] = kUnchanged;
  EXPECT_EQ(property(row, "place"), std::nullopt);
  EXPECT_EQ(property(row, "label"), std::nullopt);
}

TEST_F(BindingTest, keys_are_integers_or_text_as_the_key_of_the_node_is) {
  const Binding& items = source_.binding("items");
  const auto row = testing::views(kItem);
  EXPECT_EQ(project_key(items, items.key, row).value(), Key("u1"));
  EXPECT_EQ(project_foreign_key(items, items.foreign_keys[0].key, row).value(), Key(int64_t{7}));
  const Binding& likes = source_.binding("likes");
  const Row like = {"7", "u1", "3"};
  EXPECT_EQ(project_key(likes, likes.start, testing::views(like)).value(), Key(int64_t{7}));
  EXPECT_EQ(project_key(likes, likes.end, testing::views(like)).value(), Key("u1"));
}

TEST_F(BindingTest, a_key_without_a_value_is_malformed_and_a_foreign_key_without_one_is_none) {
  const Binding& items = source_.binding("items");
  for (const auto& missing :
       {std::optional<std::string>(), std::optional<std::string>(kUnchanged)}) {
    Row row = kItem;
    row[0] = missing;
    auto key = project_key(items, items.key, testing::views(row));
    ASSERT_FALSE(key);
    EXPECT_EQ(key.error().kind(), ErrorKind::malformed);
    EXPECT_THAT(key.error().describe(), HasSubstr("column=id"));
  }
  Row row = kItem;
  row[1] = std::nullopt;
  const BoundKey& foreign = items.foreign_keys[0].key;
  EXPECT_EQ(project_foreign_key(items, foreign, testing::views(row)).value(), std::nullopt);
  row[1] = kUnchanged;
  EXPECT_FALSE(project_foreign_key(items, foreign, testing::views(row)));
}

TEST_F(BindingTest, an_error_names_table_and_column_and_never_the_value) {
  const Binding& items = source_.binding("items");
  for (const char* text : {"12secret", "", "9223372036854775808", "1.5", " 1"}) {
    Row row = kItem;
    row[1] = text;
    auto key = project_foreign_key(items, items.foreign_keys[0].key, testing::views(row));
    ASSERT_FALSE(key) << text;
    EXPECT_EQ(key.error().kind(), ErrorKind::malformed);
  }
  Row row = kItem;
  row[5] = "secret";
  auto projected = project_properties(items, items.properties, {}, testing::views(row));
  ASSERT_FALSE(projected);
  EXPECT_THAT(projected.error().describe(), HasSubstr("public.items"));
  EXPECT_THAT(projected.error().describe(), HasSubstr("created_at"));
  EXPECT_THAT(projected.error().describe(), ::testing::Not(HasSubstr("secret")));
}

// Relation messages that come later.

TEST_F(BindingTest, a_column_that_the_rule_names_and_the_table_lost_is_an_error) {
  for (const char* without :
       {"items (id uuid, owner_id int8, kind text, path text, created_at timestamptz)",
        "items (id uuid, item_title text, kind text, path text, created_at timestamptz)",
        "items (id uuid, owner_id int8, item_title text, path text, created_at timestamptz)",
        "items (id uuid, owner_id int8, item_title text, kind text, created_at timestamptz)",
        "items (id uuid, owner_id int8, item_title text, kind text, path text)"}) {
    Source source(kMapping, kTables);
    source.describe(testing::relation_of(testing::table_of(without)));
    ASSERT_TRUE(source.error()) << without;
    EXPECT_EQ(source.error()->kind(), ErrorKind::invalid);
  }
}

TEST_F(BindingTest, a_column_that_only_the_defaults_name_may_be_missing) {
  const std::vector<std::string> whole = {"owners (id int8, version int8, tenant_id text)",
                                          kTables[1],
                                          "likes (owner_id int8, item_id uuid, weight int4, "
                                          "version int8, tenant_id text)"};
  // From the start: no likes has a version, which its properties list by default.
  ASSERT_FALSE(source_.error()) << source_.error()->describe();
  // And later: dropped from tables that had them.
  Source source(kMapping, whole);
  EXPECT_THAT(names_of(source.binding("likes").properties), ElementsAre("version", "weight"));
  EXPECT_GE(source.binding("owners").tenant_column, 0);
  for (size_t i : {0, 2}) source.describe(testing::relation_of(testing::table_of(kTables[i])));
  ASSERT_FALSE(source.error()) << source.error()->describe();
  EXPECT_THAT(names_of(source.binding("likes").properties), ElementsAre("weight"));
  EXPECT_EQ(source.binding("owners").tenant_column, -1);
}

TEST_F(BindingTest, an_added_column_is_a_property_unless_its_name_is_taken) {
  source_.describe(testing::relation_of(testing::table_of("owners (id int8, full_name text)")));
  ASSERT_FALSE(source_.error());
  EXPECT_THAT(names_of(source_.binding("owners").properties), ElementsAre("id", "fullName"));
  source_.describe(
      testing::relation_of(testing::table_of("owners (id int8, full_name text, fullName text)")));
  EXPECT_TRUE(source_.error());
}

TEST_F(BindingTest, a_key_whose_type_changes_stops_the_table) {
  source_.describe(testing::relation_of(testing::table_of("owners (id int4)")));
  EXPECT_FALSE(source_.error());
  source_.describe(testing::relation_of(testing::table_of("owners (id text)")));
  ASSERT_TRUE(source_.error());
  EXPECT_EQ(source_.error()->kind(), ErrorKind::state);
}

TEST_F(BindingTest, a_column_of_a_type_that_is_gone_is_text) {
  auto relation = std::make_shared<change::Relation>();
  relation->schema = "public";
  relation->name = "owners";
  relation->columns = {{.name = "id", .type = change::Oid(20)},
                       {.name = "mood", .type = change::Oid(99'999)}};
  source_.describe(relation);
  ASSERT_FALSE(source_.error());
  EXPECT_EQ(source_.binding("owners").properties[1].codec.form, postgres::ValueForm::text);
}

}  // namespace
}  // namespace cnx::mapping
