#include "pipeline/adopt.hpp"

#include <fmt/format.h>

#include "cypher/text_parts.hpp"
#include "pipeline/graph_form.hpp"
#include "pipeline/graph_keys.hpp"
#include "telemetry/log.hpp"

namespace cnx::pipeline {
namespace {

constexpr Duration kStatementMax = std::chrono::seconds(60);
// Of one label, in the log; a query finds them all.
constexpr size_t kListed = 20;
constexpr size_t kMarkedAtOnce = 2'000;

std::string names_of(const std::vector<const postgres::Table*>& tables) {
  std::string names;
  for (const postgres::Table* table : tables) names += (names.empty() ? "" : ", ") + postgres::to_string(table->name);
  return names;
}

class Unmatched {
 public:
  Unmatched(CopyContext& context, const KeySource& source, bolt::Connection& graph, const apply::CopyOwner& owner,
            const mapping::NodeTable& node)
      : context_(context), source_(source), graph_(graph), owner_(owner), node_(node) {}

  Status mark(const std::vector<const postgres::Table*>& tables) {
    CNX_TRY(for_each_slice(source_, context_.ground.catalog, tables, [&](const TableKeys& keys) -> Result<bool> {
      CNX_TRY(mark_missing(keys));
      return !context_.stop.asked;
    }));
    CNX_TRY(tell_keyless(tables));
    if (marked_ == 0) return {};
    std::string ids;
    for (const std::string& id : listed_) ids += (ids.empty() ? "" : ", ") + id;
    telemetry::log_warning("adopt_unmatched",
                           fmt::format("{} nodes :{} have a key and no row in {}: they stay, marked _cnx_stub ({}{})", marked_,
                                       node_.node->label, names_of(tables), ids, marked_ > listed_.size() ? ", …" : ""),
                           {{"nodes", marked_}, {"label", node_.node->label}});
    return {};
  }

 private:
  Status tell_keyless(const std::vector<const postgres::Table*>& tables) {
    CNX_TRY(Keyless found, count_keyless(graph_, node_, Clock::now() + kStatementMax));
    if (found.without == 0) return {};
    telemetry::log_warning(
        "adopt_keyless",
        fmt::format("{} of {} nodes :{} looked at have no {} that a row of {} could have: they stay, and nothing follows them",
                    found.without, found.looked_at, node_.node->label, node_.key_property, names_of(tables)),
        {{"nodes", found.without}, {"label", node_.node->label}});
    return {};
  }

  Status mark_missing(const TableKeys& keys) {
    GraphKeys all(graph_, node_);
    bolt::List missing;
    while (true) {
      CNX_TRY(std::vector<EntityKey> page, all.next());
      context_.figures.steps += 1;
      for (const EntityKey& key : page) {
        if (keys.is_missing(key)) missing.push_back(value_of(key.front()));
      }
      if (missing.size() >= kMarkedAtOnce || (page.empty() && !missing.empty())) CNX_TRY(mark(std::exchange(missing, {})));
      if (page.empty()) return {};
    }
  }

  Status mark(bolt::List keys) {
    const std::string text = "UNWIND $batch.rows AS k " + cypher::match_node("n", node_, "k") +
                             " SET n._cnx_stub = true RETURN elementId(n)";
    CNX_TRY(bolt::QueryResult result,
            apply::run_owned(graph_, owner_, text, {{"batch", bolt::Map{{"rows", std::move(keys)}}}}, Clock::now() + kStatementMax));
    for (const bolt::List& record : result.records) {
      ++marked_;
      const auto* id = record.empty() ? nullptr : record.front().get_if<std::string>();
      if (id != nullptr && listed_.size() < kListed) listed_.push_back(*id);
    }
    return {};
  }

  CopyContext& context_;
  const KeySource& source_;
  bolt::Connection& graph_;
  const apply::CopyOwner& owner_;
  const mapping::NodeTable& node_;
  size_t marked_ = 0;
  std::vector<std::string> listed_;
};

// Relationships have no mark to carry: they are counted.
Status tell_unmatched(CopyContext& context, const KeySource& source, bolt::Connection& graph,
                      const mapping::RelationshipTable& relationship, const std::vector<const postgres::Table*>& tables) {
  size_t unmatched = 0;
  CNX_TRY(for_each_slice(source, context.ground.catalog, tables, [&](const TableKeys& keys) -> Result<bool> {
    GraphKeys all(graph, relationship);
    while (true) {
      CNX_TRY(std::vector<EntityKey> page, all.next());
      if (page.empty()) return !context.stop.asked;
      context.figures.steps += 1;
      for (const EntityKey& key : page) unmatched += keys.is_missing(key) ? 1 : 0;
    }
  }));
  // They are not among those: without it a row does not find them, and makes another beside each.
  CNX_TRY(Keyless found, count_keyless(graph, relationship, Clock::now() + kStatementMax));
  unmatched += static_cast<size_t>(found.without);
  if (unmatched == 0) return {};
  telemetry::log_warning("adopt_unmatched",
                         fmt::format("{} relationships :{} have no row in {}: they stay", unmatched, relationship.type, names_of(tables)),
                         {{"relationships", unmatched}, {"type", relationship.type}});
  return {};
}

// The table and those that make the same.
std::vector<const postgres::Table*> makers_of(const Catalog& catalog, const postgres::TableName& name) {
  std::set<postgres::TableName> makers = tables_beside(*catalog.model, name);
  makers.insert(name);
  std::vector<const postgres::Table*> tables;
  for (const postgres::Table& table : catalog.tables) {
    if (makers.contains(table.name)) tables.push_back(&table);
  }
  return tables;
}

}  // namespace

Status mark_unmatched(CopyContext& context, bolt::Connection& graph, const apply::CopyOwner& owner) {
  const Catalog& catalog = context.ground.catalog;
  CNX_TRY(postgres::Session session, open_reader(context.options));
  CNX_TRY(TableFiles files, read_files(session, catalog.followed()));
  CNX_TRY(session.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", Clock::now() + kStatementMax));
  const KeySource source{session, files};
  std::set<std::string> labels;
  for (const mapping::NodeTable& node : catalog.model->nodes()) {
    if (node.shared || !labels.insert(node.node->label).second) continue;
    // Of a row's further nodes the table itself is the only maker.
    const std::vector<const postgres::Table*> makers =
        node.main == nullptr ? makers_of(catalog, node.rule->table)
                             : std::vector<const postgres::Table*>{find_table(catalog.tables, node.rule->table)};
    CNX_TRY(Unmatched(context, source, graph, owner, node).mark(makers));
  }
  std::set<GraphForm::Link> links;
  for (const mapping::RelationshipTable& relationship : catalog.model->relationships()) {
    if (!links.insert(*form_of(relationship).links.begin()).second) continue;
    CNX_TRY(tell_unmatched(context, source, graph, relationship, makers_of(catalog, relationship.rule->table)));
  }
  return {};
}

}  // namespace cnx::pipeline
