#include "cypher/index_texts.hpp"

#include <gmock/gmock.h>

#include "mapping/testing/source.hpp"

namespace cnx::cypher {
namespace {

using mapping::testing::Source;
using ::testing::HasSubstr;
using ::testing::MatchesRegex;
using ::testing::SizeIs;

const std::vector<std::string> kTables = {"a (id int8, x text, y text)", "j (f int8, g int8, x text)"};


TEST(Indexes, of_each_kind) {
  Source made("tables:\n  a: {node: A, key: id, indexes: [{range: [x, y]}, {text: x}, {fulltext: [x, y]}, {point: x}, "
              "{vector: x, dimensions: 3, similarity: euclidean}]}\n"
              "  j: {relationship: J, from: {a: f}, to: {a: g}, properties: [x], indexes: [{range: x}, {fulltext: x}]}\n",
              kTables);
  ASSERT_FALSE(made.error()) << made.error()->describe();
  const std::vector<Index> all = indexes(made.model());
  ASSERT_THAT(all, SizeIs(7));
  EXPECT_THAT(all[0].text, MatchesRegex("CYPHER 5 CREATE RANGE INDEX `contextnexus_A_x_y_range_[0-9a-f]+` IF NOT EXISTS FOR \\(x:`A`\\) ON "
                                        "\\(x.`x`, x.`y`\\)"));
  EXPECT_THAT(all[1].text, HasSubstr("CREATE TEXT INDEX"));
  EXPECT_THAT(all[2].text, HasSubstr(" ON EACH [x.`x`, x.`y`]"));
  EXPECT_THAT(all[3].text, HasSubstr("CREATE POINT INDEX"));
  EXPECT_THAT(all[4].text, HasSubstr("ON (x.`x`) OPTIONS {indexConfig: {`vector.dimensions`: 3, `vector.similarity_function`: 'euclidean'}}"));
  EXPECT_THAT(all[5].text, HasSubstr("FOR ()-[x:`J`]-() ON (x.`x`)"));
  EXPECT_EQ(all[6].entity, "RELATIONSHIP");
}

TEST(Indexes, another_definition_has_another_name_and_the_same_has_the_same) {
  Source three("tables:\n  a: {node: A, key: id, indexes: [{vector: x, dimensions: 3}]}\n", {kTables[0]});
  Source four("tables:\n  a: {node: A, key: id, indexes: [{vector: x, dimensions: 4}]}\n", {kTables[0]});
  Source again("tables:\n  a: {node: A, key: id, indexes: [{vector: x, dimensions: 3}, {vector: x, dimensions: 3}]}\n", {kTables[0]});
  EXPECT_NE(indexes(three.model())[0].name, indexes(four.model())[0].name);
  ASSERT_THAT(indexes(again.model()), SizeIs(1));
  EXPECT_EQ(indexes(three.model())[0].name, indexes(again.model())[0].name);
}

TEST(Indexes, hold_names_only_as_quoted_identifiers) {
  Source made("tables:\n  a: {node: \"A`\\\\u0060\", key: id, properties: {\"x`) //\": x}, indexes: [{range: \"x`) //\"}]}\n", {kTables[0]});
  ASSERT_FALSE(made.error()) << made.error()->describe();
  const std::string text = indexes(made.model())[0].text;
  EXPECT_THAT(text, HasSubstr("FOR (x:`A``\\u005Cu0060`) ON (x.`x``) //`)"));
}

}  // namespace
}  // namespace cnx::cypher
