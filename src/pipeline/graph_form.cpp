#include "pipeline/graph_form.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "apply/node_properties.hpp"
#include "cypher/quote.hpp"
#include "cypher/text_parts.hpp"

namespace cnx::pipeline {
namespace {

using cypher::quote;
using nlohmann::json;
using Names = std::set<std::string>;

// Nodes or relationships a transaction: 2.4 kB of the server's memory each, so that a small heap takes it.
constexpr int64_t kRemovedAtOnce = 10'000;
constexpr Duration kStatementMax = std::chrono::seconds(60);

// Until there is nothing left.
Status repeat(bolt::Connection& graph, const apply::CopyOwner& owner, const std::string& statement, bolt::Map parameters) {
  parameters.add("limit", kRemovedAtOnce);
  while (true) {
    CNX_TRY(bolt::QueryResult result, apply::run_owned(graph, owner, statement, parameters, Clock::now() + kStatementMax));
    if (result.records.size() != 1 || result.records.front().empty()) {
      return fail(ErrorKind::malformed, "Neo4j answered a count with something else");
    }
    CNX_TRY(int64_t done, apply::integer_of(result.records.front().front()));
    if (done == 0) return {};
  }
}

std::string nodes_of(const GraphForm& form) {
  return "MATCH (n:" + quote(form.label) + ") WHERE n." + quote(form.key_property) + " IS NOT NULL";
}

std::string label_list(const Names& labels) {
  std::string list;
  for (const std::string& label : labels) list += ":" + quote(label);
  return list;
}

GraphForm::Link link_of(const json& value) {
  return {value.at(0).get<std::string>(), value.at(1).get<std::string>(), value.at(2).get<std::string>()};
}

json json_of(const GraphForm& form) {
  return {{"label", form.label},
          {"key", form.key_property},
          {"tenant", form.tenant_property},
          {"flattened", form.flattened},
          {"labels", form.more_labels}};
}

GraphForm nodes_form(const json& value) {
  GraphForm form;
  form.label = value.at("label").get<std::string>();
  form.key_property = value.at("key").get<std::string>();
  form.tenant_property = value.at("tenant").get<std::string>();
  form.flattened = value.at("flattened").get<Names>();
  form.more_labels = value.at("labels").get<Names>();
  return form;
}

// What of the nodes is fields of objects.
std::vector<cypher::Flattened> flattened_of(const GraphForm& form) {
  std::vector<cypher::Flattened> all;
  for (const std::string& property : form.flattened) all.push_back({.property = property});
  if (form.fields) {
    all.push_back({.property = std::string(mapping::kFieldsProperty),
                   .others = Names{form.key_property, form.tenant_property.empty() ? "_cnx_stub" : form.tenant_property, "_cnx_stub"}});
  }
  return all;
}

Status remove_lonely_stubs(bolt::Connection& graph, const apply::CopyOwner& owner, const GraphForm& form) {
  bolt::List ours{form.key_property, "_cnx_stub"};
  if (!form.tenant_property.empty()) ours.push_back(form.tenant_property);
  if (form.shared) {
    for (const std::string& name : form.properties) ours.push_back(name);
  }
  return repeat(graph, owner,
                nodes_of(form) + (form.shared ? "" : " AND n._cnx_stub IS NOT NULL") +
                    " AND COUNT {(n)--()} = 0 AND all(name IN keys(n) WHERE name IN $ours) WITH n LIMIT $limit DELETE n RETURN count(*)",
                {{"ours", ours}});
}

}  // namespace

GraphForm form_of(const mapping::NodeTable& table) {
  GraphForm form;
  form.label = table.node->label;
  form.key_property = table.key_property;
  form.tenant_property = table.tenant_property;
  const std::vector<std::string> flattened = mapping::flattened(table.node->properties.forms);
  form.flattened.insert(flattened.begin(), flattened.end());
  form.more_labels.insert(table.node->more_labels.begin(), table.node->more_labels.end());
  if (table.node->labels) form.more_labels.merge(table.node->labels->all());
  for (const mapping::ForeignKey& key : table.foreign_keys) {
    const std::string& other = key.other->node->label;
    const GraphForm::Link link = key.rule->incoming ? GraphForm::Link{key.rule->type, other, form.label}
                                                    : GraphForm::Link{key.rule->type, form.label, other};
    form.links.insert(link);
    GraphForm::Properties properties = properties_of(key.names);
    if (!properties.empty()) form.link_properties.insert_or_assign(link, std::move(properties));
  }
  form.fields = !table.own_names.empty();
  form.shared = table.shared;
  if (table.main != nullptr) form.properties = properties_of(table.names).names;
  for (const std::string& name : table.shared_properties) form.properties.insert({name, name + "__pg"});
  for (const std::string& name : {form.key_property, form.tenant_property}) form.properties.erase(name);
  return form;
}

GraphForm::Properties properties_of(const mapping::PropertyNames& met, const std::set<std::string>& left_out) {
  GraphForm::Properties properties;
  for (const mapping::PropertyName& each : met.all()) {
    if (left_out.contains(each.name)) continue;
    properties.names.insert(each.name);
    if (each.may_be_unfit) properties.names.insert(each.companion);
    if (!each.field_prefix.empty()) properties.prefixes.insert(each.field_prefix);
  }
  return properties;
}

void take_out(GraphForm::Properties& properties, const GraphForm::Properties& others) {
  std::erase_if(properties.names, [&](const std::string& name) { return others.names.contains(name); });
  std::erase_if(properties.prefixes, [&](const std::string& prefix) { return others.prefixes.contains(prefix); });
}

GraphForm form_of(const mapping::RelationshipTable& table) {
  GraphForm form;
  form.links.insert({table.type, table.start->node->label, table.end->node->label});
  return form;
}

GraphForm form_of(const mapping::Model& model, const mapping::TableName& table) {
  GraphForm form;
  for (const mapping::NodeTable& node : model.nodes()) {
    if (node.rule->table != table) continue;
    GraphForm made = form_of(node);
    if (node.main == nullptr) {
      form = std::move(made);
    } else {
      form.links.merge(std::exchange(made.links, {}));
      form.nodes.push_back(std::move(made));
    }
    std::set<std::string> labels;
    for (const mapping::ForeignKey& key : node.foreign_keys) {
      if (key.shared != nullptr && labels.insert(key.shared->node->label).second) form.nodes.push_back(form_of(*key.shared));
    }
  }
  for (const mapping::RelationshipTable& relationship : model.relationships()) {
    if (relationship.rule->table == table) form.links.merge(form_of(relationship).links);
  }
  return form;
}

std::set<mapping::TableName> tables_beside(const mapping::Model& model, const mapping::TableName& table) {
  const GraphForm form = form_of(model, table);
  std::set<mapping::TableName> beside;
  for (const mapping::TableRule& rule : model.mapping().tables) {
    if (rule.table == table) continue;
    const GraphForm other = form_of(model, rule.table);
    const bool same_label = !form.label.empty() && form.label == other.label;
    const bool same_link = std::any_of(form.links.begin(), form.links.end(),
                                       [&](const GraphForm::Link& link) { return other.links.contains(link); });
    if (same_label || same_link) beside.insert(rule.table);
  }
  return beside;
}

std::string to_text(const GraphForm& form) {
  json links = json::array();
  for (const GraphForm::Link& link : form.links) links.push_back({link.type, link.start, link.end});
  json properties = json::array();
  for (const auto& [link, each] : form.link_properties) {
    properties.push_back({link.type, link.start, link.end, each.names, each.prefixes});
  }
  json value = json_of(form);
  value["links"] = links;
  value["link_properties"] = properties;
  for (const GraphForm& node : form.nodes) {
    json made = json_of(node);
    made["properties"] = node.properties;
    made["fields"] = node.fields;
    made["shared"] = node.shared;
    value["nodes"].push_back(std::move(made));
  }
  return value.dump(-1, ' ', false, json::error_handler_t::replace);
}

Result<GraphForm> form_of(std::string_view text) {
  // The library throws; nothing else here does.
  try {
    const json value = json::parse(text);
    GraphForm form = nodes_form(value);
    for (const json& link : value.at("links")) {
      form.links.insert(link_of(link));
    }
    // A program before this one did not write them.
    const json link_properties = value.value("link_properties", json::array());
    for (const json& each : link_properties) {
      form.link_properties[link_of(each)] = {.names = each.at(3).get<Names>(), .prefixes = each.at(4).get<Names>()};
    }
    for (const json& each : value.value("nodes", json::array())) {
      GraphForm& node = form.nodes.emplace_back(nodes_form(each));
      node.properties = each.at("properties").get<Names>();
      node.fields = each.at("fields").get<bool>();
      node.shared = each.at("shared").get<bool>();
    }
    return form;
  } catch (const std::exception&) {
    return fail(Error(ErrorKind::state, "what the graph remembers of a table is not as this program writes it")
                    .advise("contextnexus drop --graph, then init and run build the graph anew"));
  }
}

Status remove_links(bolt::Connection& graph, const apply::CopyOwner& owner, const std::set<GraphForm::Link>& links) {
  for (const GraphForm::Link& link : links) {
    CNX_TRY(repeat(graph, owner,
                   "MATCH (:" + quote(link.start) + ")-[r:" + quote(link.type) + "]->(:" + quote(link.end) +
                       ") WITH r LIMIT $limit DELETE r RETURN count(*)",
                   {}));
  }
  return {};
}

Status remove_link_properties(bolt::Connection& graph, const apply::CopyOwner& owner,
                              const std::map<GraphForm::Link, GraphForm::Properties>& properties) {
  for (const auto& [link, stale] : properties) {
    const std::vector<std::string> names(stale.names.begin(), stale.names.end());
    const std::vector<std::string> prefixes(stale.prefixes.begin(), stale.prefixes.end());
    CNX_TRY(repeat(graph, owner,
                   "MATCH (:" + quote(link.start) + ")-[r:" + quote(link.type) + "]->(:" + quote(link.end) +
                       ") WITH r, [name IN keys(r) WHERE name IN $names OR any(prefix IN $prefixes WHERE name STARTS WITH prefix)]"
                       " AS stale WHERE size(stale) > 0 WITH r, stale LIMIT $limit FOREACH (name IN stale | SET r[name] = null)"
                       " RETURN count(*)",
                   {{"names", apply::list_of(names)}, {"prefixes", apply::list_of(prefixes)}}));
  }
  return {};
}

Status remove_labels(bolt::Connection& graph, const apply::CopyOwner& owner, const GraphForm& form, const Names& labels) {
  for (const std::string& label : labels) {
    CNX_TRY(repeat(graph, owner,
                   nodes_of(form) + " AND n:" + quote(label) + " WITH n LIMIT $limit REMOVE n:" + quote(label) + " RETURN count(*)", {}));
  }
  return {};
}

Status remove_form(bolt::Connection& graph, const apply::CopyOwner& owner, const GraphForm& form) {
  CNX_TRY(remove_links(graph, owner, form.links));
  if (form.label.empty()) return {};
  bolt::Map clear;
  for (const std::string& name : form.properties) clear.add(name, {});
  const std::string labels = form.more_labels.empty() ? "" : " REMOVE n" + label_list(form.more_labels);
  if (form.shared) return remove_lonely_stubs(graph, owner, form);
  // All become stubs; those that nothing needs go.
  CNX_TRY(repeat(graph, owner,
                 nodes_of(form) + " AND n._cnx_stub IS NULL WITH n LIMIT $limit SET n += $clear, n._cnx_stub = true" +
                     cypher::drop_fields("n", flattened_of(form)) + labels + " RETURN count(*)",
                 {{"clear", clear}}));
  return remove_lonely_stubs(graph, owner, form);
}

Status remove_lonely_stubs(bolt::Connection& graph, const apply::CopyOwner& owner, const mapping::Model& model) {
  for (const mapping::NodeTable& node : model.nodes()) CNX_TRY(remove_lonely_stubs(graph, owner, form_of(node)));
  return {};
}

}  // namespace cnx::pipeline
