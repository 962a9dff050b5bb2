// Editors complete and check mapping files by mappings/mapping.schema.json. It has to know the
// words that load knows, and to accept what load accepts. The part of JSON Schema that it uses is
// executed here; another word in it fails the test.
#include <gmock/gmock.h>

#include <algorithm>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>

#include "mapping/keys.hpp"
#include "mapping/load.hpp"
#include "mapping/yaml_reader.hpp"

namespace cnx::mapping {
namespace {

using Json = nlohmann::json;

std::string read(const std::string& path) {
  std::ifstream file(std::string(CNX_TEST_DATA) + "/" + path, std::ios::binary);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

const Json& schema() {
  static const Json kSchema = Json::parse(read("../../mappings/mapping.schema.json"));
  return kSchema;
}

// As an editor's YAML plugin reads it: a plain scalar may be a number or null, a quoted one is
// text.
Json to_json(const YAML::Node& node) {
  if (node.IsNull()) return nullptr;
  if (node.IsScalar()) {
    const std::string& text = node.Scalar();
    bool number = node.Tag() == "?" && !text.empty() &&
                  text.find_first_not_of("0123456789") == std::string::npos && text.size() < 10;
    return number ? Json(std::stoi(text)) : Json(text);
  }
  Json result = node.IsMap() ? Json::object() : Json::array();
  for (const auto& item : node) {
    if (node.IsMap()) {
      result[item.first.Scalar()] = to_json(item.second);
    } else {
      result.push_back(to_json(item));
    }
  }
  return result;
}

bool valid(const Json& rule, const Json& value);

bool has_type(const Json& value, const std::string& type) {
  if (type == "object") return value.is_object();
  if (type == "array") return value.is_array();
  if (type == "string") return value.is_string();
  if (type == "null") return value.is_null();
  if (type == "number") return value.is_number();
  if (type == "boolean") return value.is_boolean();
  if (type == "integer") return value.is_number_integer();
  ADD_FAILURE() << "the schema uses an unknown type " << type;
  return false;
}

bool valid_object(const Json& rule, const Json& value) {
  for (const auto& [name, item] : value.items()) {
    if (rule.contains("propertyNames") && !valid(rule["propertyNames"], name)) return false;
    if (rule.contains("properties") && rule["properties"].contains(name)) {
      if (!valid(rule["properties"][name], item)) return false;
    } else if (rule.contains("additionalProperties")) {
      const Json& others = rule["additionalProperties"];
      if (others.is_boolean() ? !others.get<bool>() : !valid(others, item)) return false;
    }
  }
  for (const Json& name : rule.value("required", Json::array())) {
    if (!value.contains(name.get<std::string>())) return false;
  }
  return value.size() >= rule.value("minProperties", size_t{0}) &&
         value.size() <= rule.value("maxProperties", SIZE_MAX);
}

bool valid_array(const Json& rule, const Json& value) {
  if (value.size() < rule.value("minItems", size_t{0})) return false;
  return !rule.contains("items") || std::all_of(value.begin(), value.end(), [&](const Json& item) {
    return valid(rule["items"], item);
  });
}

// The three patterns that the schema uses, without a regular expression engine.
bool matches(const std::string& pattern, std::string_view text) {
  bool name = !text.empty() && !text.starts_with("_cnx_") && !text.ends_with("__pg");
  if (pattern == R"(^(?!_cnx_)(?!.*__pg$).+$)") return name;
  if (pattern == R"(^(?!_cnx_|ContextNexus)(?!.*__pg$).+$)") {
    return name && !text.starts_with("ContextNexus");
  }
  if (pattern == R"(\$rows)") return text.find("$rows") != std::string_view::npos;
  ADD_FAILURE() << "the schema uses a pattern that this test does not know: " << pattern;
  return false;
}

bool valid_text(const Json& rule, const std::string& text) {
  if (text.size() < rule.value("minLength", size_t{0})) return false;
  return !rule.contains("pattern") || matches(rule["pattern"].get<std::string>(), text);
}

bool valid(const Json& rule, const Json& value) {
  static const std::set<std::string> kKnown = {"$schema",
                                               "title",
                                               "description",
                                               "definitions",
                                               "type",
                                               "const",
                                               "enum",
                                               "anyOf",
                                               "oneOf",
                                               "$ref",
                                               "required",
                                               "properties",
                                               "propertyNames",
                                               "additionalProperties",
                                               "minProperties",
                                               "maxProperties",
                                               "items",
                                               "minItems",
                                               "minimum",
                                               "maximum",
                                               "minLength",
                                               "pattern"};
  for (const auto& [word, meaning] : rule.items()) {
    EXPECT_TRUE(kKnown.contains(word))
        << "the schema uses `" << word << "`, which this test does not execute";
  }
  // In draft-07 a $ref stands alone: only its description may be beside it.
  if (rule.contains("$ref")) {
    return valid(schema().at(Json::json_pointer(rule["$ref"].get<std::string>().substr(1))), value);
  }
  if (rule.contains("const") && rule["const"] != value) return false;
  if (rule.contains("enum") &&
      std::find(rule["enum"].begin(), rule["enum"].end(), value) == rule["enum"].end()) {
    return false;
  }
  if (rule.contains("type") && !has_type(value, rule["type"])) return false;
  if (rule.contains("oneOf") &&
      std::count_if(rule["oneOf"].begin(), rule["oneOf"].end(),
                    [&](const Json& choice) { return valid(choice, value); }) != 1) {
    return false;
  }
  if (rule.contains("anyOf") && std::none_of(rule["anyOf"].begin(), rule["anyOf"].end(),
                                             [&](const Json& choice) { return valid(choice, value); })) {
    return false;
  }
  if (value.is_number_integer()) {
    const int number = value.get<int>();
    return number >= rule.value("minimum", number) && number <= rule.value("maximum", number);
  }
  if (value.is_object()) return valid_object(rule, value);
  if (value.is_array()) return valid_array(rule, value);
  return !value.is_string() || valid_text(rule, value);
}

bool accepted(const std::string& yaml) {
  return valid(schema(), to_json(YAML::Load(yaml)));
}

std::set<std::string> words_of(const Json& rule) {
  std::set<std::string> words;
  for (const auto& [word, meaning] : rule.at("properties").items()) words.insert(word);
  return words;
}
template <size_t Size>
std::set<std::string> words_of(const std::array<std::string_view, Size>& words) {
  return std::set<std::string>(words.begin(), words.end());
}

TEST(TheJsonSchema, knows_the_words_that_load_knows) {
  const Json& definitions = schema().at("definitions");
  EXPECT_EQ(words_of(schema()), words_of(keys::kFile));
  EXPECT_EQ(words_of(schema().at("properties").at("defaults")), words_of(keys::kDefaults));
  EXPECT_EQ(words_of(definitions.at("node")), words_of(keys::kNode));
  EXPECT_EQ(words_of(definitions.at("relationship")), words_of(keys::kRelationship));
  EXPECT_EQ(words_of(definitions.at("unmapped")), words_of(keys::kUnmapped));
  EXPECT_EQ(words_of(definitions.at("foreign_key")), words_of(keys::kForeignKey));
  EXPECT_EQ(words_of(definitions.at("part")), words_of(keys::kPart));
  EXPECT_EQ(words_of(definitions.at("template")), words_of(keys::kTemplate));
  EXPECT_EQ(words_of(definitions.at("choice")), words_of(keys::kChoice));
  EXPECT_EQ(words_of(definitions.at("indexes").at("items")), words_of(keys::kIndex));
  EXPECT_EQ(definitions.at("indexes").at("items").at("properties").at("similarity").at("enum"), Json(keys::kSimilarities));
  EXPECT_EQ(words_of(definitions.at("column_form")), words_of(keys::kColumn));
  EXPECT_EQ(words_of(definitions.at("node").at("properties").at("labels")), words_of(keys::kValueChoice));
  EXPECT_EQ(words_of(definitions.at("constant")), words_of(keys::kConstant));
  EXPECT_EQ(definitions.at("column_form").at("properties").at("as").at("enum"), Json(keys::kForms));
  EXPECT_EQ(schema().at("properties").at("naming").at("enum"), Json(keys::kNaming));
}

TEST(TheJsonSchema, accepts_the_built_in_mapping_and_one_of_every_form) {
  EXPECT_TRUE(accepted(read("../../mappings/contextnexus.yaml")));
  EXPECT_TRUE(accepted(read("mapping/every_form.yaml")));
}

TEST(TheJsonSchema, refuses_what_load_refuses) {
  EXPECT_FALSE(accepted(read("mapping/broken.yaml")));
  for (const char* table :
       {"{nod: A, key: id}", "{node: A, keys: id}", "{node: _cnx_A}", "{node: ContextNexusX}",
        "{node: A, key: []}", "{node: A, properties: [x]}", "{node: A, properties: {x__pg: y}}",
        "{node: A, properties: {p: {choose: k}}}", "{node: A, properties: {p: {as: float}}}", "{node: []}", "{node: [A, _cnx_B]}", "{node: A, labels: {column: c}}",
        "{node: A, labels: {when: {x: B}}}", "{node: A, labels: {column: c, when: {x: ContextNexusB}}}", "{node: A, labels: {column: c, when: {}}}", "{node: A, properties: {p: {constant: [x]}}}",
        "{node: A, properties: {p: {constant: x, as: float}}}",
        "{node: A, properties: {p: {column: c, as: double}}}", "{node: A, indexes: {range: x}}",
        "{node: A, indexes: [{vector: x}]}", "{node: A, indexes: [{vector: x, dimensions: 0}]}", "{node: A, indexes: [{range: x, text: y}]}",
        "{node: A, indexes: [{text: [x, y]}]}", "{node: A, indexes: [{}]}", "{node: A, indexes: [{vector: x, dimensions: 3, similarity: dot}]}", "{node: A, cypher: RETURN 1}",
        "{node: A, relationships: [R: {properties: [x]}]}",
        "{node: A, relationships: [R: {from: {a: x}, to: {a: x}}]}",
        "{node: A, relationships: {R: {from: {a: x}}}}", "{node: A, nodes: {R: {to: B}}}", "{node: A, nodes: [R: {to: B, from: C}]}",
        "{node: A, nodes: [R: {properties: [x]}]}", "{node: A, nodes: [R: {to: B, key: []}]}", "{node: A, nodes: [R: {to: _cnx_B}]}",
        "{node: A, nodes: [R: {to: {a: x}}]}", "{node: A, nodes: [R: {to: B, key: {p: {column: c, as: float}}}]}",
        "{node: A, nodes: [R: {to: B, fields: [x, y]}]}", "{relationship: R}", "{relationship: {column: k}, from: {a: x}, to: {a: y}}",
        "{relationship: {column: k, when: {x: _cnx_R}}, from: {a: x}, to: {a: y}}",
        "{relationship: R, from: {a: x, b: y}, to: {a: x}}", "{graph: nothing}", "{}", "non",
        "[x]"}) {
    std::string text =
        std::string("version: 1\nname: n\ndefaults: {key: id}\ntables:\n  a: ") + table + "\n";
    EXPECT_FALSE(accepted(text)) << table;
    EXPECT_FALSE(load(text, "f")) << table;
  }
}

}  // namespace
}  // namespace cnx::mapping
