// One table of a mapping file: the node or the relationship that its rows become.
#include <algorithm>
#include <array>
#include <utility>

#include "mapping/draft.hpp"
#include "mapping/keys.hpp"

namespace cnx::mapping {
namespace {

// Columns that the graph needs cannot be left out: the key finds the node, the version guards it,
// the tenant owns it.
void check_excluded(Draft& draft, const std::vector<Scalar>& excluded, const TableRule& rule,
                    const NodeRule& node) {
  for (const Scalar& column : excluded) {
    bool key = node.key.size() == 1 && node.key.front() == column.text;
    if (!key && column.text != rule.version_column && column.text != rule.tenant_column) continue;
    draft.reader.fault(column.mark, "`" + column.text + "` is the table's " +
                                        (key                                  ? "key"
                                         : column.text == rule.version_column ? "version"
                                                                              : "tenant") +
                                        " and cannot be excluded");
  }
}

void read_column_choice(Draft& draft, Fields& fields, TableRule& rule, NodeRule& node) {
  PropertyRules& properties = node.properties;
  auto include = fields.texts("include");
  auto exclude = fields.texts("exclude");
  if (include && exclude) {
    draft.reader.fault(fields.find("exclude")->key.mark, "`include` and `exclude` in one table",
                       "`include` lists the only columns to be taken");
  }
  if (include) {
    properties.all = false;
    for (const Scalar& column : *include) properties.included.insert(column.text);
    rule.named.insert(properties.included.begin(), properties.included.end());
  }
  if (exclude) {
    for (const Scalar& column : *exclude) properties.excluded.insert(column.text);
    rule.named.insert(properties.excluded.begin(), properties.excluded.end());
    check_excluded(draft, *exclude, rule, node);
  }
}

void read_node(Draft& draft, const TableEntry& entry, TableRule rule) {
  Fields fields(draft.reader, entry.entries, "a node", keys::kNode, keys::kRelationship);
  NodeRule node;
  read_common(draft, fields, rule);
  read_labels(draft, fields, rule, node);
  if (auto key = fields.texts("key")) {
    node.key = plain(*key);
  } else if (fields.find("key") == nullptr) {
    node.key = draft.defaults.key;
    if (node.key.empty()) {
      draft.reader.fault(entry.mark, "the node of `" + entry.handle + "` has no key",
                         "add `key:`, the columns that identify a row");
    }
  }
  rule.named.insert(node.key.begin(), node.key.end());
  read_column_choice(draft, fields, rule, node);
  const MapEntry* properties = fields.find("properties");
  if (properties != nullptr) read_node_properties(draft, *properties, node.properties, rule.named);
  YAML::Mark mark = properties != nullptr ? properties->key.mark : entry.mark;
  settle_properties(draft, rule, node, mark);
  check_properties(draft, node, rule, mark);
  if (const MapEntry* links = fields.find("relationships")) {
    read_foreign_keys(draft, *links, rule, node);
  }
  if (const MapEntry* nodes = fields.find("nodes")) read_nodes(draft, *nodes, rule, node);
  if (const MapEntry* indexes = fields.find("indexes")) {
    read_indexes(draft, *indexes, rule, {"(:" + node.label + ")"});
  }
  rule.form = std::move(node);
  draft.mapping.tables.push_back(std::move(rule));
}

// Whether the key is exactly the two ends' columns: then the pair identifies the row.
bool is_pair(const RelationshipRule& relationship) {
  std::set<std::string> key(relationship.key.begin(), relationship.key.end());
  std::set<std::string> ends(relationship.start.columns.begin(), relationship.start.columns.end());
  ends.insert(relationship.end.columns.begin(), relationship.end.columns.end());
  return key == ends;
}

void read_relationship(Draft& draft, const TableEntry& entry, TableRule rule) {
  Fields fields(draft.reader, entry.entries, "a relationship", keys::kRelationship, keys::kNode);
  RelationshipRule relationship;
  read_common(draft, fields, rule);
  YAML::Mark mark = entry.mark;
  read_types(draft, fields, rule, relationship, mark);
  std::optional<RelationshipEnd> ends[2];
  constexpr std::array kSides = {keys::Word("from"), keys::Word("to")};
  for (size_t i = 0; i < kSides.size(); ++i) {
    if (const MapEntry* end = fields.find(kSides[i])) {
      ends[i] = read_end(draft, *end, rule.named);
    } else {
      draft.reader.fault(entry.mark, "the relationship of `" + entry.handle + "` has no `" +
                                         std::string(kSides[i]) + "`");
    }
  }
  if (const MapEntry* properties = fields.find("properties")) {
    relationship.properties = read_property_columns(draft, *properties, rule.named);
  }
  if (const MapEntry* indexes = fields.find("indexes")) {
    std::vector<std::string> on;
    for (const std::string& type : relationship.all_types()) on.push_back("[:" + type + "]");
    read_indexes(draft, *indexes, rule, on);
  }
  auto key = fields.texts("key");
  if (!ends[0] || !ends[1]) return;
  relationship.start = *std::move(ends[0]);
  relationship.end = *std::move(ends[1]);
  if (key) {
    relationship.key = plain(*key);
  } else {
    relationship.key = relationship.start.columns;
    for (const std::string& column : relationship.end.columns) {
      if (std::find(relationship.key.begin(), relationship.key.end(), column) ==
          relationship.key.end()) {
        relationship.key.push_back(column);
      }
    }
  }
  rule.named.insert(relationship.key.begin(), relationship.key.end());
  // The guard compares with the version in the graph, so it is kept there.
  bool has_version = rule.version_column.empty();
  for (const auto& [property, column] : relationship.properties.columns) {
    if (column != rule.version_column || has_version) continue;
    has_version = true;
    check_forms(draft, relationship.properties.forms, property, "version", mark);
  }
  if (!has_version) {
    relationship.properties.columns.emplace(property_name(draft.mapping.naming, rule.version_column),
                                            rule.version_column);
  }
  // So is the time by which the last write wins.
  const std::string& timestamp = rule.conflict.timestamp_column;
  const bool has_timestamp = !rule.named.contains(timestamp) || std::any_of(relationship.properties.columns.begin(), relationship.properties.columns.end(),
                                                              [&](const auto& each) { return each.second == timestamp; });
  if (!has_timestamp) {
    relationship.properties.columns.emplace(property_name(draft.mapping.naming, timestamp), timestamp);
  }
  for (const std::string& type : relationship.all_types()) {
    draft.edges.push_back({mark, rule.table, type, relationship.start.table, relationship.end.table, false, false,
                           is_pair(relationship)});
  }
  rule.form = std::move(relationship);
  draft.mapping.tables.push_back(std::move(rule));
}

void read_unmapped(Draft& draft, const TableEntry& entry) {
  Fields fields(draft.reader, entry.entries, "a table without a form in the graph", keys::kUnmapped,
                keys::kNode);
  if (auto graph = fields.text("graph"); graph && graph->text != "none") {
    draft.reader.fault(graph->mark, "`graph` is `none`, or not said");
  }
  draft.mapping.unmapped.push_back(entry.table);
}

}  // namespace

void settle_properties(Draft& draft, const TableRule& rule, NodeRule& node,
                       const YAML::Mark& mark) {
  PropertyRules& properties = node.properties;
  std::set<std::string> kept(node.key.begin(), node.key.end());
  if (!rule.version_column.empty()) kept.insert(rule.version_column);
  if (!rule.tenant_column.empty()) kept.insert(rule.tenant_column);
  if (rule.named.contains(rule.conflict.timestamp_column)) kept.insert(rule.conflict.timestamp_column);
  for (const Scalar& column : draft.defaults.exclude) {
    bool wanted = kept.contains(column.text) || properties.included.contains(column.text);
    if (!wanted) properties.excluded.insert(column.text);
  }
  if (!properties.all) properties.included.insert(kept.begin(), kept.end());

  std::map<std::string, std::string> renamed = std::exchange(properties.renamed, {});
  for (const auto& [property, column] : renamed) {
    auto own = renamed.find(property_name(draft.mapping.naming, column));
    bool keeps_own = own != renamed.end() && own->second == column;
    if (!keeps_own) {
      properties.excluded.insert(column);
      properties.included.erase(column);
    }
    if (keeps_own && own->first == property) {
      properties.excluded.erase(column);
      if (!properties.all) properties.included.insert(column);
    } else {
      properties.renamed.emplace(property, column);
    }
  }

  if (rule.tenant_column.empty()) return;
  const std::string& tenant_property = draft.mapping.tenant_property;
  auto names = properties_of(properties, draft.mapping.naming, rule.tenant_column);
  if (std::find(names.begin(), names.end(), tenant_property) != names.end()) return;
  auto [at, is_new] = properties.renamed.emplace(tenant_property, rule.tenant_column);
  if (!is_new) {
    draft.reader.fault(mark, "`" + tenant_property + "` is made of `" + at->second +
                                 "`, and the table's tenant is `" + rule.tenant_column + "`");
  }
}

void check_properties(Draft& draft, const NodeRule& node, const TableRule& rule,
                      const YAML::Mark& mark) {
  std::map<std::string, std::string> makers;
  const AskedForms& forms = node.properties.forms;
  auto make = [&](const std::string& property, const std::string& maker) {
    if (auto owner = field_owner(forms, property)) fault_field(draft, property, *owner, mark);
    auto [first, is_new] = makers.emplace(property, maker);
    if (is_new) return;
    draft.reader.fault(
        mark, "the property `" + property + "` is made of " + first->second + " and of " + maker,
        "give one of them another name, or exclude the column");
  };
  for (const std::string& column : rule.named) {
    for (const std::string& property :
         properties_of(node.properties, draft.mapping.naming, column)) {
      make(property, "`" + column + "`");
      // Names that the file gives were checked where they stand.
      bool given = node.properties.renamed.contains(property);
      if (!given) check_name(draft.reader, {property, mark}, NameKind::property);
    }
  }
  for (const ComputedProperty& computed : node.properties.computed) {
    make(computed.property, "a template");
  }
  for (const auto& [property, value] : node.properties.constants) make(property, "a constant");
  auto keeps_form = [&](const std::string& column, const char* what) {
    auto names = properties_of(node.properties, draft.mapping.naming, column);
    if (!names.empty()) check_forms(draft, forms, names.front(), what, mark);
  };
  if (node.key.size() == 1) keeps_form(node.key.front(), "key");
  if (!rule.version_column.empty()) keeps_form(rule.version_column, "version");
  if (!rule.tenant_column.empty()) check_forms(draft, forms, draft.mapping.tenant_property, "tenant", mark);
}

void check_name(YamlReader& reader, const Scalar& name, NameKind kind) {
  constexpr std::string_view kPrefix = "_cnx_";
  constexpr std::string_view kSuffix = "__pg";
  constexpr std::string_view kLabels = "ContextNexus";
  std::string_view text = name.text;
  if (text.starts_with(kPrefix)) {
    reader.fault(name.mark,
                 "`" + name.text + "`: names that begin with `_cnx_` belong to the engine");
  } else if (text.ends_with(kSuffix)) {
    reader.fault(name.mark, "`" + name.text + "`: names that end with `__pg` belong to the engine");
  } else if (kind == NameKind::label && text.starts_with(kLabels)) {
    reader.fault(name.mark,
                 "`" + name.text + "`: labels that begin with `ContextNexus` belong to the engine");
  }
}

void read_table(Draft& draft, const TableEntry& entry) {
  TableRule rule;
  rule.table = entry.table;
  rule.line = entry.mark.line + 1;
  switch (entry.form) {
    case Form::node:
      return read_node(draft, entry, std::move(rule));
    case Form::relationship:
      return read_relationship(draft, entry, std::move(rule));
    case Form::unmapped:
      return read_unmapped(draft, entry);
    case Form::unknown:
      return;
  }
}

}  // namespace cnx::mapping
