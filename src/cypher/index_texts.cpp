#include "cypher/index_texts.hpp"

#include <set>

#include "cypher/quote.hpp"
#include "mapping/sha256.hpp"

namespace cnx::cypher {
namespace {

using mapping::IndexKind;
using mapping::IndexRule;

std::string type_of(IndexKind kind) {
  switch (kind) {
    case IndexKind::range: return "RANGE";
    case IndexKind::text: return "TEXT";
    case IndexKind::fulltext: return "FULLTEXT";
    case IndexKind::point: return "POINT";
    case IndexKind::vector: break;
  }
  return "VECTOR";
}

std::string list_of(const std::vector<std::string>& properties) {
  std::string list;
  for (const std::string& property : properties) list += (list.empty() ? "x." : ", x.") + quote(property);
  return list;
}

// The name says what it is of, for people; the digest tells definitions apart that the words alone would not.
std::string name_of(const Index& index, const std::string& definition) {
  constexpr size_t kDigits = 8;
  std::string name = "contextnexus_" + index.label;
  for (const std::string& property : index.properties) name += "_" + property;
  std::string type = index.type;
  for (char& c : type) c = static_cast<char>(c - 'A' + 'a');
  return name + "_" + type + "_" + mapping::sha256_hex(definition).substr(0, kDigits);
}

Index index_of(const IndexRule& rule, bool of_node, const std::string& label) {
  Index index{.type = type_of(rule.kind), .entity = of_node ? "NODE" : "RELATIONSHIP", .label = label, .properties = rule.properties};
  const std::string properties = list_of(rule.properties);
  const std::string pattern = of_node ? "(x:" + quote(label) + ")" : "()-[x:" + quote(label) + "]-()";
  std::string definition = " FOR " + pattern + " ON " + (rule.kind == IndexKind::fulltext ? "EACH [" + properties + "]" : "(" + properties + ")");
  if (rule.kind == IndexKind::vector) {
    // The similarity is one of the language's words, never a text of the user's.
    definition += " OPTIONS {indexConfig: {`vector.dimensions`: " + std::to_string(rule.dimensions) +
                  ", `vector.similarity_function`: '" + rule.similarity + "'}}";
  }
  index.name = name_of(index, index.type + definition);
  index.text = "CYPHER 5 CREATE " + index.type + " INDEX " + quote(index.name) + " IF NOT EXISTS" + definition;
  return index;
}

}  // namespace

std::vector<Index> indexes(const mapping::Model& model) {
  std::vector<Index> all;
  std::set<std::string> names;
  auto add = [&](const mapping::TableRule& rule, bool of_node, const std::string& label) {
    for (const IndexRule& each : rule.indexes) {
      Index index = index_of(each, of_node, each.label.empty() ? label : each.label);
      if (names.insert(index.name).second) all.push_back(std::move(index));
    }
  };
  for (const mapping::NodeTable& table : model.nodes()) {
    if (table.main == nullptr) add(*table.rule, true, table.node->label);
  }
  for (const mapping::RelationshipTable& table : model.relationships()) add(*table.rule, false, table.type);
  return all;
}

}  // namespace cnx::cypher
