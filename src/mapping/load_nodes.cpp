// The `nodes` of a table: what a row has beside its node, each joined to that by a relationship. Without a `key` of its own a
// node is the row's alone; with one, all rows that name it share it.
#include <algorithm>
#include <utility>

#include "mapping/draft.hpp"
#include "mapping/keys.hpp"

namespace cnx::mapping {
namespace {

constexpr const char* kForm = "write `- TYPE: {to: Label, properties: [column]}`";

// The labels, under `to` or `from`.
struct Labels {
  bool to = true;  // From the row's node to this one; else the other way.
  std::vector<Scalar> names;
};

std::optional<Labels> read_end_labels(Draft& draft, Fields& fields, const MapEntry& field, const std::string& what) {
  const MapEntry* to = fields.find("to");
  const MapEntry* from = fields.find("from");
  if ((from == nullptr) == (to == nullptr)) {
    draft.reader.fault(field.key.mark, what + " needs either `to` or `from`", "its label, or a list of labels");
    return std::nullopt;
  }
  const MapEntry& entry = to != nullptr ? *to : *from;
  if (entry.value.IsMap()) {
    draft.reader.fault(entry.mark, "`" + entry.key.text + "` names the label of a node that the row makes",
                       "what leads to another table's node stands under `relationships`");
    return std::nullopt;
  }
  auto names = fields.texts(entry.key.text);
  if (!names) return std::nullopt;
  for (const Scalar& name : *names) check_name(draft.reader, name, NameKind::label);
  return Labels{to != nullptr, *std::move(names)};
}

std::vector<std::string> further(const Labels& labels) {
  std::vector<std::string> names = plain(labels.names);
  names.erase(names.begin());
  return names;
}

// Property → column.
std::map<std::string, std::string> read_key(Draft& draft, const MapEntry* entry, std::set<std::string>& named) {
  if (entry == nullptr) return {};
  if (entry->value.IsScalar()) {
    auto column = draft.reader.text(entry->value, entry->mark, "`key`");
    if (!column) return {};
    const std::string property = property_name(draft.mapping.naming, column->text);
    check_name(draft.reader, {property, column->mark}, NameKind::property);
    named.insert(column->text);
    return {{property, column->text}};
  }
  const size_t before = draft.reader.fault_count();
  ListedProperties listed = read_property_columns(draft, *entry, named);
  if (listed.empty() && draft.reader.fault_count() == before) {
    draft.reader.fault(entry->mark, "`key` is empty", "without `key` each row has a node for itself");
  }
  if (!listed.forms.empty() || !listed.constants.empty()) {
    draft.reader.fault(entry->mark, "the columns of a `key` keep the form of their type", "write `key: {property: column}`");
  }
  return std::move(listed.columns);
}

void read_fields(Draft& draft, Fields& fields, PropertyRules& properties, std::set<std::string>& named) {
  auto column = fields.text("fields");
  if (!column) return;
  properties.fields = column->text;
  named.insert(column->text);
  // Where the object does not fit, its text stands under the column's name.
  const std::string property = property_name(draft.mapping.naming, column->text);
  const bool made = properties.renamed.contains(property) || properties.constants.contains(property) ||
                    std::any_of(properties.computed.begin(), properties.computed.end(),
                                [&](const ComputedProperty& each) { return each.property == property; });
  if (!flattened(properties.forms).empty()) {
    draft.reader.fault(column->mark, "the node has `fields`, and a property of it is flattened",
                       "give each object a node of its own");
  }
  if (made) {
    draft.reader.fault(column->mark, "the node has a property `" + property + "` beside the fields of `" + column->text + "`",
                       "give the property another name");
  }
}

void read_own(Draft& draft, Fields& fields, const MapEntry& field, const Labels& labels,
              const std::map<std::string, std::string>& key, TableRule& rule, NodeRule& node) {
  NodeRule part;
  part.label = labels.names.front().text;
  part.more_labels = further(labels);
  part.key = node.key;
  part.properties.all = false;
  const MapEntry* properties = fields.find("properties");
  if (properties != nullptr) read_part_properties(draft, *properties, part.properties, rule.named);
  read_fields(draft, fields, part.properties, rule.named);
  const YAML::Mark mark = properties != nullptr ? properties->key.mark : field.key.mark;
  for (const auto& [property, column] : key) {
    auto [made, is_new] = part.properties.renamed.emplace(property, column);
    if (!is_new && made->second != column) draft.reader.fault(mark, "the property `" + property + "` is made twice");
  }
  settle_properties(draft, rule, part, mark);
  check_properties(draft, part, rule, mark);
  part.relationships.push_back({.type = field.key.text,
                                .columns = node.key,
                                .other = rule.table,
                                .incoming = labels.to,
                                .properties = {}});
  draft.part_labels.push_back({labels.names.front().mark, part.label, std::nullopt});
  node.parts.push_back(std::move(part));
}

void read_shared(Draft& draft, Fields& fields, const MapEntry& field, const Labels& labels,
                 const std::map<std::string, std::string>& key, NodeRule& node) {
  for (const char* word : {"properties", "fields"}) {
    const MapEntry* entry = fields.find(word);
    if (entry == nullptr) continue;
    draft.reader.fault(entry->key.mark, "rows that share the node `" + labels.names.front().text + "` may say different things of it",
                       "leave `" + std::string(word) + "` out, or leave `key` out: then each row has a node of its own");
  }
  ForeignKeyRule link{.type = field.key.text, .columns = {}, .other = {}, .incoming = !labels.to, .properties = {}};
  SharedNodeRule shared{.label = labels.names.front().text, .more_labels = further(labels), .properties = {}};
  for (const auto& [property, column] : key) {
    shared.properties.push_back(property);
    link.columns.push_back(column);
    if (property != draft.mapping.tenant_property) continue;
    draft.reader.fault(fields.find("key")->mark, "`" + property + "` says whose a node is, and cannot be of its `key`",
                       "a table with a tenant has shared nodes for each tenant as it is");
  }
  for (const ForeignKeyRule& other : node.relationships) {
    if (!other.shared || other.shared->label != shared.label || other.type != link.type || other.incoming != link.incoming) continue;
    draft.reader.fault(field.key.mark, "the table makes `" + link.type + "` to `" + shared.label + "` already",
                       "each would remove what the other made; give one of them another type");
  }
  draft.part_labels.push_back({labels.names.front().mark, shared.label, shared});
  link.shared = std::move(shared);
  node.relationships.push_back(std::move(link));
}

void read_item(Draft& draft, const MapEntry& field, TableRule& rule, NodeRule& node) {
  check_name(draft.reader, field.key, NameKind::relationship_type);
  const std::string what = "the node of `" + field.key.text + "`";
  auto map = draft.reader.map(field.value, field.mark, what);
  if (!map) return;
  Fields fields(draft.reader, *std::move(map), what, keys::kPart, keys::kNode);
  auto labels = read_end_labels(draft, fields, field, what);
  const MapEntry* key_entry = fields.find("key");
  const size_t before = draft.reader.fault_count();
  const std::map<std::string, std::string> key = read_key(draft, key_entry, rule.named);
  if (!labels || draft.reader.fault_count() > before) return;
  for (size_t i = 1; i < labels->names.size(); ++i) {
    draft.more_labels.push_back({labels->names[i].mark, labels->names[i].text});
  }
  if (const MapEntry* indexes = fields.find("indexes")) {
    const std::string& label = labels->names.front().text;
    read_indexes(draft, *indexes, rule, {"(:" + label + ")"}, label);
  }
  std::set<std::string> columns;
  for (const auto& [property, column] : key) columns.insert(column);
  if (columns.empty() || columns == std::set<std::string>(node.key.begin(), node.key.end())) {
    read_own(draft, fields, field, *labels, key, rule, node);
  } else {
    read_shared(draft, fields, field, *labels, key, node);
  }
}

const NodeRule* finder_of(const Draft& draft, const Label& label) {
  const TableRule* rule = draft.mapping.find(label.table);
  return rule == nullptr ? nullptr : std::get_if<NodeRule>(&rule->form);
}

std::string place(const YAML::Mark& mark) { return " in line " + std::to_string(mark.line + 1); }

}  // namespace

void read_nodes(Draft& draft, const MapEntry& field, TableRule& rule, NodeRule& node) {
  if (rule.cypher) {
    draft.reader.fault(field.key.mark, "`cypher` stands in place of the generated upsert, which would make the other nodes",
                       "leave `nodes` out, and let the statement make them");
  }
  if (!field.value.IsSequence()) {
    draft.reader.fault(field.mark, "`nodes` must be a list", kForm);
    return;
  }
  for (const auto& item : field.value) {
    auto map = draft.reader.map(item, field.mark, "a further node");
    if (!map) continue;
    if (map->size() == 1) {
      read_item(draft, map->front(), rule, node);
      continue;
    }
    const YAML::Mark mark = map->empty() ? field.mark : map->front().key.mark;
    draft.reader.fault(mark, "an item of `nodes` has one key, the type of its relationship", kForm);
  }
}

// Nodes of one label are found by one key: those of two rules may have the same.
void check_part_labels(Draft& draft) {
  constexpr const char* kCure = "name a label of its own first, and behind it one that others may have too: `[HomeAddress, Address]`";
  for (size_t i = 0; i < draft.part_labels.size(); ++i) {
    const PartLabel& mine = draft.part_labels[i];
    for (const Label& label : draft.labels) {
      const NodeRule* finder = finder_of(draft, label);
      if (finder == nullptr || finder->label != mine.label) continue;
      draft.reader.fault(mine.mark, "the label `" + mine.label + "` finds the nodes of the table" + place(label.mark),
                         "give one of them another label");
      break;
    }
    for (size_t k = 0; k < i; ++k) {
      const PartLabel& other = draft.part_labels[k];
      if (other.label != mine.label || (mine.shared && other.shared == mine.shared)) continue;
      const bool both = mine.shared && other.shared;
      draft.reader.fault(mine.mark,
                         both ? "the label `" + mine.label + "` has another key, or other labels beside it," + place(other.mark)
                              : "the label `" + mine.label + "` finds other nodes" + place(other.mark),
                         both ? "nodes that several rules share have one form" : kCure);
      break;
    }
  }
  for (const NamedLabel& more : draft.more_labels) {
    for (const PartLabel& part : draft.part_labels) {
      if (part.label != more.name) continue;
      draft.reader.fault(more.mark, "the label `" + more.name + "` finds the nodes" + place(part.mark) + ", and cannot be a further one",
                         kCure);
      break;
    }
  }
}

}  // namespace cnx::mapping
