#include "mapping/infer.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <tuple>

#include "mapping/infer_columns.hpp"
#include "mapping/infer_foreign_keys.hpp"
#include "mapping/infer_keys.hpp"
#include "mapping/infer_links.hpp"
#include "mapping/infer_names.hpp"
#include "mapping/infer_remarks.hpp"

namespace cnx::mapping {
namespace {

using postgres::DescribedTable;
using postgres::Table;
using postgres::TableKind;

// What is no table whose rows the log carries.
std::string kind_reason(TableKind kind) {
  switch (kind) {
    case TableKind::view:
      return "a view: map the tables that it reads";
    case TableKind::materialized_view:
      return "a materialized view: the log does not carry its rows";
    case TableKind::foreign:
      return "a foreign table: its rows are in another database";
    case TableKind::table:
    case TableKind::partitioned:
      break;
  }
  return {};
}

class Inference {
 public:
  explicit Inference(const postgres::TableList& list) : list_(list) {}

  Inferred run() {
    inferred_.name = list_.database;
    for (const DescribedTable& described : list_.tables) note(described);
    for (const DescribedTable& described : list_.tables) sort_out(described);
    choose_schema();
    for (const auto& [name, key] : keys_) find_links(*catalog_.at(name));
    find_joins();
    for (const DescribedTable& described : list_.tables) {
      auto key = keys_.find(described.table.name);
      if (key != keys_.end()) inferred_.tables.push_back(table_of(described, key->second));
    }
    order();
    return std::move(inferred_);
  }

 private:
  void note(const DescribedTable& described) {
    const Table& table = described.table;
    catalog_.emplace(table.name, &table);
    if (table.partition_root) partitions_[*table.partition_root].push_back(&table);
    for (const postgres::ForeignKey& key : table.foreign_keys) {
      if (key.referenced_table != table.name) referenced_.insert(key.referenced_table);
    }
  }

  // Into those with a key, and those that are left out.
  void sort_out(const DescribedTable& described) {
    const Table& table = described.table;
    LeftOut out{table.name, {}, {}, false, remarks_of(described)};
    if (out.reason = kind_reason(table.kind); !out.reason.empty()) {
      inferred_.left_out.push_back(std::move(out));
      return;
    }
    if (table.partition_root) {
      if (root_is_listed(table)) return;
      out.reason = "a partition of a table that was not looked at";
    } else if (!is_sayable(table.name.name) || !is_sayable(table.name.schema)) {
      out.reason = "its name has control characters in it, which a mapping file cannot say";
      out.cure = "rename the table";
    } else if (!table.persistent) {
      out.entry = true;
      out.reason = "it is unlogged or temporary, and the log does not carry its rows";
      out.cure = "ALTER TABLE " + sql_name(table.name) + " SET LOGGED, and infer again";
    } else {
      KeyChoice choice = choose_key(table);
      if (!choice.columns.empty()) {
        if (!choice.remark.empty()) key_remarks_[table.name] = choice.remark;
        keys_.emplace(table.name, std::move(choice.columns));
        return;
      }
      out.entry = true;
      for (const TableName& parent : described.parents) {
        out.remarks.push_back("Inherits from " + postgres::to_string(parent) +
                              ", and not its key.");
      }
      out.reason = std::move(choice.reason);
      out.cure = std::move(choice.cure);
    }
    inferred_.left_out.push_back(std::move(out));
  }

  bool root_is_listed(const Table& partition) const {
    return std::any_of(list_.tables.begin(), list_.tables.end(), [&](const DescribedTable& each) {
      return each.table.oid == *partition.partition_root;
    });
  }

  // The schema of most tables, so that few have to say their own.
  void choose_schema() {
    std::map<std::string, size_t> counts;
    for (const auto& [name, key] : keys_) ++counts[name.schema];
    for (const LeftOut& out : inferred_.left_out) counts[out.table.schema] += out.entry ? 1 : 0;
    inferred_.schema = "public";
    size_t most = counts.contains("public") ? counts["public"] : 0;
    for (const auto& [schema, count] : counts) {
      if (count <= most) continue;
      most = count;
      inferred_.schema = schema;
    }
  }

  std::vector<const Table*> partitions_of(const Table& table) const {
    auto at = partitions_.find(table.oid);
    return at == partitions_.end() ? std::vector<const Table*>() : at->second;
  }

  void find_links(const Table& table) {
    for (const postgres::ForeignKey& key : foreign_keys_of(table, partitions_of(table))) {
      auto link = link_of(table, key, keys_, catalog_);
      if (const auto* why = std::get_if<std::string>(&link)) {
        refused_[table.name].push_back("No relationship for " + key.name + ": " + *why + ".");
      } else {
        links_[table.name].push_back(std::get<Link>(std::move(link)));
      }
    }
  }

  // All before any foreign key's relationship, so that theirs are the plain types.
  void find_joins() {
    for (const auto& [name, key] : keys_) {
      if (referenced_.contains(name)) continue;
      auto join = join_of(*catalog_.at(name), key, links_[name]);
      if (!join) continue;
      const std::string long_type = type_of_table(name.name);
      join->type = types_.take(join->start.other, join->end.other, {join->type, long_type});
      joins_.emplace(name, *std::move(join));
    }
  }

  InferredTable table_of(const DescribedTable& described, const std::vector<std::string>& key) {
    const Table& table = described.table;
    InferredTable made;
    made.rule.table = table.name;
    made.remarks = remarks_of(described);
    for (std::string& fact : facts_of(described, partitions_of(table).size()))
      made.remarks.push_back(std::move(fact));
    auto key_remark = key_remarks_.find(table.name);
    if (key_remark != key_remarks_.end()) made.remarks.push_back(key_remark->second);
    made.without_relationship = refused_[table.name];
    const std::vector<PlannedColumn> plan = plan_columns(table, key);
    auto join = joins_.find(table.name);
    if (join == joins_.end()) {
      add_node(made, table, key, plan);
    } else {
      add_relationship(made, table.name, join->second, key, plan);
    }
    return made;
  }

  void add_node(InferredTable& made, const Table& table, const std::vector<std::string>& key,
                const std::vector<PlannedColumn>& plan) {
    NodeRule node;
    node.label = label_for(table.name);
    node.key = key;
    for (const PlannedColumn& planned : plan) {
      if (!planned.excluded_by.empty()) {
        if (!is_sayable(planned.column)) continue;
        made.excluded.push_back({planned.column, planned.excluded_by});
        node.properties.excluded.insert(planned.column);
      } else if (!planned.own_name && is_sayable(planned.column)) {
        made.renamed.push_back({planned.property, planned.column});
        node.properties.renamed.emplace(planned.property, planned.column);
        node.properties.excluded.insert(planned.column);
      }
    }
    const std::vector<Link>& links = links_[table.name];
    for (const Link& link : links) {
      ForeignKeyRule rule;
      rule.type = types_.take(table.name, link.other, types_of(table, link, links));
      rule.columns = link.columns;
      rule.other = link.other;
      rule.incoming = false;
      node.relationships.push_back(std::move(rule));
    }
    made.rule.form = std::move(node);
  }

  void add_relationship(InferredTable& made, const TableName& name, const JoinTable& join,
                        const std::vector<std::string>& key,
                        const std::vector<PlannedColumn>& plan) {
    RelationshipRule relationship;
    relationship.type = join.type;
    relationship.start = {join.start.other, join.start.columns};
    relationship.end = {join.end.other, join.end.columns};
    relationship.key = key;
    for (const PlannedColumn& planned : plan) {
      if (std::find(key.begin(), key.end(), planned.column) != key.end()) continue;
      if (!is_sayable(planned.column)) continue;
      if (!planned.excluded_by.empty()) {
        made.excluded.push_back({planned.column, planned.excluded_by});
        continue;
      }
      made.properties.push_back({planned.property, planned.column});
      relationship.properties.columns.emplace(planned.property, planned.column);
    }
    for (const Link& link : links_[name]) {
      if (link.columns == join.start.columns || link.columns == join.end.columns) continue;
      made.without_relationship.push_back("No relationship to " + postgres::to_string(link.other) +
                                          ": a relationship has no relationships of its own.");
    }
    made.rule.form = std::move(relationship);
  }

  // One label a table, so that no two tables write to one node.
  std::string label_for(const TableName& table) {
    std::string label = label_of(table.name);
    if (labels_.insert(label).second) return label;
    const std::string longer = lawful(pascal_case(table.schema) + label);
    label = longer.starts_with("ContextNexus") ? "Table" + longer : longer;
    const std::string base = label;
    for (int number = 2; !labels_.insert(label).second; ++number)
      label = base + std::to_string(number);
    return label;
  }

  void order() {
    auto before = [&](const TableName& a, const TableName& b) {
      return std::tuple(a.schema != inferred_.schema, a) <
             std::tuple(b.schema != inferred_.schema, b);
    };
    std::sort(inferred_.tables.begin(), inferred_.tables.end(),
              [&](const auto& a, const auto& b) { return before(a.rule.table, b.rule.table); });
    std::sort(inferred_.left_out.begin(), inferred_.left_out.end(),
              [&](const auto& a, const auto& b) { return before(a.table, b.table); });
  }

  const postgres::TableList& list_;
  Inferred inferred_;
  Catalog catalog_;
  std::map<change::Oid, std::vector<const Table*>> partitions_;  // By their root.
  std::set<TableName> referenced_;
  Keys keys_;
  std::map<TableName, std::string> key_remarks_;
  std::map<TableName, std::vector<Link>> links_;
  std::map<TableName, std::vector<std::string>> refused_;
  std::map<TableName, JoinTable> joins_;
  TakenTypes types_;
  std::set<std::string> labels_;
};

}  // namespace

size_t Inferred::nodes() const {
  return static_cast<size_t>(
      std::count_if(tables.begin(), tables.end(), [](const InferredTable& table) {
        return std::holds_alternative<NodeRule>(table.rule.form);
      }));
}

size_t Inferred::relationships() const {
  return tables.size() - nodes();
}

size_t Inferred::foreign_keys() const {
  size_t count = 0;
  for (const InferredTable& table : tables) {
    const auto* node = std::get_if<NodeRule>(&table.rule.form);
    count += node == nullptr ? 0 : node->relationships.size();
  }
  return count;
}

Inferred infer(const postgres::TableList& list) {
  return Inference(list).run();
}

}  // namespace cnx::mapping
