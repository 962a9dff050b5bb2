#include "pipeline/sweep.hpp"

#include <spdlog/spdlog.h>

#include "apply/lane_stage.hpp"
#include "apply/neo4j_graph.hpp"
#include "capture/snapshot/snapshot_stage.hpp"
#include "cypher/plan.hpp"
#include "cypher/quote.hpp"
#include "pipeline/graph_keys.hpp"
#include "pipeline/pass.hpp"
#include "pipeline/runner.hpp"
#include "pipeline/table_keys.hpp"

namespace cnx::pipeline {
namespace {

using cypher::quote;

constexpr Duration kStepMax = std::chrono::seconds(60);
// So many of the graph's keys are removed at once, in batches of this many.
constexpr size_t kRemovedAtOnce = 20'000;
constexpr size_t kBatchKeys = 2'000;

TimePoint soon() { return Clock::now() + kStepMax; }

class Sweep {
 public:
  Sweep(CopyContext& context, bolt::Connection& graph, const apply::CopyOwner& owner, const apply::TableState& state)
      : context_(context), catalog_(context.ground.catalog), graph_(graph), owner_(owner), state_(state) {}

  Status run() {
    const bool gone = catalog_.held.contains(state_.name);
    const postgres::Table* table = nullptr;
    for (const postgres::Table& each : catalog_.tables) table = each.name == state_.name ? &each : table;
    CNX_CHECK(table != nullptr, "a table that is swept is in the catalog, or remembered");
    intern_properties();
    if (gone) {
      CNX_TRY(remove_missing([](const EntityKey&) { return true; }));
    } else {
      CNX_TRY(sweep(*table));
    }
    if (removed_ > 0) spdlog::info("{}: removed what {} rows had made that are not there any more", postgres::to_string(state_.name), removed_);
    return {};
  }

 private:
  Status sweep(const postgres::Table& table) {
    return for_each_slice(context_.options, catalog_, table, [&](const TableKeys& keys) -> Result<bool> {
      CNX_TRY(remove_missing([&](const EntityKey& key) { return keys.is_missing(key); }));
      return !context_.stop.asked;
    });
  }

  // A node that has to stay as a stub keeps none of them.
  void intern_properties() {
    mapping::NodeTable* node = catalog_.model->find_node(state_.name);
    if (node == nullptr) return;
    for (const std::vector<std::string>* names : {&state_.properties, &state_.stale_properties}) {
      for (const std::string& name : *names) node->names.intern(name, false);
    }
  }

  Status remove_missing(const std::function<bool(const EntityKey&)>& is_missing) {
    GraphKeys all(graph_, catalog_, state_.name);
    std::vector<EntityKey> missing;
    while (!context_.stop.asked) {
      CNX_TRY(std::vector<EntityKey> page, all.next());
      if (page.empty()) break;
      for (EntityKey& key : page) {
        if (is_missing(key)) missing.push_back(std::move(key));
      }
      if (missing.size() < kRemovedAtOnce) continue;
      CNX_TRY(remove(std::exchange(missing, {})));
    }
    return missing.empty() ? Status() : remove(std::move(missing));
  }

  // As the stream's removals are done, by a lane of the copy.
  Status remove(std::vector<EntityKey> keys) {
    CNX_TRY(apply::make_copy_lanes(graph_, owner_, 1, soon()));
    removed_ += keys.size();
    stream::Queue<apply::Batch> batches({.items_max = keys.size() + 1, .bytes_max = SIZE_MAX});
    apply::LanePosition at{.position = {}, .phase = apply::Phase::snapshot, .partial = false};
    const apply::StoredPosition start{.lane = at, .epoch = owner_.epoch};
    for (size_t i = 0; i < keys.size(); i += kBatchKeys) {
      apply::Batch batch;
      batch.from = at;
      ++at.position.ordinal;
      batch.to = at;
      batch.mutations = removal(keys, i, std::min(i + kBatchKeys, keys.size()));
      batch.rows = std::min(kBatchKeys, keys.size() - i);
      batches.try_push(std::move(batch), 1);
    }
    batches.close();
    cypher::Plan plan(*catalog_.model);
    apply::Neo4jGraph neo4j({.connection = context_.options.neo4j,
                             .pipeline = context_.options.name,
                             .lane = apply::copy_lane_key(context_.options.name, 0)},
                            plan);
    stream::Acknowledgement acknowledgement;
    apply::LaneCounters counters;
    apply::LaneStage lane(batches, neo4j, acknowledgement, counters, {.start = start}, log_retry("Neo4j, sweeping"));
    Runner runner(context_.stop.waker);
    Waker& waker = runner.add(lane);
    batches.on_readable([&] { waker.wake(); });
    runner.start();
    runner.join();
    if (std::optional<Error> failure = runner.failure()) return fail(std::move(*failure));
    return {};
  }

  mapping::Mutations removal(std::vector<EntityKey>& keys, size_t from, size_t upto) const {
    mapping::Mutations mutations;
    if (const mapping::NodeTable* node = catalog_.model->find_node(state_.name)) {
      mapping::NodeMutations& nodes = mutations.nodes.emplace_back();
      nodes.table = node;
      for (size_t i = from; i < upto; ++i) nodes.removed.push_back(std::move(keys[i][0]));
      for (const mapping::PropertyName& name : node->names.all()) nodes.known_properties.push_back(&name);
    } else {
      mapping::RelationshipMutations& links = mutations.relationships.emplace_back();
      links.table = catalog_.model->find_relationship(state_.name);
      for (size_t i = from; i < upto; ++i) {
        std::string own = keys[i].size() > 2 ? std::get<std::string>(keys[i][2]) : std::string();
        links.removed.push_back({std::move(keys[i][0]), std::move(keys[i][1]), std::move(own)});
      }
    }
    return mutations;
  }

  CopyContext& context_;
  Catalog& catalog_;
  bolt::Connection& graph_;
  const apply::CopyOwner& owner_;
  const apply::TableState& state_;
  size_t removed_ = 0;
};

// Page by page in the order of the key's index; of relationships by their starts.
Status remove_properties(bolt::Connection& graph, const apply::CopyOwner& owner, const Catalog& catalog,
                         const apply::TableState& state) {
  bolt::Map clear;
  for (const std::string& name : state.stale_properties) clear.add(name, {});
  const mapping::NodeTable* node = catalog.model->find_node(state.name);
  const mapping::RelationshipTable* relationship = catalog.model->find_relationship(state.name);
  const mapping::NodeTable& start = node != nullptr ? *node : *relationship->start;
  const std::string key = "n." + quote(start.key_property);
  bolt::Value last;
  while (true) {
    std::string text = "MATCH (n:" + quote(start.node->label) + ") WHERE " + key +
                       (last.is_null() ? " IS NOT NULL" : " > $last") + " WITH n ORDER BY " + key + " LIMIT $limit ";
    if (node != nullptr) {
      text += "SET n += $clear RETURN max(" + key + ")";
    } else {
      text += "OPTIONAL MATCH (n)-[r:" + quote(relationship->relationship->type) + "]->(:" +
              quote(relationship->end->node->label) + ") SET r += $clear RETURN max(" + key + ")";
    }
    const int64_t limit = node != nullptr ? kGraphPageNodes : kGraphPageStarts;
    CNX_TRY(bolt::QueryResult result,
            apply::run_owned(graph, owner, text, {{"last", last}, {"limit", limit}, {"clear", clear}}, soon()));
    if (result.records.empty() || result.records.front().front().is_null()) return {};
    last = result.records.front().front();
  }
}

}  // namespace

Status remove_leftovers(CopyContext& context, bolt::Connection& graph, const apply::CopyOwner& owner,
                        const apply::TableState& state) {
  if (!state.stale_properties.empty()) CNX_TRY(remove_properties(graph, owner, context.ground.catalog, state));
  if (state.sweep) CNX_TRY(Sweep(context, graph, owner, state).run());
  return {};
}

}  // namespace cnx::pipeline
