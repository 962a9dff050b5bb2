// Every kind of fault of a mapping file, with its place; files with many.
#include <gmock/gmock.h>

#include <fstream>
#include <sstream>

#include "mapping/load.hpp"

namespace cnx::mapping {
namespace {

std::string read(const std::string& name) {
  std::ifstream file(std::string(CNX_TEST_DATA) + "/mapping/" + name, std::ios::binary);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

std::string faults_of(std::string_view text) {
  auto mapping = load(text, "f");
  return mapping ? "none" : format(mapping.error());
}

struct FaultCase {
  const char* name;
  std::string text;
  std::string faults;  // As `format` prints them.
};
std::ostream& operator<<(std::ostream& out, const FaultCase& fault) {
  return out << fault.name;
}

class AFault : public ::testing::TestWithParam<FaultCase> {};

TEST_P(AFault, is_found_at_its_place) {
  EXPECT_EQ(faults_of(GetParam().text), GetParam().faults);
}

std::string in_tables(const std::string& text) {
  return "version: 1\nname: n\ntables:\n" + text;
}

// A table `a` with the key `id` in line 4, then `text` from line 5 on.
std::string beside_a(const std::string& text) {
  return in_tables("  a: {node: A, key: id}\n" + text);
}

INSTANTIATE_TEST_SUITE_P(
    Head, AFault,
    ::testing::Values(
        FaultCase{"not_a_map", "- a\n- b\n", "f:1:1: a mapping file must be a map\n"},
        FaultCase{"empty_file", "", "f:1:1: a mapping file must be a map\n"},
        FaultCase{"broken_yaml", "version: 1\nname: [a\n",
                  "f:3:1: not YAML: end of sequence flow not found\n"},
        FaultCase{"unknown_key", "version: 1\nname: n\ntabels: {}\ntables: {a: none}\n",
                  "f:3:1: unknown key `tabels` in a mapping file (did you mean `tables`?)\n"},
        FaultCase{"unknown_key_like_no_other",
                  "version: 1\nname: n\nbanana: 1\ntables: {a: none}\n",
                  "f:3:1: unknown key `banana` in a mapping file\n"},
        FaultCase{"key_twice", "version: 1\nname: n\nname: m\ntables: {a: none}\n",
                  "f:3:1: `name` stands twice in a mapping file, first in line 2\n"},
        FaultCase{"key_is_no_word", "version: 1\nname: n\n? [x]\n: 1\ntables: {a: none}\n",
                  "f:3:3: a key of a mapping file must be one word\n"},
        FaultCase{"version_missing", "name: n\ntables: {a: none}\n",
                  "f:1:1: the language's version is missing (begin with `version: 1`)\n"},
        FaultCase{"version_of_another_language", "version: 2\nname: n\ntables: {a: none}\n",
                  "f:1:10: this program reads version 1 of the mapping language\n"},
        FaultCase{"name_missing", "version: 1\ntables: {a: none}\n",
                  "f:1:1: the mapping has no name (add `name: …`)\n"},
        FaultCase{"name_empty", "version: 1\nname:\ntables: {a: none}\n",
                  "f:2:1: `name` is empty\n"},
        FaultCase{"tables_missing", "version: 1\nname: n\n",
                  "f:1:1: the mapping has no `tables`\n"},
        FaultCase{"tables_empty", "version: 1\nname: n\ntables: {}\n",
                  "f:3:9: `tables` is empty\n"},
        FaultCase{"tables_is_a_list", "version: 1\nname: n\ntables: [a]\n",
                  "f:3:9: `tables` must be a map\n"},
        FaultCase{"naming", "version: 1\nname: n\nnaming: camelcase\ntables: {a: none}\n",
                  "f:3:9: `naming` is `camelCase` or `as_is` (did you mean `camelCase`?)\n"},
        FaultCase{"unknown_default",
                  "version: 1\nname: n\ndefaults: {tennant: t}\ntables: {a: none}\n",
                  "f:3:12: unknown key `tennant` in `defaults` (did you mean `tenant`?)\n"},
        FaultCase{"defaults_is_a_word", "version: 1\nname: n\ndefaults: x\ntables: {a: none}\n",
                  "f:3:11: `defaults` must be a map\n"},
        FaultCase{"tenant_property_of_the_engine",
                  "version: 1\nname: n\ntenant_property: _cnx_t\ntables: {a: none}\n",
                  "f:3:18: `_cnx_t`: names that begin with `_cnx_` belong to the engine\n"}));

INSTANTIATE_TEST_SUITE_P(
    Tables, AFault,
    ::testing::Values(
        FaultCase{"says_nothing", in_tables("  a:\n"),
                  "f:4:3: the table `a` must be a map or `none`\n"},
        FaultCase{"says_another_word", in_tables("  a: non\n"),
                  "f:4:6: the table `a` must be a map or `none`\n"},
        FaultCase{"has_no_form", in_tables("  a: {key: id}\n"),
                  "f:4:3: `a` says neither `node` nor `relationship` (write `a: none` for a table "
                  "that has no form "
                  "in the graph)\n"},
        FaultCase{"form_misspelt", in_tables("  a: {ndoe: A, key: id}\n"),
                  "f:4:7: unknown key `ndoe` in a table (did you mean `node`?)\n"},
        FaultCase{
            "has_two_forms", in_tables("  a: {node: A, key: id, relationship: R}\n"),
            "f:4:3: `a` is to be more than one of `node`, `relationship` and `graph: none`\n"},
        FaultCase{"graph_is_another_word", in_tables("  a: {graph: nothing}\n"),
                  "f:4:14: `graph` is `none`, or not said\n"},
        FaultCase{"joined_name", in_tables("  s.t: {node: A, key: id}\n"),
                  "f:4:3: a dot in `s.t` does not separate a schema (say `schema:` and `table:` "
                  "inside the entry)\n"},
        FaultCase{"table_twice",
                  in_tables("  a: {node: A, key: id}\n  b: {node: B, key: id, table: a}\n"),
                  "f:5:3: the table public.a is mapped twice, first in line 4\n"},
        FaultCase{"entry_twice", in_tables("  a: none\n  a: none\n"),
                  "f:5:3: `a` stands twice in `tables`, first in line 4\n"},
        FaultCase{"key_of_another_form", in_tables("  a: {node: A, key: id, from: {a: x}}\n"),
                  "f:4:25: `from` has no meaning for a node\n"},
        FaultCase{
            "no_key", in_tables("  a: {node: A}\n"),
            "f:4:3: the node of `a` has no key (add `key:`, the columns that identify a row)\n"},
        FaultCase{"key_empty", in_tables("  a: {node: A, key: []}\n"), "f:4:21: `key` is empty\n"},
        FaultCase{"column_twice", in_tables("  a: {node: A, key: [x, x]}\n"),
                  "f:4:25: `x` stands twice in `key`\n"},
        FaultCase{"column_is_a_map", in_tables("  a: {node: A, key: {x: y}}\n"),
                  "f:4:21: `key` must be one word\n"},
        FaultCase{"word_too_long",
                  in_tables("  a: {node: " + std::string(1025, 'A') + ", key: id}\n"),
                  "f:4:13: `node` is longer than 1024 bytes\n"},
        FaultCase{"word_with_a_control_character", in_tables("  a: {node: \"A\\0B\", key: id}\n"),
                  "f:4:13: `node` has a control character in it\n"},
        FaultCase{"label_of_the_engine", in_tables("  a: {node: ContextNexusPosition, key: id}\n"),
                  "f:4:13: `ContextNexusPosition`: labels that begin with `ContextNexus` belong to "
                  "the engine\n"},
        FaultCase{"label_with_the_prefix", in_tables("  a: {node: _cnx_A, key: id}\n"),
                  "f:4:13: `_cnx_A`: names that begin with `_cnx_` belong to the engine\n"},
        FaultCase{"include_and_exclude",
                  in_tables("  a: {node: A, key: id, include: x, exclude: y}\n"),
                  "f:4:37: `include` and `exclude` in one table (`include` lists the only columns "
                  "to be taken)\n"},
        FaultCase{"key_excluded", in_tables("  a: {node: A, key: id, exclude: [x, id]}\n"),
                  "f:4:38: `id` is the table's key and cannot be excluded\n"},
        FaultCase{"version_excluded",
                  in_tables("  a: {node: A, key: id, version: v, exclude: v}\n"),
                  "f:4:46: `v` is the table's version and cannot be excluded\n"},
        FaultCase{"tenant_excluded", in_tables("  a: {node: A, key: id, tenant: t, exclude: t}\n"),
                  "f:4:45: `t` is the table's tenant and cannot be excluded\n"},
        FaultCase{"statement_without_rows",
                  in_tables("  a: {node: A, key: id, cypher: RETURN 1}\n"),
                  "f:4:33: the statement of `cypher` does not use `$rows` (begin with `UNWIND "
                  "$rows AS row`)\n"},
        FaultCase{"statement_is_a_list", in_tables("  a: {node: A, key: id, cypher: [x]}\n"),
                  "f:4:33: `cypher` must be a statement\n"}));

std::string with_properties(const std::string& text) {
  return in_tables("  a: {node: A, key: id, properties: " + text + "}\n");
}

INSTANTIATE_TEST_SUITE_P(
    Properties, AFault,
    ::testing::Values(
        FaultCase{"list_for_a_node", with_properties("[x]"),
                  "f:4:37: the `properties` of a node must be a map of property to column "
                  "(`include:` lists the only "
                  "columns to be taken)\n"},
        FaultCase{"no_column", with_properties("{p: }"), "f:4:38: the column of `p` is empty\n"},
        FaultCase{"column_is_a_list", with_properties("{p: [x]}"),
                  "f:4:41: the column of `p` must be one word\n"},
        FaultCase{"property_twice", with_properties("{p: x, p: y}"),
                  "f:4:44: `p` stands twice in `properties`, first in line 4\n"},
        FaultCase{"property_of_the_engine", with_properties("{_cnx_key: x}"),
                  "f:4:38: `_cnx_key`: names that begin with `_cnx_` belong to the engine\n"},
        FaultCase{"companion", with_properties("{p__pg: {template: x}}"),
                  "f:4:38: `p__pg`: names that end with `__pg` belong to the engine\n"},
        FaultCase{"column_names_a_companion",
                  "version: 1\nname: n\nnaming: as_is\ntables:\n  a: {node: A, key: id__pg}\n",
                  "f:5:3: `id__pg`: names that end with `__pg` belong to the engine\n"},
        FaultCase{"takes_anothers_name", with_properties("{id: x}"),
                  "f:4:25: the property `id` is made of `id` and of `x` (give one of them another "
                  "name, or exclude "
                  "the column)\n"},
        FaultCase{"template_takes_a_columns_name", with_properties("{id: {template: \"{x}\"}}"),
                  "f:4:25: the property `id` is made of `id` and of a template (give one of them "
                  "another name, or "
                  "exclude the column)\n"},
        FaultCase{"two_columns_of_one_name",
                  in_tables("  a: {node: A, key: id, include: [b_c, bC]}\n"),
                  "f:4:3: the property `bC` is made of `bC` and of `b_c` (give one of them another "
                  "name, or exclude "
                  "the column)\n"},
        FaultCase{"excluded_and_renamed",
                  in_tables("  a: {node: A, key: id, exclude: x, properties: {p: x}}\n"),
                  "f:4:53: the column `x` is excluded, and a property is made of it (a column that "
                  "`properties` "
                  "renames loses its own name without `exclude`)\n"},
        FaultCase{"tenant_property_taken",
                  in_tables("  a: {node: A, key: id, tenant: t, properties: {tenantId: x}}\n"),
                  "f:4:36: `tenantId` is made of `x`, and the table's tenant is `t`\n"},
        FaultCase{
            "template_without_its_end", with_properties("{p: {template: \"a{b\"}}"),
            "f:4:52: the template has a `{` without its `}`; write `{{` for the brace itself\n"},
        FaultCase{
            "template_without_its_beginning", with_properties("{p: {template: \"a}b\"}}"),
            "f:4:52: the template has a `}` without its `{`; write `}}` for the brace itself\n"},
        FaultCase{"template_without_a_column", with_properties("{p: {template: \"a{}\"}}"),
                  "f:4:52: the template has no column between `{` and `}`\n"},
        FaultCase{"template_misspelt", with_properties("{p: {templat: x}}"),
                  "f:4:41: the property `p` has neither `template` nor `choose`\n"
                  "f:4:42: unknown key `templat` in the property `p` (did you mean `template`?)\n"},
        FaultCase{"template_and_choice",
                  with_properties("{p: {template: x, choose: k, when: {a: b}}}"),
                  "f:4:42: `template` has no meaning for the property `p`\n"},
        FaultCase{"choice_without_templates", with_properties("{p: {choose: k}}"),
                  "f:4:42: `choose` without `when` (`when` gives a template for each value of the "
                  "column)\n"},
        FaultCase{"choice_of_none", with_properties("{p: {choose: k, when: {}}}"),
                  "f:4:59: `when` is empty\n"},
        FaultCase{"choice_twice", with_properties("{p: {choose: k, when: {a: x, a: y}}}"),
                  "f:4:66: `a` stands twice in `when`, first in line 4\n"}));

std::string with_link(const std::string& text) {
  return beside_a("  b: {node: B, key: id, relationships: [" + text + "]}\n");
}
std::string with_join(const std::string& text) {
  return beside_a("  j: {relationship: R, from: {a: x}, to: {a: y}" + text + "}\n");
}

INSTANTIATE_TEST_SUITE_P(
    Relationships, AFault,
    ::testing::Values(
        FaultCase{
            "is_a_map", beside_a("  b: {node: B, key: id, relationships: {R: {from: {a: x}}}}\n"),
            "f:5:40: `relationships` must be a list (write `- TYPE: {from: {table: column}}`)\n"},
        FaultCase{"two_types_in_one_item", with_link("{R: {from: {a: x}}, S: {from: {a: x}}}"),
                  "f:5:42: an item of `relationships` has one key, its type (write `- TYPE: {from: "
                  "{table: "
                  "column}}`)\n"},
        FaultCase{"type_of_the_engine", with_link("_cnx_R: {from: {a: x}}"),
                  "f:5:41: `_cnx_R`: names that begin with `_cnx_` belong to the engine\n"},
        FaultCase{"no_end", with_link("R: {properties: [x]}"),
                  "f:5:41: the relationship `R` needs either `from` or `to`\n"},
        FaultCase{"two_ends", with_link("R: {from: {a: x}, to: {a: y}}"),
                  "f:5:41: the relationship `R` needs either `from` or `to`\n"},
        FaultCase{"end_is_a_word", with_link("R: {from: a}"), "f:5:51: `from` must be a map\n"},
        FaultCase{"end_of_two_tables", with_link("R: {from: {a: x, b: y}}"),
                  "f:5:51: `from` must name one table and its columns (`from: {table: column}`)\n"},
        FaultCase{
            "end_unknown",
            in_tables(
                "  threads: {node: T, key: id}\n  b: {node: B, key: id, relationships: [R: {from: "
                "{thread: x}}]}\n"),
            "f:5:52: `from` names `thread`, which is not under `tables` (did you mean "
            "`threads`?)\n"},
        FaultCase{
            "end_without_a_node",
            beside_a("  c: none\n  b: {node: B, key: id, relationships: [R: {to: {c: x}}]}\n"),
            "f:6:50: `to` names `c`, which becomes no node\n"},
        FaultCase{"end_is_a_relationship",
                  with_join("}\n  b: {node: B, key: id, relationships: [R: {to: {j: x}}]"),
                  "f:6:50: `to` names `j`, which becomes no node\n"},
        FaultCase{"end_with_too_many_columns", with_link("R: {from: {a: [x, y]}}"),
                  "f:5:52: 2 column(s) for the key of `a`, which has 1: `id`\n"},
        FaultCase{"end_without_columns", with_link("R: {from: {a: }}"),
                  "f:5:52: the columns of `a` is empty\n"},
        FaultCase{
            "property_list_is_a_word", with_link("R: {from: {a: x}, properties: p}"),
            "f:5:71: `properties` must be a list of columns or a map of property to column\n"},
        FaultCase{"property_made_twice", with_link("R: {from: {a: x}, properties: [p_q, {pQ: y}]}"),
                  "f:5:78: the property `pQ` is made twice\n"},
        FaultCase{"property_of_the_engine",
                  with_link("R: {from: {a: x}, properties: [{p__pg: y}]}"),
                  "f:5:73: `p__pg`: names that end with `__pg` belong to the engine\n"},
        FaultCase{"join_without_ends", beside_a("  j: {relationship: R}\n"),
                  "f:5:3: the relationship of `j` has no `from`\nf:5:3: the relationship of `j` "
                  "has no `to`\n"},
        FaultCase{"join_with_words_of_a_node", with_join(", exclude: [x]"),
                  "f:5:50: `exclude` has no meaning for a relationship\n"}));

INSTANTIATE_TEST_SUITE_P(
    BetweenTables, AFault,
    ::testing::Values(
        FaultCase{"label_with_two_keys", beside_a("  b: {node: A, key: code}\n"),
                  "f:5:13: the label `A` has another key in line 4 (one label is found by one key "
                  "property)\n"},
        FaultCase{"label_with_keys_of_two_lengths", beside_a("  b: {node: A, key: [id, x]}\n"),
                  "f:5:13: the label `A` has another key in line 4 (one label is found by one key "
                  "property)\n"},
        FaultCase{"label_with_one_key_by_renaming",
                  beside_a("  b: {node: A, key: code, properties: {id: code}}\n"), "none"},
        FaultCase{"two_foreign_keys_of_one_type", with_link("R: {from: {a: x}}, R: {from: {a: y}}"),
                  "f:5:60: (:A)-[:R]->(:B) is already made in line 5 (each would remove what the "
                  "other made; give one "
                  "of them another type)\n"},
        FaultCase{"foreign_keys_to_both_sides", with_link("R: {from: {b: x}}, R: {to: {b: y}}"),
                  "f:5:60: (:B)-[:R]->(:B) is already made in line 5 (each would remove what the "
                  "other made; give one "
                  "of them another type)\n"},
        FaultCase{"one_type_both_ways", with_link("R: {from: {a: x}}, R: {to: {a: y}}"), "none"},
        FaultCase{"foreign_key_and_join",
                  with_join("}\n  b: {node: A, key: id, relationships: [R: {to: {a: x}}]"),
                  "f:6:41: (:A)-[:R]->(:A) is already made in line 5 (each would remove what the "
                  "other made; give one "
                  "of them another type)\n"},
        FaultCase{"joins_identified_in_two_ways",
                  with_join("}\n  k: {relationship: R, from: {a: x}, to: {a: y}, key: id"),
                  "f:6:21: (:A)-[:R]->(:A) is already made in line 5 (each would remove what the "
                  "other made; give one "
                  "of them another type)\n"},
        FaultCase{"two_tables_of_one_label",
                  beside_a("  b: {node: B, key: id, relationships: [R: {from: {a: x}}]}\n"
                           "  c: {node: B, key: id, relationships: [R: {from: {a: x}}]}\n"),
                  "none"}));

TEST(Faults, of_one_file_are_all_found_at_once_in_its_order) {
  auto mapping = load(read("broken.yaml"), "broken.yaml");
  ASSERT_FALSE(mapping);
  EXPECT_EQ(format(mapping.error()), read("broken.txt"));
}

TEST(Faults, of_a_file_that_is_too_long_are_not_looked_for) {
  EXPECT_EQ(faults_of(std::string(4 * 1024 * 1024 + 1, '#')), "f: the file is longer than 4 MiB\n");
}

TEST(Faults, name_a_node_that_contains_itself_without_end) {
  EXPECT_NE(faults_of("version: 1\nname: n\ntables: &t\n  a: *t\n"), "none");
  EXPECT_NE(faults_of(in_tables("  a: &a {node: A, key: id, relationships: [*a]}\n")), "none");
}

}  // namespace
}  // namespace cnx::mapping
