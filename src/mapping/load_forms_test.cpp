// `{column: c, as: form}`: what it means in rules, its faults, its place in the fingerprint.
#include <gmock/gmock.h>

#include "mapping/fingerprint.hpp"
#include "mapping/keys.hpp"
#include "mapping/load.hpp"

namespace cnx::mapping {
namespace {

using postgres::ValueForm;
using ::testing::ElementsAre;
using ::testing::Pair;

constexpr const char* kHead = "version: 1\nname: t\ntables:\n";

Mapping load_tables(const std::string& text) {
  auto mapping = load(kHead + text, "f");
  EXPECT_TRUE(mapping) << format(mapping.error());
  return mapping ? *std::move(mapping) : Mapping();
}

std::string faults_of(const std::string& properties) {
  auto mapping = load(std::string(kHead) + "  a: {node: A, key: id, version: v, tenant: t, properties: " + properties + "}\n", "f");
  return mapping ? "none" : format(mapping.error());
}

TEST(Forms, each_word_is_known) {
  for (std::string_view word : keys::kForms) {
    auto form = find_form(word);
    ASSERT_TRUE(form) << word;
    EXPECT_EQ(to_word(*form), word);
  }
  EXPECT_FALSE(find_form("double"));
}

TEST(Forms, stand_by_the_property_whatever_its_column_is_called) {
  Mapping mapping = load_tables(
      "  a:\n    node: A\n    key: id\n    properties:\n      price: {column: price, as: float}\n"
      "      at: {column: place, as: point}\n      plain: {column: other}\n"
      "    relationships:\n      - R: {to: {a: next}, properties: [x, {y: {column: z, as: string}}]}\n"
      "  j: {relationship: J, from: {a: f}, to: {a: g}, properties: {w: {column: weights, as: \"list<float>\"}}}\n");
  const auto& node = std::get<NodeRule>(mapping.tables[0].form);
  EXPECT_THAT(node.properties.forms, ElementsAre(Pair("at", ValueForm::as_point), Pair("price", ValueForm::as_float)));
  EXPECT_THAT(properties_of(node.properties, mapping.naming, "price"), ElementsAre("price"));
  EXPECT_THAT(properties_of(node.properties, mapping.naming, "place"), ElementsAre("at"));
  const ListedProperties& link = node.relationships[0].properties;
  EXPECT_THAT(link.columns, ElementsAre(Pair("x", "x"), Pair("y", "z")));
  EXPECT_THAT(link.forms, ElementsAre(Pair("y", ValueForm::text)));
  const auto& join = std::get<RelationshipRule>(mapping.tables[1].form);
  EXPECT_THAT(join.properties.forms, ElementsAre(Pair("w", ValueForm::as_float_list)));
}

TEST(Forms, faults_are_found_at_their_places) {
  EXPECT_EQ(faults_of("{p: {column: x, as: flot}}"), "f:4:80: `as` does not know the form `flot` (did you mean `float`?)\n");
  EXPECT_EQ(faults_of("{p: {column: x, as: integer}}"), "f:4:80: `as` does not know the form `integer`\n");
  EXPECT_EQ(faults_of("{p: {column: x, as: [float]}}"), "f:4:80: `as` must be one word\n");
  EXPECT_EQ(faults_of("{p: {colum: x, as: float}}"),
            "f:4:64: the property `p` has no `column` (write `p: {column: …, as: …}`)\n"
            "f:4:65: unknown key `colum` in the property `p` (did you mean `column`?)\n");
  EXPECT_EQ(faults_of("{p: {column: x, template: y}}"), "f:4:76: `template` has no meaning for the property `p`\n");
  EXPECT_EQ(faults_of("{p__pg: {column: x, as: float}}"), "f:4:61: `p__pg`: names that end with `__pg` belong to the engine\n");
}

TEST(Forms, what_finds_guards_and_owns_a_row_keeps_its_own) {
  EXPECT_EQ(faults_of("{id: {column: id, as: string}}"),
            "f:4:48: `id` is the table's key and keeps the form of its column (make another property of that column for `as: string`)\n");
  EXPECT_EQ(faults_of("{v: {column: v, as: float}}"),
            "f:4:48: `v` is the table's version and keeps the form of its column (make another property of that column for `as: "
            "float`)\n");
  EXPECT_EQ(faults_of("{tenantId: {column: t, as: string}}"),
            "f:4:48: `tenantId` is the table's tenant and keeps the form of its column (make another property of that column for `as: "
            "string`)\n");
  EXPECT_EQ(faults_of("{id: id, number: {column: id, as: string}}"), "none");
  auto join = load(std::string(kHead) + "  a: {node: A, key: id}\n  j: {relationship: J, from: {a: x}, to: {a: y}, version: v, "
                                        "properties: {n: {column: v, as: string}}}\n", "f");
  ASSERT_FALSE(join);
  EXPECT_EQ(format(join.error()), "f:5:21: `n` is the table's version and keeps the form of its column (make another property of that column "
                                  "for `as: string`)\n");
}

TEST(Forms, a_name_among_the_fields_of_a_flattened_property_is_taken) {
  const char* taken = ": the property `m_x` would be taken for a field of `m`, which is flattened (give one of them another name)\n";
  EXPECT_EQ(faults_of("{m: {column: m, as: flatten}, m_x: y}"), std::string("f:4:48") + taken);
  EXPECT_EQ(faults_of("{m: {column: m, as: flatten}, m_x: {template: y}}"), std::string("f:4:48") + taken);
  auto link = load(std::string(kHead) + "  a: {node: A, key: id, relationships: [R: {to: {a: b}, properties: {m: {column: m, as: flatten}, m_x: y}}]}\n", "f");
  ASSERT_FALSE(link);
  EXPECT_EQ(format(link.error()), std::string("f:4:57") + taken);
  EXPECT_EQ(faults_of("{m: {column: m, as: flatten}, mx: y}"), "none");
}

TEST(Forms, change_the_fingerprint_and_their_absence_does_not) {
  const std::string before = load_tables("  a: {node: A, key: id, properties: {p: x}}\n").fingerprint;
  EXPECT_EQ(load_tables("  a: {node: A, key: id, properties: {p: {column: x}}}\n").fingerprint, before);
  std::set<std::string> seen = {before};
  for (std::string_view form : keys::kForms) {
    const std::string text = "  a: {node: A, key: id, properties: {p: {column: x, as: \"" + std::string(form) + "\"}}}\n";
    EXPECT_TRUE(seen.insert(load_tables(text).fingerprint).second) << form;
  }
}

}  // namespace
}  // namespace cnx::mapping
