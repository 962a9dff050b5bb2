#include "pipeline/stale_properties.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "apply/node_properties.hpp"
#include "cypher/quote.hpp"
#include "pipeline/graph_form.hpp"
#include "pipeline/graph_keys.hpp"
#include "pipeline/sweep.hpp"
#include "telemetry/log.hpp"

namespace cnx::pipeline {
namespace {

using apply::TableState;
using cypher::quote;

constexpr Duration kStepMax = std::chrono::seconds(60);

TimePoint soon() { return Clock::now() + kStepMax; }

bool begins_with_any(const std::string& name, const std::vector<std::string>& prefixes) {
  return std::any_of(prefixes.begin(), prefixes.end(), [&](const std::string& prefix) { return name.starts_with(prefix); });
}

// Whether the table makes a property that `state` makes no more.
bool makes_stale(const TableState& table, const TableState& state) {
  const auto is_stale = [&](const std::string& name) {
    return std::find(state.stale_properties.begin(), state.stale_properties.end(), name) != state.stale_properties.end() ||
           begins_with_any(name, state.stale_prefixes);
  };
  return std::any_of(table.properties.begin(), table.properties.end(), is_stale) ||
         std::any_of(table.field_prefixes.begin(), table.field_prefixes.end(), is_stale) ||
         std::any_of(state.stale_properties.begin(), state.stale_properties.end(),
                     [&](const std::string& name) { return begins_with_any(name, table.field_prefixes); });
}

class StaleProperties {
 public:
  StaleProperties(CopyContext& context, bolt::Connection& graph, const apply::CopyOwner& owner, const TableState& state)
      : context_(context), catalog_(context.ground.catalog), graph_(graph), owner_(owner), state_(state) {}

  Result<std::vector<postgres::TableName>> remove(const std::optional<KeySource>& source) {
    std::vector<postgres::TableName> names;
    std::vector<const postgres::Table*> makers;
    for (const postgres::TableName& name : tables_beside(*catalog_.model, state_.name)) {
      const TableState* other = find_table(context_.ground.plan.states, name);
      if (other == nullptr || !makes_stale(*other, state_) || catalog_.absent.contains(name)) continue;
      if (catalog_.held.contains(name)) {
        const std::string table = postgres::to_string(state_.name), held = postgres::to_string(name);
        telemetry::log_warning("properties_kept",
                               fmt::format("properties that {} makes no more stay: {} makes them too and is held", table, held),
                               {{"table", table}, {"held", held}});
        return names;
      }
      names.push_back(name);
      makers.push_back(find_table(catalog_.tables, name));
    }
    if (makers.empty()) {
      CNX_TRY(for_each_form(*catalog_.model, state_.name, [&](const auto& form) { return clear_all(form); }));
    } else {
      CNX_TRY(for_each_slice(context_, makers, source, [&](const TableKeys& theirs) {
        return for_each_form(*catalog_.model, state_.name, [&](const auto& form) { return clear_all_but(form, theirs); });
      }));
    }
    return names;
  }

 private:
  Status clear_all(const mapping::NodeTable& node) { return clear_pages(node, clear("n"), kGraphPageNodes); }

  Status clear_all(const mapping::RelationshipTable& table) {
    const std::string path = "(n)-[r:" + quote(table.type) + "]->(:" + quote(table.end->node->label) + ")";
    return clear_pages(*table.start, "OPTIONAL MATCH " + path + clear("r"), kGraphPageStarts);
  }

  // Page by page in the order of the key's index; of relationships by their starts.
  Status clear_pages(const mapping::NodeTable& start, const std::string& what, int64_t limit) {
    const std::string key = "n." + quote(start.key_property);
    bolt::Value last;
    while (!context_.stop.asked) {
      const std::string text = "MATCH (n:" + quote(start.node->label) + ") WHERE " + key +
                               (last.is_null() ? " IS NOT NULL" : " > $last") + " WITH n ORDER BY " + key + " LIMIT $limit " + what +
                               " RETURN max(" + key + ")";
      bolt::Map page = parameters();
      page.add("last", last);
      page.add("limit", limit);
      CNX_TRY(bolt::QueryResult result, apply::run_owned(graph_, owner_, text, std::move(page), soon()));
      if (result.records.empty() || result.records.front().front().is_null()) return {};
      last = result.records.front().front();
    }
    return {};
  }

  // Of the keys that the graph has, those that no row of the others has.
  template <typename Form>
  Status clear_all_but(const Form& form, const TableKeys& theirs) {
    GraphKeys all(graph_, form);
    while (!context_.stop.asked) {
      CNX_TRY(std::vector<EntityKey> found, all.next());
      if (found.empty()) return {};
      bolt::List keys;
      for (const EntityKey& key : found) {
        if (!theirs.is_missing(key)) continue;
        bolt::List parts;
        for (const mapping::Key& part : key) parts.push_back(value_of(part));
        keys.push_back(std::move(parts));
      }
      if (keys.empty()) continue;
      bolt::Map page = parameters();
      page.add("keys", std::move(keys));
      CNX_TRY(apply::run_owned(graph_, owner_, "UNWIND $keys AS key MATCH " + by_key(form) + " RETURN count(*)", std::move(page), soon()));
    }
    return {};
  }

  std::string by_key(const mapping::NodeTable& node) const {
    return "(n:" + quote(node.node->label) + " {" + quote(node.key_property) + ": key[0]})" + clear("n");
  }

  std::string by_key(const mapping::RelationshipTable& table) const {
    const std::string own = table.key_is_pair ? "" : " {" + quote(mapping::kKeyProperty) + ": key[2]}";
    return "(:" + quote(table.start->node->label) + " {" + quote(table.start->key_property) + ": key[0]})-[r:" + quote(table.type) +
           own + "]->(:" + quote(table.end->node->label) + " {" + quote(table.end->key_property) + ": key[1]})" + clear("r");
  }

  std::string clear(const std::string& v) const {
    const std::string text = " SET " + v + " += $clear";
    if (state_.stale_prefixes.empty()) return text;
    return text + " FOREACH (field IN [f IN keys(" + v + ") WHERE any(p IN $stale WHERE f STARTS WITH p) AND NOT f IN $names" +
           " AND NOT any(p IN $prefixes WHERE f STARTS WITH p)] | SET " + v + "[field] = null)";
  }

  bolt::Map parameters() const {
    bolt::Map clear;
    for (const std::string& name : state_.stale_properties) clear.add(name, {});
    return {{"clear", std::move(clear)},
            {"stale", apply::list_of(state_.stale_prefixes)},
            {"names", apply::list_of(state_.properties)},
            {"prefixes", apply::list_of(state_.field_prefixes)}};
  }

  CopyContext& context_;
  Catalog& catalog_;
  bolt::Connection& graph_;
  const apply::CopyOwner& owner_;
  const TableState& state_;
};

}  // namespace

Result<std::vector<postgres::TableName>> remove_stale_properties(CopyContext& context, bolt::Connection& graph,
                                                                 const apply::CopyOwner& owner, const TableState& state,
                                                                 const std::optional<KeySource>& source) {
  if (state.stale_properties.empty() && state.stale_prefixes.empty()) return std::vector<postgres::TableName>();
  return StaleProperties(context, graph, owner, state).remove(source);
}

}  // namespace cnx::pipeline
