#include "pipeline/sweep.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <span>

#include "apply/lane_stage.hpp"
#include "apply/neo4j_graph.hpp"
#include "cypher/plan.hpp"
#include "cypher/quote.hpp"
#include "pipeline/graph_form.hpp"
#include "pipeline/graph_keys.hpp"
#include "pipeline/runner.hpp"
#include "telemetry/log.hpp"

namespace cnx::pipeline {
namespace {

using cypher::quote;

constexpr Duration kStepMax = std::chrono::seconds(60);
constexpr Duration kLookInterval = std::chrono::milliseconds(250);
// So many of the graph's keys are removed at once, in batches of this many.
constexpr size_t kRemovedAtOnce = 20'000;
constexpr size_t kBatchKeys = 2'000;

TimePoint soon() { return Clock::now() + kStepMax; }

class Sweep {
 public:
  Sweep(CopyContext& context, bolt::Connection& graph, const apply::CopyOwner& owner, const apply::TableState& state)
      : context_(context), catalog_(context.ground.catalog), graph_(graph), owner_(owner), state_(state) {}

  // Those of `only` alone, where there is one.
  Status run(const std::optional<KeySource>& source, const GoneRows* only = nullptr) {
    only_ = only;
    CNX_TRY(intern_properties());
    CNX_TRY(for_each_slice_of_makers(source, [&](const TableKeys& keys) {
      return for_each_form(*catalog_.model, state_.name, [&](const auto& form) { return remove_missing(form, keys); });
    }));
    CNX_TRY(for_each_slice_of_parts(source, [&](const mapping::NodeTable& part, const TableKeys& keys) {
      return remove_missing(part, keys);
    }));
    if (removed_ > 0) {
      const std::string name = postgres::to_string(state_.name);
      telemetry::log_info("leftovers_removed", fmt::format("{}: removed what {} rows had made that are not there any more", name, removed_),
                          {{"table", name}, {"rows", removed_}});
    }
    return {};
  }

  Status find(GoneRows& gone) {
    CNX_TRY(for_each_slice_of_makers(std::nullopt, [&](const TableKeys& keys) {
      return for_each_form(*catalog_.model, state_.name, [&](const auto& form) { return find_missing(form, keys, gone); });
    }));
    CNX_TRY(for_each_slice_of_parts(std::nullopt, [&](const mapping::NodeTable& part, const TableKeys& keys) {
      return find_missing(part, keys, gone);
    }));
    std::sort(gone.keys.begin(), gone.keys.end());
    return {};
  }

 private:
  template <typename Form>
  Status find_missing(const Form& form, const TableKeys& keys_of_rows, GoneRows& gone) {
    GraphKeys all(graph_, form);
    while (!context_.stop.asked && gone.keys.size() < GoneRows::kMost) {
      CNX_TRY(std::vector<EntityKey> page, all.next());
      if (page.empty()) break;
      for (const EntityKey& key : page) {
        if (keys_of_rows.is_missing(key)) gone.keys.push_back(digest(key));
      }
    }
    return {};
  }

  // The table's rows, and those of tables beside it. Of none, where they are not all known.
  Status for_each_slice_of_makers(const std::optional<KeySource>& source, const std::function<Status(const TableKeys&)>& work) {
    std::set<postgres::TableName> makers = tables_beside(*catalog_.model, state_.name);
    makers.insert(state_.name);
    std::vector<const postgres::Table*> tables;
    for (const postgres::Table& table : catalog_.tables) {
      if (!makers.contains(table.name) || catalog_.absent.contains(table.name)) continue;
      if (catalog_.held.contains(table.name)) {
        const std::string name = postgres::to_string(state_.name), held = postgres::to_string(table.name);
        telemetry::log_warning("leftovers_kept", fmt::format("what is left over of {} stays: {} makes the same and is held", name, held),
                               {{"table", name}, {"held", held}});
        return {};
      }
      tables.push_back(&table);
    }
    return for_each_slice(context_, tables, source, work);
  }

  // The further nodes of rows: the table's own rows say which there are, whatever others make of its label.
  using PartWork = std::function<Status(const mapping::NodeTable&, const TableKeys&)>;
  Status for_each_slice_of_parts(const std::optional<KeySource>& source, const PartWork& work) {
    const mapping::NodeTable* node = catalog_.model->find_node(state_.name);
    if (node == nullptr || node->parts.empty()) return {};
    std::vector<const postgres::Table*> own;
    if (!catalog_.absent.contains(state_.name)) own.push_back(find_table(catalog_.tables, state_.name));
    return for_each_slice(context_, own, source, [&](const TableKeys& keys) -> Status {
      for (const mapping::NodeTable* part : node->parts) CNX_TRY(work(*part, keys));
      return {};
    });
  }

  // A node that has to stay as a stub keeps none of them.
  Status intern_properties() {
    mapping::NodeTable* node = catalog_.model->find_node(state_.name);
    if (node == nullptr) return {};
    for (const std::vector<std::string>* names : {&state_.properties, &state_.stale_properties}) {
      for (const std::string& name : *names) node->names.intern(name, false);
    }
    if (node->parts.empty()) return {};
    CNX_TRY(GraphForm form, form_of(std::string_view(state_.form)));
    for (mapping::NodeTable* part : node->parts) {
      for (const GraphForm& made : form.nodes) {
        if (made.label != part->node->label) continue;
        for (const std::string& name : made.properties) part->names.intern(name, false);
      }
    }
    return {};
  }

  template <typename Form>
  Status remove_missing(const Form& form, const TableKeys& keys_of_rows) {
    return remove_missing(GraphKeys(graph_, form), keys_of_rows, [&](std::span<EntityKey> keys) { return removal(form, keys); });
  }

  using Removal = std::function<mapping::Mutations(std::span<EntityKey>)>;

  Status remove_missing(GraphKeys all, const TableKeys& keys_of_rows, const Removal& removal) {
    std::vector<EntityKey> missing;
    while (!context_.stop.asked) {
      CNX_TRY(std::vector<EntityKey> page, all.next());
      if (page.empty()) break;
      context_.figures.steps += 1;
      for (EntityKey& key : page) {
        if (keys_of_rows.is_missing(key) && is_sought(key)) missing.push_back(std::move(key));
      }
      if (missing.size() < kRemovedAtOnce) continue;
      CNX_TRY(remove(std::exchange(missing, {}), removal));
    }
    return missing.empty() ? Status() : remove(std::move(missing), removal);
  }

  bool is_sought(const EntityKey& key) const {
    return only_ == nullptr || std::binary_search(only_->keys.begin(), only_->keys.end(), digest(key));
  }

  // As the stream's removals are done, by a lane of the copy.
  Status remove(std::vector<EntityKey> keys, const Removal& removal) {
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
      batch.mutations = removal(std::span(keys).subspan(i, std::min(kBatchKeys, keys.size() - i)));
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
    apply::LaneOptions lane_options{.start = start};
    lane_options.on_batch = [&](const apply::Batch&, Duration) { context_.figures.steps += 1; };
    apply::LaneStage lane(batches, neo4j, acknowledgement, counters, lane_options,
                          tell_retry(context_.figures, Side::graph, "Neo4j, sweeping"));
    Runner runner(context_.stop.waker);
    Waker& waker = runner.add(lane);
    batches.on_readable([&] { waker.wake(); });
    runner.start();
    while (!runner.all_ended()) {
      context_.stop.waker.arm();
      // What is not removed by then is found again.
      if (context_.stop.asked) batches.fail(Error(ErrorKind::timeout, "stopped while leftovers were removed"));
      if (!runner.all_ended()) wait_for(context_.stop.waker, stream::Step::wait_until(Clock::now() + kLookInterval));
      context_.stop.waker.disarm();
    }
    runner.join();
    if (std::optional<Error> failure = runner.failure()) return fail(std::move(*failure));
    return {};
  }

  static mapping::Mutations removal(const mapping::NodeTable& table, std::span<EntityKey> keys) {
    mapping::Mutations mutations;
    mapping::NodeMutations& nodes = mutations.nodes.emplace_back();
    nodes.table = &table;
    for (EntityKey& key : keys) nodes.removed.push_back(std::move(key[0]));
    for (const mapping::PropertyName& name : table.names.all()) nodes.known_properties.push_back(&name);
    return mutations;
  }

  static mapping::Mutations removal(const mapping::RelationshipTable& table, std::span<EntityKey> keys) {
    mapping::Mutations mutations;
    mapping::RelationshipMutations& links = mutations.relationships.emplace_back();
    links.table = &table;
    for (EntityKey& key : keys) {
      std::string own = key.size() > 2 ? std::get<std::string>(key[2]) : std::string();
      links.removed.push_back({std::move(key[0]), std::move(key[1]), std::move(own)});
    }
    return mutations;
  }

  CopyContext& context_;
  Catalog& catalog_;
  bolt::Connection& graph_;
  const apply::CopyOwner& owner_;
  const apply::TableState& state_;
  const GoneRows* only_ = nullptr;
  size_t removed_ = 0;
};

}  // namespace

Status for_each_slice(CopyContext& context, const std::vector<const postgres::Table*>& tables,
                      const std::optional<KeySource>& source, const std::function<Status(const TableKeys&)>& work) {
  auto until_stop = [&](const TableKeys& keys) -> Result<bool> {
    CNX_TRY(work(keys));
    return !context.stop.asked;
  };
  Catalog& catalog = context.ground.catalog;
  if (source) return for_each_slice(*source, catalog, tables, until_stop);
  CNX_TRY(postgres::Session session, open_reader(context.options));
  CNX_TRY(TableFiles files, read_files(session, tables));
  CNX_TRY(session.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", soon()));
  return for_each_slice({session, files}, catalog, tables, until_stop);
}

Status sweep_table(CopyContext& context, bolt::Connection& graph, const apply::CopyOwner& owner,
                   const apply::TableState& state, const std::optional<KeySource>& source) {
  return Sweep(context, graph, owner, state).run(source);
}

Result<GoneRows> find_gone_rows(CopyContext& context, bolt::Connection& graph, const apply::CopyOwner& owner,
                                const apply::TableState& state) {
  GoneRows gone;
  CNX_TRY(Sweep(context, graph, owner, state).find(gone));
  CNX_TRY(postgres::Session session, open_session(context.options, soon()));
  CNX_TRY(postgres::Rows end, session.query("SELECT pg_catalog.pg_current_wal_insert_lsn()", soon()));
  CNX_TRY(gone.until, end.lsn(0, 0));
  return gone;
}

Status remove_gone_rows(CopyContext& context, bolt::Connection& graph, const apply::CopyOwner& owner,
                        const apply::TableState& state, const GoneRows& gone) {
  return Sweep(context, graph, owner, state).run(std::nullopt, &gone);
}

}  // namespace cnx::pipeline
