#include "pipeline/table_plan.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

#include "capture/snapshot/snapshot_stage.hpp"
#include "mapping/binding.hpp"
#include "mapping/fingerprint.hpp"
#include "pipeline/live_tables.hpp"
#include "pipeline/row_filters.hpp"

namespace cnx::pipeline {
namespace {

using apply::TableState;
using mapping::TableRule;
using State = TableState::State;

class Planner {
 public:
  Planner(postgres::Session& session, TablePlanInput& input, LiveTables& live, TimePoint deadline)
      : session_(session), input_(input), live_(live), deadline_(deadline) {}

  Result<TablePlan> run() {
    CNX_TRY(auto refused, read_row_filters(session_, input_.mapping, live_.tables, deadline_));
    for (const auto& [table, error] : refused) problems_[table] = {error.describe(), error.advice()};
    if (input_.strict) {
      if (!problems_.empty()) {
        const auto& [name, problem] = *problems_.begin();
        return fail(Error(ErrorKind::invalid, problem.reason).with("table", postgres::to_string(name)).advise(problem.advice));
      }
      CNX_TRY(make_catalog());
    } else {
      CNX_TRY(find_held());
      CNX_TRY(make_catalog());
    }
    for (const TableRule& rule : input_.mapping.tables) CNX_TRY(add_state(rule));
    for (const TableState& known : input_.known) {
      if (input_.mapping.find(known.name) == nullptr) CNX_TRY(leave(known));
    }
    share_with_others();
    plan_.publication = live_.publication;
    return std::move(plan_);
  }

 private:
  Status find_held() {
    const std::vector<mapping::CatalogFault> faults = mapping::catalog_faults(input_.mapping, live_.tables);
    for (const TableRule& rule : input_.mapping.tables) {
      std::optional<TableProblem> problem = problem_of(live_, rule, faults);
      if (auto found = problems_.find(rule.table); !problem && found != problems_.end()) problem = found->second;
      const postgres::PublishedTable* sent = live_.publication ? find_table(live_.publication->tables, rule.table) : nullptr;
      if (!problem && sent != nullptr && !sends_rows_of(*sent, *find_table(live_.tables, rule.table))) {
        problem = TableProblem{"the publication sends other rows than the mapping takes", "contextnexus init mends it"};
      }
      if (!problem && std::find(input_.held_back.begin(), input_.held_back.end(), rule.table) != input_.held_back.end()) {
        problem = TableProblem{"too many changes wait behind a dead letter of it",
                               "contextnexus dead-letters list shows it; once it is retried or discarded, the table is copied anew"};
      }
      if (!problem && live_.publication && sent == nullptr) {
        CNX_TRY(bool published, publish(session_, input_.publication, *find_table(live_.tables, rule.table), deadline_));
        plan_.waits_for_writers = plan_.waits_for_writers || published;
        if (published) {
          plan_.said.push_back(postgres::to_string(rule.table) + " was put into the publication");
          live_.publication->tables.push_back({.name = rule.table, .columns = {}, .row_filter = {}});
          // Since when it is in it belongs to what is remembered.
          CNX_TRY(live_.shapes, read_shapes(session_, input_.mapping.table_names(), input_.publication, deadline_));
        }
        if (!published) problem = TableProblem{"the publication lacks the table", "contextnexus init puts it there"};
      }
      if (!problem) continue;
      // One that the graph does not know yet has to be right before anything is begun.
      if (find_table(input_.known, rule.table) == nullptr) {
        return fail(Error(ErrorKind::invalid, problem->reason)
                        .with("table", postgres::to_string(rule.table))
                        .advise(problem->advice));
      }
      plan_.catalog.held.insert(rule.table);
      if (find_table(live_.tables, rule.table) == nullptr) plan_.catalog.absent.insert(rule.table);
      problems_[rule.table] = std::move(*problem);
    }
    return {};
  }

  // A held table stands in the model as the graph knows it: what leads to it finds its label and key.
  Status make_catalog() {
    plan_.catalog.types = live_.types;
    for (const TableRule& rule : input_.mapping.tables) {
      if (plan_.catalog.held.contains(rule.table)) {
        CNX_TRY(TableShape shape, shape_of(rule.table, find_table(input_.known, rule.table)->shape));
        plan_.catalog.tables.push_back(table_of(shape));
      } else if (const postgres::Table* table = find_table(live_.tables, rule.table)) {
        plan_.catalog.tables.push_back(*table);
      }
    }
    CNX_TRY(plan_.catalog.model, mapping::Model::make(input_.mapping, plan_.catalog.tables));
    return {};
  }

  Status add_state(const TableRule& rule) {
    const TableState* known = find_table(input_.known, rule.table);
    TableState now = known != nullptr ? *known : TableState{.name = rule.table, .since = input_.position};
    if (plan_.catalog.held.contains(rule.table)) {
      hold(now);
    } else {
      CNX_TRY(follow(rule, known, now));
    }
    plan_.changed = plan_.changed || known == nullptr || !(*known == now);
    plan_.states.push_back(std::move(now));
    return {};
  }

  void hold(TableState& now) {
    const TableProblem& problem = problems_.at(now.name);
    if (now.state == State::held && now.reason == problem.reason) return;
    now.state = State::held;
    now.reason = problem.reason;
    now.advice = problem.advice;
    now.since = input_.position;
    plan_.said.push_back("table " + postgres::to_string(now.name) + " is held: " + problem.reason + "; " + problem.advice);
    // What is there stays until it is released and copied anew; of a table that was dropped no row is left.
    now.sweep = plan_.catalog.absent.contains(now.name);
    now.due = {};
  }

  Status follow(const TableRule& rule, const TableState* known, TableState& now) {
    const TableShape* found = find_table(live_.shapes, rule.table);
    if (found == nullptr) return check_table(*find_table(live_.tables, rule.table), key_of(rule));
    const TableShape& shape = *found;
    CNX_TRY(set_properties(now));
    const GraphForm form = form_of(*plan_.catalog.model, rule.table);
    now.rule = mapping::fingerprint(input_.mapping, rule);
    now.form = to_text(form);
    now.shape = to_text(shape);
    if (known == nullptr) {
      // The beginning copies all; later a table is new in the mapping, and what is there is others', or an engine before this
      // one remembered nothing.
      const char* why = input_.known.empty() ? "the graph does not remember how it was" : "it is new in the mapping";
      copy(now, input_.strict ? "" : why);
      now.sweep = !input_.strict && input_.known.empty();
      return {};
    }
    CNX_TRY(TableShape before, shape_of(rule.table, known->shape));
    CNX_TRY(std::set<uint32_t> filled, filled_partitions(before, shape));
    TableChange change = compare(before, shape, filled);
    add_traces(input_.traces, shape, change);
    if (known->state == State::held) {
      change.copy = change.columns = true;
      change.why = "what held it (" + known->reason + ") is mended";
      plan_.waits_for_writers = true;
    }
    // Changes may have gone unpublished: those of transactions that are open still do not show in a read.
    const bool unpublished = before.oid != shape.oid || before.published != shape.published;
    if (unpublished) plan_.waits_for_writers = true;
    if (known->rule != now.rule) {
      change.copy = change.columns = true;
      change.why = "the mapping says something else of it";
      CNX_TRY(add_outdated(*known, form));
    } else if (change.columns) {
      CNX_TRY(GraphForm made, form_of(std::string_view(known->form)));
      change.copy = add_outdated_nodes(*known, made, made.links, form) || change.copy;
    }
    if (input_.asked.asks(rule.table)) {
      change.copy = true;
      if (change.why.empty()) change.why = "contextnexus resync asked for it";
    }
    if (known->state == State::copying && !change.any()) return {};
    const bool stale = !known->stale_properties.empty() || !known->stale_prefixes.empty();
    if (change.columns || stale) {
      now.stale_properties = vanished(known->properties, known->stale_properties, now.properties);
      now.stale_prefixes = vanished(known->field_prefixes, known->stale_prefixes, now.field_prefixes);
    }
    if (!change.any()) return {};
    if (!now.stale_properties.empty() || !now.stale_prefixes.empty() || change.gone) now.due = live_.log_end;
    now.sweep = now.sweep || change.gone;
    if (change.copy || known->state == State::copying) {
      copy(now, change.why);
    } else {
      plan_.said.push_back(postgres::to_string(now.name) + ": " + change.why);
    }
    return {};
  }

  void copy(TableState& now, const std::string& why) {
    plan_.anew.insert(now.name);
    now.state = State::copying;
    now.due = {};
    // Rows that were deleted before the read are passed over by the stream as seen.
    now.sweep = !input_.strict;
    now.reason = why;
    now.advice.clear();
    now.since = input_.position;
    if (!why.empty()) plan_.said.push_back(postgres::to_string(now.name) + " is read again: " + why);
  }

  // What the graph may have and no column makes any more.
  static std::vector<std::string> vanished(const std::vector<std::string>& known, const std::vector<std::string>& stale,
                                           const std::vector<std::string>& now) {
    std::set<std::string> vanished(known.begin(), known.end());
    vanished.insert(stale.begin(), stale.end());
    for (const std::string& name : now) vanished.erase(name);
    return {vanished.begin(), vanished.end()};
  }

  Status add_outdated(const TableState& known, const GraphForm& now) {
    OutdatedForm form{.table = known.name};
    CNX_TRY(form.before, form_of(std::string_view(known.form)));
    form.before.properties.insert(known.properties.begin(), known.properties.end());
    form.links = std::exchange(form.before.links, {});
    add_outdated_nodes(known, form.before, form.links, now);
    std::erase_if(form.links, [&](const GraphForm::Link& link) { return now.links.contains(link); });
    form.nodes = form.before.label != now.label || form.before.key_property != now.key_property;
    std::set_difference(form.before.more_labels.begin(), form.before.more_labels.end(), now.more_labels.begin(),
                        now.more_labels.end(), std::inserter(form.labels, form.labels.end()));
    for (auto& [link, properties] : form.before.link_properties) {
      auto still = now.link_properties.find(link);
      if (still != now.link_properties.end()) take_out(properties, still->second);
      if (now.links.contains(link) && !properties.empty()) form.link_properties.emplace(link, std::move(properties));
    }
    if (form.nodes || !form.links.empty() || !form.link_properties.empty() || !form.labels.empty()) {
      plan_.outdated.push_back(std::move(form));
    }
    return {};
  }

  // Further nodes that are made no more, or otherwise, go as a whole with what leads to them: the rows are read again, and make
  // them as they are now. Says whether there are such.
  bool add_outdated_nodes(const TableState& known, const GraphForm& before, const std::set<GraphForm::Link>& links,
                          const GraphForm& now) {
    const size_t already = plan_.outdated.size();
    for (const GraphForm& node : before.nodes) {
      const bool stays = std::any_of(now.nodes.begin(), now.nodes.end(), [&](const GraphForm& made) { return goes_on(node, made); });
      if (stays) continue;
      OutdatedForm form{.table = known.name, .before = node, .nodes = true, .links = {}, .link_properties = {}, .labels = {}};
      std::copy_if(links.begin(), links.end(), std::inserter(form.links, form.links.end()), [&](const GraphForm::Link& link) {
        return link.start == node.label || link.end == node.label;
      });
      plan_.outdated.push_back(std::move(form));
    }
    return plan_.outdated.size() > already;
  }

  // Whether nodes as they were are left with nothing, once they are made as they are now.
  static bool goes_on(const GraphForm& before, const GraphForm& now) {
    const auto holds = [](const std::set<std::string>& all, const std::set<std::string>& some) {
      return std::includes(all.begin(), all.end(), some.begin(), some.end());
    };
    return before.label == now.label && before.key_property == now.key_property && before.tenant_property == now.tenant_property &&
           before.shared == now.shared && before.fields == now.fields && holds(now.properties, before.properties) &&
           holds(now.flattened, before.flattened) && holds(now.more_labels, before.more_labels) &&
           (!now.shared || (before.properties == now.properties && before.more_labels == now.more_labels));
  }

  Status leave(const TableState& known) {
    plan_.changed = true;
    plan_.said.push_back(postgres::to_string(known.name) + " is not in the mapping any more: what was made of it goes");
    CNX_TRY(add_outdated(known, {}));
    plan_.left.push_back(known);
    return {};
  }

  // What another table makes as well: it is read again, and its sweep finds what no row of either makes. Only what no sweep
  // finds, since no row's key tells it (a label, a foreign key's relationship), goes off all of them first. What a held table
  // makes stays.
  void share_with_others() {
    for (OutdatedForm& form : plan_.outdated) {
      const bool rows_are_nodes = !form.before.label.empty();
      const OutdatedForm all = form;
      for (TableState& state : plan_.states) {
        if (state.name == form.table) continue;
        const GraphForm other = form_of(*plan_.catalog.model, state.name);
        const bool held = state.state == State::held;
        const bool same_nodes = rows_are_nodes && other.label == form.before.label;
        if (same_nodes) form.nodes = false;
        bool shares = same_nodes && all.nodes;
        for (const GraphForm::Link& link : other.links) {
          shares = shares || all.links.contains(link);
          if (held || (!rows_are_nodes && other.label.empty())) form.links.erase(link);
        }
        for (const std::string& label : other.more_labels) {
          if (!same_nodes) break;
          shares = shares || all.labels.contains(label);
          if (held) form.labels.erase(label);
        }
        for (const auto& [link, properties] : other.link_properties) keep(form.link_properties, link, properties);
        // A copy that is under way begins anew, since what it has read so far loses it as well.
        if (shares && !held && !plan_.anew.contains(state.name)) copy(state, "another table makes less of what both made");
      }
    }
  }

  static void keep(std::map<GraphForm::Link, GraphForm::Properties>& stale, const GraphForm::Link& link,
                   const GraphForm::Properties& made) {
    auto found = stale.find(link);
    if (found == stale.end()) return;
    take_out(found->second, made);
    if (found->second.empty()) stale.erase(found);
  }

  // Every name but the key's and the tenant's, as the catalog describes the table.
  Status set_properties(TableState& state) {
    const change::RelationPtr relation = capture::relation_of(*find_table(plan_.catalog.tables, state.name));
    GraphForm::Properties made;
    if (mapping::NodeTable* node = plan_.catalog.model->find_node(state.name)) {
      CNX_TRY(mapping::bind(*node, relation, plan_.catalog.types));
      made = properties_of(node->names, {node->key_property, node->tenant_property});
    } else {
      mapping::RelationshipTable* relationship = plan_.catalog.model->find_relationship(state.name);
      CNX_TRY(mapping::bind(*relationship, relation, plan_.catalog.types));
      made = properties_of(relationship->names);
    }
    state.properties.assign(made.names.begin(), made.names.end());
    state.field_prefixes.assign(made.prefixes.begin(), made.prefixes.end());
    return {};
  }

  // A partition that was made as one, or is empty, has told of every row. It was where the command that made it (a column of the
  // system's is as old as the table) also entered it below its parent: two to four steps of one transaction apart; with a row
  // written between CREATE TABLE and ATTACH PARTITION they are six or more (tried on PostgreSQL 15, 16, 17 and 18).
  Result<std::set<uint32_t>> filled_partitions(const TableShape& before, const TableShape& now) {
    std::set<uint32_t> filled;
    if (before.oid != now.oid) return filled;
    for (uint32_t partition : new_partitions(before, now)) {
      CNX_TRY(postgres::Rows names,
              session_.query("SELECT n.nspname, c.relname FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n "
                             "ON n.oid = c.relnamespace JOIN pg_catalog.pg_inherits h ON h.inhrelid = c.oid "
                             "JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attname = 'tableoid' "
                             "WHERE c.oid = $1::oid AND c.relkind = 'r' AND NOT (a.xmin::text = h.xmin::text "
                             "AND h.cmin::text::int8 - a.cmin::text::int8 BETWEEN 0 AND 4)",
                             {std::to_string(partition)}, deadline_));
      if (names.empty()) continue;
      const postgres::TableName name{std::string(names.text(0, 0)), std::string(names.text(0, 1))};
      Result<postgres::Rows> rows = session_.query("SELECT FROM " + postgres::quote_table(name) + " LIMIT 1", deadline_);
      // One that may not be read by itself is taken for one with rows.
      if (!rows && rows.error().kind() != ErrorKind::server) return fail(std::move(rows.error()));
      if (!rows || !rows->empty()) filled.insert(partition);
    }
    return filled;
  }

  postgres::Session& session_;
  TablePlanInput& input_;
  LiveTables& live_;
  TimePoint deadline_;
  TablePlan plan_;
  std::map<postgres::TableName, TableProblem> problems_;
};

}  // namespace

Result<TablePlan> plan_tables(postgres::Session& session, TablePlanInput input, TimePoint deadline) {
  CNX_TRY(LiveTables live, read_live_tables(session, input.mapping, input.publication, deadline));
  return Planner(session, input, live, deadline).run();
}

std::vector<const postgres::Table*> tables_to_copy(const Catalog& catalog, const std::vector<TableState>& states) {
  std::vector<const postgres::Table*> tables;
  for (const TableState& state : states) {
    if (state.state != State::copying) continue;
    if (const postgres::Table* table = find_table(catalog.tables, state.name)) tables.push_back(table);
  }
  return tables;
}

}  // namespace cnx::pipeline
