// `indexes`: what it means in rules, its faults, and what the catalog says to it.
#include <gmock/gmock.h>

#include "mapping/catalog_check.hpp"
#include "mapping/indexes.hpp"
#include "mapping/keys.hpp"
#include "mapping/load.hpp"
#include "mapping/testing/source.hpp"

namespace cnx::mapping {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::SizeIs;

constexpr const char* kHead = "version: 1\nname: t\ntables:\n";

std::string faults_of(const std::string& indexes) {
  auto mapping = load(std::string(kHead) + "  a: {node: A, key: id, indexes: " + indexes + "}\n", "f");
  return mapping ? "none" : format(mapping.error());
}

TEST(Indexes, each_kind_is_known) {
  for (size_t i = 0; i < 5; ++i) {
    auto kind = find_index_kind(keys::kIndex[i]);
    ASSERT_TRUE(kind) << keys::kIndex[i];
    EXPECT_EQ(to_word(*kind), keys::kIndex[i]);
  }
  EXPECT_FALSE(find_index_kind("dimensions"));
}

TEST(Indexes, are_read_for_nodes_and_relationships) {
  auto mapping = load(std::string(kHead) +
                          "  a:\n    node: A\n    key: id\n    indexes:\n      - range: [x, y]\n      - text: x\n      - fulltext: x\n"
                          "      - point: p\n      - {vector: v, dimensions: 384}\n"
                          "      - vector: w\n        dimensions: 3\n        similarity: euclidean\n"
                          "  j: {relationship: J, from: {a: f}, to: {a: g}, indexes: [{range: since}]}\n",
                      "f");
  ASSERT_TRUE(mapping) << format(mapping.error());
  EXPECT_THAT(mapping->tables[0].indexes,
              ElementsAre(IndexRule{IndexKind::range, {"x", "y"}}, IndexRule{IndexKind::text, {"x"}}, IndexRule{IndexKind::fulltext, {"x"}},
                          IndexRule{IndexKind::point, {"p"}}, IndexRule{IndexKind::vector, {"v"}, 384, "cosine"},
                          IndexRule{IndexKind::vector, {"w"}, 3, "euclidean"}));
  EXPECT_THAT(mapping->tables[1].indexes, SizeIs(1));
}

TEST(Indexes, are_no_part_of_the_fingerprint) {
  auto without = load(std::string(kHead) + "  a: {node: A, key: id}\n", "f");
  auto with = load(std::string(kHead) + "  a: {node: A, key: id, indexes: [{range: id}]}\n", "f");
  EXPECT_EQ(without->fingerprint, with->fingerprint);
}

TEST(Indexes, faults_are_found_at_their_places) {
  const std::string form = " (write `- range: property`, or another of text, fulltext, point and vector)\n";
  EXPECT_EQ(faults_of("{range: x}"), "f:4:34: `indexes` must be a list" + form);
  EXPECT_EQ(faults_of("[x]"), "f:4:35: an index must be a map\n");
  EXPECT_EQ(faults_of("[{}]"), "f:4:34: an item of `indexes` has no kind" + form);
  EXPECT_EQ(faults_of("[{rang: x}]"), "f:4:36: unknown key `rang` in an index (did you mean `range`?)\n"
                                      "f:4:36: an item of `indexes` has no kind" + form);
  EXPECT_EQ(faults_of("[{range: x, text: y}]"), "f:4:46: an index is of one kind (give each an item of the list)\n");
  EXPECT_EQ(faults_of("[{range: }]"), "f:4:36: `range` is empty\n");
  EXPECT_EQ(faults_of("[{text: [x, y]}]"), "f:4:46: an index of the kind `text` is of one property\n");
  EXPECT_EQ(faults_of("[{range: x, dimensions: 3}]"), "f:4:46: `dimensions` has no meaning for an index of the kind `range`\n");
  EXPECT_EQ(faults_of("[{vector: x}]"), "f:4:36: an index of vectors needs its `dimensions` (how many numbers each vector has, as in "
                                        "`dimensions: 384`)\n");
  for (const char* number : {"0", "4097", "-1", "1.5", "x"}) {
    EXPECT_EQ(faults_of("[{vector: x, dimensions: " + std::string(number) + "}]"), "f:4:59: `dimensions` is a number from 1 to 4096\n");
  }
  EXPECT_EQ(faults_of("[{vector: x, dimensions: 3, similarity: cosin}]"),
            "f:4:74: `similarity` is `cosine` or `euclidean` (did you mean `cosine`?)\n");
  EXPECT_EQ(faults_of("[{vector: x, dimensions: 3}, {vector: x, dimensions: 4}]"),
            "f:4:64: the same index stands in line 4 with other numbers (one label or type has one index of a kind and its properties)\n");
  EXPECT_EQ(faults_of("[{range: x}, {range: x}]"), "none");
}

constexpr const char* kIndexed = R"(
tables:
  a: {node: A, key: id, properties: {fullName: name, m: {column: m, as: flatten}, t: {template: "{id}"}}, indexes: INDEXES}
  j: {relationship: J, from: {a: x}, to: {a: y}, properties: [since], indexes: [{range: since}]}
)";

std::string indexed(const std::string& indexes) {
  std::string text = kIndexed;
  return text.replace(text.find("INDEXES"), 7, indexes);
}

TEST(Indexes, are_of_properties_that_rows_have) {
  const std::vector<std::string> tables = {"a (id int8, name text, m text)", "j (x int8, y int8, since date)"};
  testing::Source source(indexed("[{range: [id, fullName]}, {text: m_field}, {fulltext: t}]"), tables);
  EXPECT_FALSE(source.error());
  testing::Source wrong(indexed("[{range: name}]"), tables);
  ASSERT_TRUE(wrong.error());
  EXPECT_THAT(wrong.error()->describe(), HasSubstr("property=name"));
}

TEST(Indexes, the_catalog_check_names_the_property_and_what_was_meant) {
  auto mapping = load("version: 1\nname: t\n" + indexed("[{range: fullNam}]"), "f");
  ASSERT_TRUE(mapping);
  const auto faults = catalog_faults(*mapping, {testing::table_of("a (id int8, name text, m text)"), testing::table_of("j (x int8, y int8, since date)")});
  ASSERT_THAT(faults, SizeIs(1));
  EXPECT_EQ(faults[0].message, "the index `range` is of the property `fullNam`, which the table's rows do not have");
  EXPECT_EQ(faults[0].advice, "did you mean `fullName`?");
}

}  // namespace
}  // namespace cnx::mapping
