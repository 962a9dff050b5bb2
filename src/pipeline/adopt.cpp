#include "pipeline/adopt.hpp"

#include <spdlog/spdlog.h>

#include "cypher/text_parts.hpp"
#include "pipeline/graph_keys.hpp"

namespace cnx::pipeline {
namespace {

constexpr Duration kStatementMax = std::chrono::seconds(60);
// Of one label, in the log; a query finds them all.
constexpr size_t kListed = 20;
constexpr size_t kMarkedAtOnce = 2'000;

bolt::Value value_of(const mapping::Key& key) {
  if (const auto* number = std::get_if<int64_t>(&key)) return *number;
  return std::get<std::string>(key);
}

class Unmatched {
 public:
  Unmatched(CopyContext& context, postgres::Session& session, bolt::Connection& graph, const apply::CopyOwner& owner,
            const mapping::NodeTable& node)
      : context_(context), session_(session), graph_(graph), owner_(owner), node_(node) {}

  Status mark(const postgres::Table& table) {
    CNX_TRY(for_each_slice(session_, context_.ground.catalog, table, [&](const TableKeys& keys) -> Result<bool> {
      CNX_TRY(mark_missing(keys));
      return !context_.stop.asked;
    }));
    if (marked_ == 0) return {};
    std::string ids;
    for (const std::string& id : listed_) ids += (ids.empty() ? "" : ", ") + id;
    spdlog::warn("{} nodes :{} have a key and no row in {}: they stay, marked _cnx_stub ({}{})", marked_, node_.node->label,
                 postgres::to_string(table.name), ids, marked_ > listed_.size() ? ", …" : "");
    return {};
  }

 private:
  Status mark_missing(const TableKeys& keys) {
    GraphKeys all(graph_, node_);
    bolt::List missing;
    while (true) {
      CNX_TRY(std::vector<EntityKey> page, all.next());
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
  postgres::Session& session_;
  bolt::Connection& graph_;
  const apply::CopyOwner& owner_;
  const mapping::NodeTable& node_;
  size_t marked_ = 0;
  std::vector<std::string> listed_;
};

// Relationships have no mark to carry: they are counted.
Status tell_unmatched(CopyContext& context, postgres::Session& session, bolt::Connection& graph, const mapping::RelationshipTable& relationship,
                      const postgres::Table& table) {
  size_t unmatched = 0;
  CNX_TRY(for_each_slice(session, context.ground.catalog, table, [&](const TableKeys& keys) -> Result<bool> {
    GraphKeys all(graph, relationship);
    while (true) {
      CNX_TRY(std::vector<EntityKey> page, all.next());
      if (page.empty()) return !context.stop.asked;
      for (const EntityKey& key : page) unmatched += keys.is_missing(key) ? 1 : 0;
    }
  }));
  if (unmatched == 0) return {};
  spdlog::warn("{} relationships :{} have no row in {}: they stay", unmatched, relationship.type, postgres::to_string(table.name));
  return {};
}

}  // namespace

Status mark_unmatched(CopyContext& context, bolt::Connection& graph, const apply::CopyOwner& owner) {
  const Catalog& catalog = context.ground.catalog;
  CNX_TRY(postgres::Session session, open_reader(context.options));
  CNX_TRY(session.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", Clock::now() + kStatementMax));
  for (const mapping::NodeTable& node : catalog.model->nodes()) {
    for (const postgres::Table& table : catalog.tables) {
      if (table.name == node.rule->table) CNX_TRY(Unmatched(context, session, graph, owner, node).mark(table));
    }
  }
  for (const mapping::RelationshipTable& relationship : catalog.model->relationships()) {
    for (const postgres::Table& table : catalog.tables) {
      if (table.name == relationship.rule->table) CNX_TRY(tell_unmatched(context, session, graph, relationship, table));
    }
  }
  return {};
}

}  // namespace cnx::pipeline
