// See fingerprint.hpp. The text's form is fixed by the word it begins with; another form begins
// with another.
#include "mapping/fingerprint.hpp"

#include <algorithm>
#include <charconv>
#include <utility>

#include "mapping/sha256.hpp"

namespace cnx::mapping {
namespace {

constexpr std::string_view kForm = "contextnexus mapping 1\n";

// Length before text, so that no text can look like the end of its list.
class Canonical {
 public:
  Canonical& word(std::string_view text) {
    text_ += std::to_string(text.size()) + ":";
    text_ += text;
    return *this;
  }
  template <typename Words>
  Canonical& words(const Words& words) {
    text_ += std::to_string(words.size()) + "[";
    for (const auto& text : words) word(text);
    text_ += "]";
    return *this;
  }
  Canonical& columns(const std::map<std::string, std::string>& by_property) {
    text_ += std::to_string(by_property.size()) + "{";
    for (const auto& [property, column] : by_property) word(property).word(column);
    text_ += "}";
    return *this;
  }
  // Parts whose order says nothing.
  Canonical& sorted(std::vector<std::string> parts) {
    std::sort(parts.begin(), parts.end());
    return words(parts);
  }
  Canonical& table(const TableName& table) { return word(table.schema).word(table.name); }
  std::string take() { return std::move(text_); }

 private:
  std::string text_;
};

std::string text_of(const Template& value) {
  Canonical text;
  for (const Template::Part& part : value.parts)
    text.word(part.is_column ? "column" : "text").word(part.text);
  return text.take();
}

std::string text_of(const ComputedProperty& computed) {
  Canonical text;
  text.word(computed.property).word(computed.choice_column);
  std::vector<std::string> choices;
  for (const auto& [value, choice] : computed.choices) {
    choices.push_back(Canonical().word(value).word(text_of(choice)).take());
  }
  text.sorted(std::move(choices));
  text.word(computed.otherwise ? text_of(*computed.otherwise) : "none");
  return text.take();
}

// Of words that came to the language later: nothing where a rule does not use them, so that its fingerprint stays.
std::string text_of(const AskedForms& forms) {
  if (forms.empty()) return {};
  std::map<std::string, std::string> words;
  for (const auto& [property, form] : forms) words.emplace(property, to_word(form));
  return Canonical().word("as").columns(words).take();
}

std::string text_of(const change::Value& constant) {
  if (const auto* text = std::get_if<std::string>(&constant)) return "text:" + *text;
  if (const auto* whole = std::get_if<int64_t>(&constant)) return "integer:" + std::to_string(*whole);
  if (const auto* truth = std::get_if<bool>(&constant)) return *truth ? "true" : "false";
  char digits[32];
  auto [end, error] = std::to_chars(std::begin(digits), std::end(digits), std::get<double>(constant));
  return "float:" + std::string(digits, end);
}

std::string text_of(const Constants& constants) {
  if (constants.empty()) return {};
  std::map<std::string, std::string> values;
  for (const auto& [property, value] : constants) values.emplace(property, text_of(value));
  return Canonical().word("constant").columns(values).take();
}

std::string text_of(const std::optional<SharedNodeRule>& shared) {
  if (!shared) return {};
  return Canonical().word("shared").word(shared->label).words(shared->more_labels).words(shared->properties).take();
}

std::string text_of(const ForeignKeyRule& rule) {
  return Canonical()
             .word(rule.type)
             .word(rule.incoming ? "from" : "to")
             .table(rule.other)
             .words(rule.columns)
             .columns(rule.properties.columns)
             .take() +
         text_of(rule.properties.forms) + text_of(rule.properties.constants) + text_of(rule.shared);
}

std::string text_of(const ValueChoice& choice) {
  Canonical text;
  text.word("choice").word(choice.column);
  text.columns({choice.names.begin(), choice.names.end()});
  if (choice.if_null) text.word("if_null").word(*choice.if_null);
  text.word(choice.otherwise ? "otherwise" : "none").word(choice.otherwise.value_or(""));
  return text.take();
}

std::string labels_text(const NodeRule& node) {
  std::string text;
  if (!node.more_labels.empty()) text += Canonical().word("labels").words(node.more_labels).take();
  if (node.labels) text += text_of(*node.labels);
  return text;
}

std::string text_of(const NodeRule& node);

std::string parts_text(const NodeRule& node) {
  std::string text;
  if (!node.properties.fields.empty()) text += Canonical().word("fields").word(node.properties.fields).take();
  if (node.parts.empty()) return text;
  std::vector<std::string> parts;
  for (const NodeRule& part : node.parts) parts.push_back(text_of(part));
  return text + Canonical().word("nodes").sorted(std::move(parts)).take();
}

std::string text_of(const NodeRule& node) {
  const PropertyRules& properties = node.properties;
  Canonical text;
  text.word("node").word(node.label).words(node.key);
  text.word(properties.all ? "all" : "only").words(properties.included).words(properties.excluded);
  text.columns(properties.renamed);
  std::vector<std::string> parts;
  for (const ComputedProperty& computed : properties.computed) parts.push_back(text_of(computed));
  text.sorted(std::exchange(parts, {}));
  for (const ForeignKeyRule& rule : node.relationships) parts.push_back(text_of(rule));
  text.sorted(std::move(parts));
  return text.take() + text_of(properties.forms) + text_of(properties.constants) + labels_text(node) +
         parts_text(node);
}

std::string text_of(const RelationshipRule& rule) {
  return Canonical()
             .word("relationship")
             .word(rule.type)
             .table(rule.start.table)
             .words(rule.start.columns)
             .table(rule.end.table)
             .words(rule.end.columns)
             .words(rule.key)
             .columns(rule.properties.columns)
             .take() +
         text_of(rule.properties.forms) + text_of(rule.properties.constants) + (rule.types ? text_of(*rule.types) : "");
}

std::string text_of(const TableRule& rule) {
  Canonical text;
  text.table(rule.table);
  text.word(std::visit([](const auto& form) { return text_of(form); }, rule.form));
  text.word(rule.version_column).word(rule.tenant_column);
  text.word(rule.cypher ? "cypher" : "generated").word(rule.cypher.value_or(""));
  if (!rule.where.empty()) text.word("where").word(rule.where);
  return text.take();
}

// In the order of the rule.
std::vector<TableName> ends_of(const TableRule& rule) {
  if (const auto* relationship = std::get_if<RelationshipRule>(&rule.form))
    return {relationship->start.table, relationship->end.table};
  std::vector<TableName> ends;
  for (const ForeignKeyRule& key : std::get<NodeRule>(rule.form).relationships) ends.push_back(key.other);
  return ends;
}

}  // namespace

std::string canonical_text(const Mapping& mapping) {
  std::vector<std::string> tables;
  for (const TableRule& rule : mapping.tables) tables.push_back(text_of(rule));
  Canonical text;
  text.word(mapping.naming == Naming::camel_case ? "camelCase" : "as_is")
      .word(mapping.tenant_property);
  text.sorted(std::move(tables));
  return std::string(kForm) + text.take() + "\n";
}

std::string fingerprint(const Mapping& mapping) {
  return sha256_hex(canonical_text(mapping));
}

std::string fingerprint(const Mapping& mapping, const TableRule& rule) {
  Canonical text;
  text.word(mapping.naming == Naming::camel_case ? "camelCase" : "as_is").word(mapping.tenant_property);
  text.word(text_of(rule));
  for (const TableName& other : ends_of(rule)) {
    const TableRule* end = mapping.find(other);
    const auto* node = end == nullptr ? nullptr : std::get_if<NodeRule>(&end->form);
    if (node != nullptr) text.table(other).word(node->label).words(node->key);
  }
  return sha256_hex(text.take());
}

}  // namespace cnx::mapping
