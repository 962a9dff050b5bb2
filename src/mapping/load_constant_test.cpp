// `{constant: value}`: its types, its faults, its place in the fingerprint, and that each row has it.
#include <gmock/gmock.h>

#include "mapping/load.hpp"
#include "mapping/testing/source.hpp"

namespace cnx::mapping {
namespace {

constexpr const char* kHead = "version: 1\nname: t\ntables:\n";

tl::expected<Mapping, std::vector<Fault>> load_properties(const std::string& properties) {
  return load(std::string(kHead) + "  a: {node: A, key: id, properties: " + properties + "}\n", "f");
}
std::string faults_of(const std::string& properties) {
  auto mapping = load_properties(properties);
  return mapping ? "none" : format(mapping.error());
}
change::Value constant(const std::string& yaml) {
  auto mapping = load_properties("{p: {constant: " + yaml + "}}");
  EXPECT_TRUE(mapping) << yaml << ": " << format(mapping.error());
  if (!mapping) return {};
  return std::get<NodeRule>(mapping->tables[0].form).properties.constants.at("p");
}

TEST(Constant, has_the_type_that_yaml_writes) {
  EXPECT_EQ(constant("shop"), change::Value(std::string("shop")));
  EXPECT_EQ(constant("5"), change::Value(int64_t{5}));
  EXPECT_EQ(constant("-9223372036854775808"), change::Value(std::numeric_limits<int64_t>::min()));
  EXPECT_EQ(constant("1.5"), change::Value(1.5));
  EXPECT_EQ(constant("1e3"), change::Value(1000.0));
  EXPECT_EQ(constant("true"), change::Value(true));
  EXPECT_EQ(constant("false"), change::Value(false));
  for (const char* text : {"\"5\"", "'5'"}) EXPECT_EQ(constant(text), change::Value(std::string("5")));
  EXPECT_EQ(constant("'true'"), change::Value(std::string("true")));
  EXPECT_EQ(constant("''"), change::Value(std::string()));
  for (const char* text : {"1.2.3", "2024-01-01", "5 kg", "-", "e5", "yes"}) EXPECT_EQ(constant(text), change::Value(std::string(text)));
}

TEST(Constant, faults_are_found_at_their_places) {
  EXPECT_EQ(faults_of("{p: {constant: }}"), "f:4:42: `constant` is empty\n");
  EXPECT_EQ(faults_of("{p: {constant: null}}"), "f:4:42: `constant` is empty\n");
  EXPECT_EQ(faults_of("{p: {constant: [1]}}"), "f:4:52: `constant` must be one word\n");
  EXPECT_EQ(faults_of("{p: {constant: 9223372036854775808}}"),
            "f:4:52: the constant `9223372036854775808` is beyond what Neo4j's numbers hold (in quotes it is a text)\n");
  EXPECT_EQ(faults_of("{p: {constant: 1e999}}"), "f:4:52: the constant `1e999` is beyond what Neo4j's numbers hold (in quotes it is a text)\n");
  EXPECT_EQ(faults_of("{p: {constant: x, as: float}}"),
            "f:4:41: the property `p` has no `column` (write `p: {column: …, as: …}`)\nf:4:42: `constant` has no meaning for the property `p`\n");
  EXPECT_EQ(faults_of("{_cnx_p: {constant: x}}"), "f:4:38: `_cnx_p`: names that begin with `_cnx_` belong to the engine\n");
  EXPECT_EQ(faults_of("{id: {constant: 5}}"),
            "f:4:25: the property `id` is made of `id` and of a constant (give one of them another name, or exclude the column)\n");
}

TEST(Constant, of_a_relationship_is_made_once) {
  auto twice = load(std::string(kHead) + "  a: {node: A, key: id, relationships: [R: {to: {a: b}, properties: [x, {x: {constant: 1}}]}]}\n", "f");
  ASSERT_FALSE(twice);
  EXPECT_THAT(format(twice.error()), ::testing::HasSubstr("the property `x` is made twice"));
}

TEST(Constant, changes_the_fingerprint_with_its_value_and_its_type) {
  std::set<std::string> seen;
  for (const char* value : {"5", "'5'", "5.5", "true", "'true'", "other"}) {
    EXPECT_TRUE(seen.insert(load_properties("{p: {constant: " + std::string(value) + "}}")->fingerprint).second) << value;
  }
}

TEST(Constant, is_of_every_row_of_nodes_and_relationships) {
  testing::Source source(
      "tables:\n  a: {node: A, key: id, properties: {p: {constant: x}}, relationships: [R: {to: {a: b}, properties: {q: {constant: 1}}}]}\n"
      "  j: {relationship: J, from: {a: f}, to: {a: g}, properties: {r: {constant: true}}}\n",
      {"a (id int8, b int8)", "j (f int8, g int8)"});
  ASSERT_FALSE(source.error()) << source.error()->describe();
  Merge merge(source.model());
  merge.begin_transaction();
  source.insert(merge, "a", {"1", "1"});
  source.insert(merge, "j", {"1", "1"});
  const Mutations mutations = merge.take();
  const NodeUpsert& node = mutations.nodes[0].upserts[0];
  ASSERT_EQ(node.properties.size(), 3u);
  EXPECT_EQ(node.properties[2].name->name, "p");
  EXPECT_EQ(node.properties[2].value, change::Value(std::string("x")));
  EXPECT_EQ(node.ends[0].properties[0].value, change::Value(int64_t{1}));
  EXPECT_EQ(mutations.relationships[0].upserts[0].properties[0].value, change::Value(true));
}

}  // namespace
}  // namespace cnx::mapping
