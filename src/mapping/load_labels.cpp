// Names chosen by a column's value: the labels of a node beside the one that finds it, the type of a relationship.
#include <algorithm>

#include "mapping/draft.hpp"
#include "mapping/keys.hpp"

namespace cnx::mapping {
namespace {

std::optional<std::string> read_name(Draft& draft, const MapEntry& field, NameKind kind, const std::string& what) {
  auto name = draft.reader.text(field.value, field.mark, what);
  if (!name) return std::nullopt;
  check_name(draft.reader, *name, kind);
  return name->text;
}

void check_no_cypher(Draft& draft, const TableRule& rule, const YAML::Mark& mark) {
  if (!rule.cypher) return;
  draft.reader.fault(mark, "`cypher` stands in place of the generated upsert, which would set the other labels",
                     "name one label, and let the statement set the others");
}

}  // namespace

std::optional<ValueChoice> read_value_choice(Draft& draft, const MapEntry& field, NameKind kind,
                                             std::set<std::string>& named) {
  const std::string what = "`" + field.key.text + "`";
  auto map = draft.reader.map(field.value, field.mark, what);
  if (!map) return std::nullopt;
  const size_t before = draft.reader.fault_count();
  Fields fields(draft.reader, *std::move(map), what, keys::kValueChoice);
  ValueChoice choice;
  if (auto column = fields.text("column")) {
    choice.column = column->text;
    named.insert(column->text);
  } else if (fields.find("column") == nullptr) {
    draft.reader.fault(field.mark, what + " has no `column`", "the column whose value chooses");
  }
  if (const MapEntry* when = fields.find("when")) {
    auto names = draft.reader.map(when->value, when->mark, "`when`");
    if (names && names->empty()) draft.reader.fault(when->mark, "`when` is empty");
    for (const MapEntry& each : names.value_or(std::vector<MapEntry>{})) {
      auto name = read_name(draft, each, kind, "what `" + each.key.text + "` chooses");
      if (name) choice.names.emplace(each.key.text, *std::move(name));
    }
  } else if (fields.find("if_null") == nullptr) {
    draft.reader.fault(field.mark, what + " has no `when`", "`when: {value: name}`");
  }
  if (const MapEntry* null = fields.find("if_null")) {
    choice.if_null = read_name(draft, *null, kind, "`if_null`");
  }
  if (const MapEntry* otherwise = fields.find("otherwise")) {
    choice.otherwise = read_name(draft, *otherwise, kind, "`otherwise`");
  }
  if (draft.reader.fault_count() > before) return std::nullopt;
  return choice;
}

void read_labels(Draft& draft, Fields& fields, TableRule& rule, NodeRule& node) {
  auto labels = fields.texts("node");
  for (size_t i = 0; labels && i < labels->size(); ++i) {
    const Scalar& label = (*labels)[i];
    check_name(draft.reader, label, NameKind::label);
    if (i == 0) {
      node.label = label.text;
      draft.labels.push_back({label.mark, rule.table});
    } else {
      node.more_labels.push_back(label.text);
      draft.more_labels.push_back({label.mark, label.text});
      check_no_cypher(draft, rule, label.mark);
    }
  }
  const MapEntry* entry = fields.find("labels");
  if (entry == nullptr) return;
  check_no_cypher(draft, rule, entry->key.mark);
  node.labels = read_value_choice(draft, *entry, NameKind::label, rule.named);
  if (!node.labels) return;
  for (const std::string& name : node.labels->all()) {
    const auto& fixed = node.more_labels;
    if (name == node.label || std::find(fixed.begin(), fixed.end(), name) != fixed.end()) {
      draft.reader.fault(entry->key.mark, "every node of the table has the label `" + name + "`, and a value is to choose it",
                         "take it out of one of them");
    } else {
      draft.more_labels.push_back({entry->key.mark, name});
    }
  }
}

void read_types(Draft& draft, Fields& fields, TableRule& rule, RelationshipRule& relationship, YAML::Mark& mark) {
  const MapEntry* entry = fields.find("relationship");
  if (entry == nullptr) return;
  mark = entry->mark;
  if (!entry->value.IsMap()) {
    auto type = fields.text("relationship");
    if (!type) return;
    check_name(draft.reader, *type, NameKind::relationship_type);
    relationship.type = type->text;
    return;
  }
  relationship.types = read_value_choice(draft, *entry, NameKind::relationship_type, rule.named);
  if (rule.cypher) {
    draft.reader.fault(mark, "`cypher` stands in place of the generated upsert, which would choose the type",
                       "name one type, and let the statement choose");
  }
  if (!rule.version_column.empty()) {
    draft.reader.fault(mark, "a type that a value chooses cannot be guarded: a relationship of another type is another one",
                       "say `version: null`");
  }
}

// A label that finds nodes has a constraint and is cleared as a whole: nodes of another label that also have it would be taken
// along.
void check_more_labels(Draft& draft) {
  for (const NamedLabel& more : draft.more_labels) {
    for (const Label& label : draft.labels) {
      const TableRule* rule = draft.mapping.find(label.table);
      const auto* node = rule == nullptr ? nullptr : std::get_if<NodeRule>(&rule->form);
      if (node == nullptr || node->label != more.name) continue;
      draft.reader.fault(more.mark,
                         "the label `" + more.name + "` finds the nodes of the table in line " + std::to_string(rule->line) +
                             ", and cannot be a further one",
                         "give one of them another label");
      break;
    }
  }
}

}  // namespace cnx::mapping
