// Further nodes of a row: in rules, their faults, and their place in the fingerprint.
#include <gmock/gmock.h>

#include "mapping/load.hpp"

namespace cnx::mapping {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;
using ::testing::SizeIs;

constexpr const char* kHead = "version: 1\nname: t\ndefaults: {key: id, tenant: owner}\ntables:\n";

std::string faults_of(const std::string& tables) {
  auto mapping = load(kHead + tables, "f");
  return mapping ? "none" : format(mapping.error());
}
std::string faults_of_nodes(const std::string& nodes) { return faults_of("  a: {node: A, nodes: " + nodes + "}\n"); }

Mapping loaded(const std::string& tables) {
  auto mapping = load(kHead + tables, "f");
  EXPECT_TRUE(mapping) << format(mapping.error());
  return mapping ? *std::move(mapping) : Mapping{};
}
std::string fingerprint_of(const std::string& nodes) { return loaded("  a: {node: A, nodes: " + nodes + "}\n").fingerprint; }

TEST(Nodes, of_a_row_have_its_key_and_what_they_list) {
  const Mapping mapping = loaded(
      "  a:\n    node: A\n    version: version\n    nodes:\n"
      "      - LIVES_AT: {to: [Home, Place], properties: [street, {zip: postal_code}]}\n"
      "      - OF: {from: Box, key: {number: id}, properties: {link: {template: \"x/{id}\"}, size: {constant: 3}}}\n"
      "      - TELLS: {to: Text, fields: about}\n");
  const auto& node = std::get<NodeRule>(mapping.tables[0].form);
  ASSERT_THAT(node.parts, SizeIs(3));
  const NodeRule& home = node.parts[0];
  EXPECT_EQ(home.label, "Home");
  EXPECT_THAT(home.more_labels, ElementsAre("Place"));
  EXPECT_THAT(home.key, ElementsAre("id"));
  EXPECT_FALSE(home.properties.all);
  EXPECT_THAT(home.properties.included, ElementsAre("id", "owner", "street", "version"));
  EXPECT_THAT(home.properties.renamed, ElementsAre(Pair("zip", "postal_code")));
  ASSERT_THAT(home.relationships, SizeIs(1));
  EXPECT_EQ(home.relationships[0].type, "LIVES_AT");
  EXPECT_TRUE(home.relationships[0].incoming);
  EXPECT_EQ(home.relationships[0].other, mapping.tables[0].table);
  EXPECT_THAT(home.relationships[0].columns, ElementsAre("id"));
  const NodeRule& box = node.parts[1];
  EXPECT_FALSE(box.relationships[0].incoming);
  EXPECT_THAT(properties_of(box.properties, mapping.naming, "id"), ElementsAre("number"));
  EXPECT_THAT(box.properties.computed, SizeIs(1));
  EXPECT_THAT(box.properties.constants, ElementsAre(Pair("size", change::Value(int64_t{3}))));
  EXPECT_EQ(node.parts[2].properties.fields, "about");
  for (const char* column : {"street", "postal_code", "about"}) EXPECT_TRUE(mapping.tables[0].named.contains(column)) << column;
  // The row's own node is as it was.
  EXPECT_TRUE(node.properties.all);
  EXPECT_THAT(node.relationships, IsEmpty());
}

TEST(Nodes, that_rows_share_are_named_by_other_columns) {
  const Mapping mapping = loaded(
      "  a: {node: A, nodes: [{FROM: {to: [Country, Area], key: {name: country}}}, {BORN: {from: Day, key: [at, place]}}]}\n"
      "  b: {node: B, nodes: [{FROM: {to: [Country, Area], key: {name: land}}}]}\n");
  const auto& links = std::get<NodeRule>(mapping.tables[0].form).relationships;
  ASSERT_THAT(links, SizeIs(2));
  EXPECT_THAT(links[0].columns, ElementsAre("country"));
  EXPECT_FALSE(links[0].incoming);
  ASSERT_TRUE(links[0].shared);
  EXPECT_EQ(*links[0].shared, (SharedNodeRule{"Country", {"Area"}, {"name"}}));
  EXPECT_TRUE(links[1].incoming);
  EXPECT_THAT(links[1].shared->properties, ElementsAre("at", "place"));
  EXPECT_EQ(std::get<NodeRule>(mapping.tables[1].form).relationships[0].shared, links[0].shared);
}

TEST(Nodes, have_indexes_of_their_own) {
  const Mapping mapping = loaded("  a: {node: A, indexes: [{range: x}], nodes: [{R: {to: [B, C], properties: [y], indexes: [{text: y}]}}]}\n");
  ASSERT_THAT(mapping.tables[0].indexes, SizeIs(2));
  EXPECT_EQ(mapping.tables[0].indexes[0].label, "B");
  EXPECT_EQ(mapping.tables[0].indexes[1].label, "");
  EXPECT_EQ(fingerprint_of("[{R: {to: B}}]"), fingerprint_of("[{R: {to: B, indexes: [{range: id}]}}]"));
}

TEST(Nodes, faults_are_found_at_their_places) {
  EXPECT_EQ(faults_of_nodes("{R: {to: B}}"), "f:5:23: `nodes` must be a list (write `- TYPE: {to: Label, properties: [column]}`)\n");
  EXPECT_EQ(faults_of_nodes("[{R: {to: B}, S: {to: C}}]"),
            "f:5:25: an item of `nodes` has one key, the type of its relationship (write `- TYPE: {to: Label, properties: [column]}`)\n");
  EXPECT_EQ(faults_of_nodes("[{R: {properties: [x]}}]"),
            "f:5:25: the node of `R` needs either `to` or `from` (its label, or a list of labels)\n");
  EXPECT_EQ(faults_of_nodes("[{R: {to: B, propertys: [x]}}]"),
            "f:5:36: unknown key `propertys` in the node of `R` (did you mean `properties`?)\n");
  EXPECT_EQ(faults_of_nodes("[{R: {to: {b: x}}}]"),
            "f:5:33: `to` names the label of a node that the row makes (what leads to another table's node stands under "
            "`relationships`)\n");
  EXPECT_EQ(faults_of_nodes("[{_cnx_R: {to: ContextNexusB}}]"),
            "f:5:25: `_cnx_R`: names that begin with `_cnx_` belong to the engine\n"
            "f:5:38: `ContextNexusB`: labels that begin with `ContextNexus` belong to the engine\n");
  EXPECT_EQ(faults_of_nodes("[{R: {to: B, key: []}}]"), "f:5:41: `key` is empty (without `key` each row has a node for itself)\n");
  EXPECT_EQ(faults_of_nodes("[{R: {to: B, key: {p: {column: c, as: float}}}}]"),
            "f:5:41: the columns of a `key` keep the form of their type (write `key: {property: column}`)\n");
  EXPECT_EQ(faults_of_nodes("[{R: {to: B, key: c, properties: [x], fields: y}}]"),
            "f:5:44: rows that share the node `B` may say different things of it (leave `properties` out, or leave `key` out: then each "
            "row has a node of its own)\n"
            "f:5:61: rows that share the node `B` may say different things of it (leave `fields` out, or leave `key` out: then each row "
            "has a node of its own)\n");
  EXPECT_EQ(faults_of_nodes("[{R: {to: B, key: {owner: c}}}]"),
            "f:5:41: `owner` says whose a node is, and cannot be of its `key` (a table with a tenant has shared nodes for each tenant as "
            "it is)\n");
  EXPECT_EQ(faults_of_nodes("[{R: {to: B, properties: {id: x}}}]"),
            "f:5:36: the property `id` is made of `id` and of `x` (give one of them another name, or exclude the column)\n");
  EXPECT_EQ(faults_of_nodes("[{R: {to: B, properties: {c: x}, fields: c}}]"),
            "f:5:64: the node has a property `c` beside the fields of `c` (give the property another name)\n");
  EXPECT_EQ(faults_of_nodes("[{R: {to: B, properties: {p: {column: c, as: flatten}}, fields: d}}]"),
            "f:5:87: the node has `fields`, and a property of it is flattened (give each object a node of its own)\n");
  EXPECT_EQ(faults_of("  a: {node: A, cypher: \"UNWIND $rows AS row RETURN 1\", nodes: [{R: {to: B}}]}\n"),
            "f:5:56: `cypher` stands in place of the generated upsert, which would make the other nodes (leave `nodes` out, and let the "
            "statement make them)\n");
  EXPECT_THAT(faults_of("  a: {node: A}\n  r: {relationship: R, from: {a: x}, to: {a: y}, nodes: [{R: {to: B}}]}\n"),
              ::testing::HasSubstr("f:6:"));
}

TEST(Nodes, labels_that_find_them_are_theirs_alone) {
  const std::string cure = " (name a label of its own first, and behind it one that others may have too: `[HomeAddress, Address]`)\n";
  EXPECT_EQ(faults_of("  a: {node: A, nodes: [{R: {to: B}}]}\n  b: {node: B}\n"),
            "f:5:33: the label `B` finds the nodes of the table in line 6 (give one of them another label)\n");
  EXPECT_EQ(faults_of("  a: {node: A, nodes: [{R: {to: A}}]}\n"),
            "f:5:33: the label `A` finds the nodes of the table in line 5 (give one of them another label)\n");
  EXPECT_EQ(faults_of("  a: {node: A, nodes: [{R: {to: X}}]}\n  b: {node: B, nodes: [{S: {to: X}}]}\n"),
            "f:6:33: the label `X` finds other nodes in line 5" + cure);
  EXPECT_EQ(faults_of("  a: {node: A, nodes: [{R: {to: X}}]}\n  b: {node: B, nodes: [{S: {to: X, key: c}}]}\n"),
            "f:6:33: the label `X` finds other nodes in line 5" + cure);
  EXPECT_EQ(faults_of("  a: {node: A, nodes: [{R: {to: X}}]}\n  b: {node: [B, X]}\n"),
            "f:6:17: the label `X` finds the nodes in line 5, and cannot be a further one" + cure);
  EXPECT_EQ(faults_of("  a: {node: A, nodes: [{R: {to: X, key: c}}]}\n  b: {node: B, nodes: [{S: {to: X, key: d}}]}\n"),
            "f:6:33: the label `X` has another key, or other labels beside it, in line 5 (nodes that several rules share have one form)\n");
  EXPECT_EQ(faults_of("  a: {node: A, nodes: [{R: {to: X, key: c}}, {R: {to: X, key: {c: d}}}]}\n"),
            "f:5:47: the table makes `R` to `X` already (each would remove what the other made; give one of them another type)\n");
  EXPECT_EQ(faults_of("  a: {node: A, nodes: [{R: {to: [X, Address]}}, {S: {to: [Y, Address]}}, {T: {to: W, key: c}}, {U: {to: W, key: {c: d}}}]}\n"),
            "none");
}

TEST(Nodes, all_of_them_is_in_the_fingerprint_and_nothing_without_them) {
  EXPECT_EQ(loaded("  a: {node: A}\n").fingerprint, loaded("  a: {node: A, nodes: []}\n").fingerprint);
  std::set<std::string> met{loaded("  a: {node: A}\n").fingerprint};
  for (const char* nodes :
       {"[{R: {to: B}}]", "[{S: {to: B}}]", "[{R: {from: B}}]", "[{R: {to: C}}]", "[{R: {to: [B, C]}}]", "[{R: {to: B, key: {k: id}}}]",
        "[{R: {to: B, properties: [x]}}]", "[{R: {to: B, fields: x}}]", "[{R: {to: B, key: x}}]", "[{R: {to: B, key: {y: x}}}]",
        "[{R: {to: [B, C], key: x}}]", "[{R: {from: B, key: x}}]", "[{R: {to: B, key: [x, z]}}]"}) {
    EXPECT_TRUE(met.insert(fingerprint_of(nodes)).second) << nodes;
  }
}

}  // namespace
}  // namespace cnx::mapping
