#include "cypher/text_parts.hpp"

#include "cypher/quote.hpp"

namespace cnx::cypher {
namespace {

using mapping::NodeTable;

// The language of the texts, so that a server whose default is another reads them alike. A text is planned once: each that is
// about rows starts from a key, so that its plan does not depend on how large the graph is, and a growing graph makes every
// plan stale again and again (Operations Manual, dbms.cypher.statistics_divergence_threshold).
constexpr std::string_view kOptions = "CYPHER 5 replan=skip ";
constexpr std::string_view kStub = "_cnx_stub";

}  // namespace

std::string text(std::string body) {
  return std::string(kOptions) + body;
}

std::optional<std::string_view> body_of(std::string_view text) {
  if (!text.starts_with(kOptions)) return std::nullopt;
  return text.substr(kOptions.size());
}

std::string node_pattern(std::string_view variable, const NodeTable& table,
                         std::string_view value) {
  return "(" + std::string(variable) + ":" + quote(table.node->label) + " {" +
         quote(table.key_property) + ": " + std::string(value) + "})";
}

// Without the hint the planner may read the whole index, where the server has not yet counted what is in it.
std::string match_node(std::string_view variable, const NodeTable& table, std::string_view value) {
  return "MATCH " + node_pattern(variable, table, value) + " USING INDEX SEEK " + std::string(variable) + ":" +
         quote(table.node->label) + "(" + quote(table.key_property) + ")";
}

std::string match_own_key(const mapping::RelationshipTable& table) {
  const std::string type = "r:" + quote(table.type);
  const std::string key = quote(mapping::kKeyProperty);
  return "MATCH (a)-[" + type + " {" + key + ": row.y}]->(b) USING INDEX SEEK " + type + "(" + key + ")";
}

std::string each_between(const std::string& arrow) {
  return " UNWIND [(a)" + arrow + "(b) | r] AS r";
}

// The planner takes a CASE for no predicate of its own, so that it cannot start from all nodes of the label (it does, where
// there are few at the moment), whatever the graph will hold later.
std::string only_where(const std::string& label, const std::string& condition) {
  return "CASE WHEN " + label + " THEN " + condition + " ELSE false END";
}

// The names as a list of strings. A string literal would need rules of its own for what is inside
// it; the keys of a map are names.
std::string name_list(const std::set<std::string>& names) {
  std::string map;
  for (const std::string& name : names) map += (map.empty() ? "" : ", ") + quote(name) + ": 0";
  return "keys({" + map + "})";
}

namespace {

// A name as a string.
std::string name_text(const std::string& name) {
  return name_list({name}) + "[0]";
}

// "[k IN keys(variable) WHERE …]", as properties that go.
std::string drop_names(std::string_view variable, const std::string& condition) {
  const std::string v(variable);
  return " FOREACH (field IN [k IN keys(" + v + ") WHERE " + condition + "] | SET " + v + "[field] = null)";
}

}  // namespace

std::vector<Flattened> flattened(const mapping::AskedForms& forms) {
  std::vector<Flattened> all;
  for (std::string& property : mapping::flattened(forms)) all.push_back({.property = std::move(property)});
  return all;
}

std::vector<Flattened> flattened(const NodeTable& table) {
  std::vector<Flattened> all = flattened(table.node->properties.forms);
  if (table.own_names.empty()) return all;
  all.push_back({.property = std::string(mapping::kFieldsProperty), .others = table.own_names});
  return all;
}

std::string is_field(const std::string& name, const std::vector<Flattened>& flattened) {
  std::string condition;
  for (const Flattened& each : flattened) {
    condition += condition.empty() ? "" : " OR ";
    condition += each.others ? "NOT " + name + " IN " + name_list(*each.others)
                             : name + " STARTS WITH " + name_text(mapping::field_prefix(each.property));
  }
  return condition.empty() ? "false" : condition;
}

std::string drop_vanished(std::string_view variable, std::string_view row, const std::vector<Flattened>& flattened,
                          const std::string& refused) {
  std::string text;
  const std::string told = "keys(" + std::string(row) + ")";
  for (const Flattened& each : flattened) {
    std::string condition = is_field("k", {each}) + " AND NOT k IN " + told + " AND " + name_text(each.property) + " IN " + told;
    if (!refused.empty()) condition += " AND NOT " + refused;
    text += drop_names(variable, condition);
  }
  return text;
}

std::string drop_fields(std::string_view variable, const std::vector<Flattened>& flattened) {
  return flattened.empty() ? std::string() : drop_names(variable, is_field("k", flattened));
}

std::string set_labels(std::string_view variable, const NodeTable& table, const std::string& refused) {
  const std::string v(variable);
  std::string text;
  for (const std::string& label : table.node->more_labels) text += (text.empty() ? " SET " + v + ":" : ":") + quote(label);
  if (!table.node->labels) return text;
  const std::string silent = refused.empty() ? "row.l IS NULL" : "row.l IS NULL OR " + refused;
  const std::string none = "CASE WHEN " + silent + " THEN [] ELSE ";
  return text + " REMOVE " + v + ":$(" + none + "[l IN " + name_list(table.node->labels->all()) + " WHERE NOT l IN row.l] END) SET " +
         v + ":$(" + none + "row.l END)";
}

std::string drop_labels(std::string_view variable, const NodeTable& table) {
  std::set<std::string> labels(table.node->more_labels.begin(), table.node->more_labels.end());
  if (table.node->labels) labels.merge(table.node->labels->all());
  std::string text;
  for (const std::string& label : labels) text += (text.empty() ? " REMOVE " + std::string(variable) + ":" : ":") + quote(label);
  return text;
}

std::set<std::string> stub_properties(const NodeTable& table) {
  std::set<std::string> names{table.key_property, std::string(kStub)};
  if (!table.tenant_property.empty()) names.insert(table.tenant_property);
  for (const std::string& name : table.shared_properties) names.insert({name, name + "__pg"});
  return names;
}

// Continues a statement in which `variable` is bound to nodes that just lost a relationship of
// ours: a stub goes with its last relationship, unless somebody else's properties hang on it.
std::string drop_lonely_stubs(std::string_view variable, const std::set<std::string>& ours) {
  std::string v(variable);
  return " WITH DISTINCT " + v + " WHERE COUNT {(" + v + ")--()} = 0 AND all(name IN keys(" + v +
         ") WHERE name IN " + name_list(ours) + ") DELETE " + v;
}

std::string count_done(const std::string& goes, const std::set<std::string>& ours) {
  return " WITH collect(ends) AS all, count(*) AS done"
         " CALL { WITH all UNWIND all AS ends UNWIND ends AS p WITH DISTINCT p WHERE " + goes +
         " AND COUNT {(p)--()} = 0 AND all(name IN keys(p) WHERE name IN " + name_list(ours) +
         ") DELETE p RETURN count(*) AS dropped } RETURN done";
}

std::string fail_above_max(std::string_view total) {
  return " WITH " + std::string(total) + " AS total RETURN CASE WHEN total > $max THEN 1/0 ELSE total END";
}

std::string is_for_ends(std::string_view variable, const NodeTable& table) {
  return std::string(variable) + (table.shared ? " IS NOT NULL" : "." + quote(kStub));
}

std::string on_create_stub(std::string_view variable, const NodeTable& table,
                           std::string_view tenant) {
  std::string v(variable);
  if (table.shared) {
    std::string made = table.shared_properties.empty() ? "" : v + " += " + std::string(tenant);
    for (const std::string& label : table.node->more_labels) made += (made.empty() ? "" : ", ") + v + ":" + quote(label);
    return made.empty() ? made : " ON CREATE SET " + made;
  }
  std::string set = " ON CREATE SET " + v + "." + quote(kStub) + " = true";
  if (!table.tenant_property.empty())
    set += ", " + v + "." + quote(table.tenant_property) + " = " + std::string(tenant);
  return set;
}

}  // namespace cnx::cypher
