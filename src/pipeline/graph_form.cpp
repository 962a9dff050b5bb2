#include "pipeline/graph_form.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "cypher/quote.hpp"

namespace cnx::pipeline {
namespace {

using cypher::quote;
using nlohmann::json;

constexpr int64_t kRemovedAtOnce = 10'000;
constexpr Duration kStatementMax = std::chrono::seconds(60);

// Until there is nothing left.
Status repeat(bolt::Connection& graph, const apply::CopyOwner& owner, const std::string& statement, bolt::Map parameters) {
  parameters.add("limit", kRemovedAtOnce);
  while (true) {
    CNX_TRY(bolt::QueryResult result, apply::run_owned(graph, owner, statement, parameters, Clock::now() + kStatementMax));
    const int64_t* done = result.records.empty() || result.records.front().empty()
                              ? nullptr
                              : result.records.front().front().get_if<int64_t>();
    if (done == nullptr || *done == 0) return {};
  }
}

}  // namespace

GraphForm form_of(const mapping::NodeTable& table) {
  GraphForm form;
  form.label = table.node->label;
  form.key_property = table.key_property;
  for (const mapping::ForeignKey& key : table.foreign_keys) {
    const std::string& other = key.other->node->label;
    form.links.insert(key.rule->incoming ? GraphForm::Link{key.rule->type, other, form.label}
                                         : GraphForm::Link{key.rule->type, form.label, other});
  }
  return form;
}

GraphForm form_of(const mapping::RelationshipTable& table) {
  GraphForm form;
  form.links.insert({table.type, table.start->node->label, table.end->node->label});
  return form;
}

std::string to_text(const GraphForm& form) {
  json links = json::array();
  for (const GraphForm::Link& link : form.links) links.push_back({link.type, link.start, link.end});
  return json{{"label", form.label}, {"key", form.key_property}, {"links", links}}.dump(-1, ' ', false,
                                                                                        json::error_handler_t::replace);
}

Result<GraphForm> form_of(std::string_view text) {
  try {
    const json value = json::parse(text);
    GraphForm form;
    form.label = value.at("label").get<std::string>();
    form.key_property = value.at("key").get<std::string>();
    for (const json& link : value.at("links")) {
      form.links.insert({link.at(0).get<std::string>(), link.at(1).get<std::string>(), link.at(2).get<std::string>()});
    }
    return form;
  } catch (const std::exception&) {
    return fail(Error(ErrorKind::state, "what the graph remembers of a table is not as this program writes it")
                    .advise("contextnexus drop --graph, then init and run build the graph anew"));
  }
}

GraphForm outdated(const GraphForm& before, const GraphForm& now) {
  GraphForm left;
  if (before.label != now.label || before.key_property != now.key_property) {
    left.label = before.label;
    left.key_property = before.key_property;
    left.properties = before.properties;
  }
  std::set_difference(before.links.begin(), before.links.end(), now.links.begin(), now.links.end(),
                      std::inserter(left.links, left.links.end()));
  return left;
}

Status remove_form(bolt::Connection& graph, const apply::CopyOwner& owner, const GraphForm& form) {
  for (const GraphForm::Link& link : form.links) {
    CNX_TRY(repeat(graph, owner,
                   "MATCH (:" + quote(link.start) + ")-[r:" + quote(link.type) + "]->(:" + quote(link.end) +
                       ") WITH r LIMIT $limit DELETE r RETURN count(*)",
                   {}));
  }
  if (form.label.empty()) return {};
  const std::string nodes = "MATCH (n:" + quote(form.label) + ") WHERE n." + quote(form.key_property) + " IS NOT NULL ";
  bolt::Map clear;
  bolt::List ours{form.key_property, "_cnx_stub"};
  for (const std::string& name : form.properties) {
    clear.add(name, {});
    ours.push_back(name);
  }
  CNX_TRY(repeat(graph, owner, nodes + "AND COUNT {(n)--()} = 0 AND all(name IN keys(n) WHERE name IN $ours) "
                               "WITH n LIMIT $limit DELETE n RETURN count(*)",
                 {{"ours", ours}}));
  return repeat(graph, owner, nodes + "AND n._cnx_stub IS NULL WITH n LIMIT $limit SET n += $clear, n._cnx_stub = true "
                                      "RETURN count(*)",
                {{"clear", clear}});
}

}  // namespace cnx::pipeline
