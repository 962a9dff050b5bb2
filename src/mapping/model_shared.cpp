// Nodes that rows share, as tables of the model's: each label once, whichever tables name it. They have no rows, only a key and
// what it says.
#include "mapping/model.hpp"
#include "mapping/names.hpp"

namespace cnx::mapping {
namespace {

Error refused(const TableRule& rule, const SharedNodeRule& shared) {
  return Error(ErrorKind::invalid, "the key of a node that tables share is of another type, or another tenant's, here")
      .with("table", to_string(rule.table))
      .with("label", shared.label)
      .advise("give one of them another label");
}

TableRule rule_of(const SharedNodeRule& shared) {
  NodeRule node{.label = shared.label,
                .more_labels = shared.more_labels,
                .labels = {},
                .key = shared.properties,
                .properties = {},
                .relationships = {},
                .parts = {}};
  node.properties.all = false;
  return {.table = {}, .form = std::move(node), .version_column = {}, .tenant_column = {}, .cypher = {}};
}

}  // namespace

Result<NodeTable*> Model::share(const NodeTable& by, const ForeignKey& key, const postgres::Table& found) {
  const SharedNodeRule& shared = *key.rule->shared;
  std::vector<KeyForm> forms;
  for (const std::string& column : key.columns) forms.push_back(shared_key_form(*found.column(column)));
  auto [known, is_new] = shared_by_label_.try_emplace(shared.label, nullptr);
  if (!is_new) {
    const bool same = known->second->key_forms == forms && known->second->tenant_property == by.tenant_property;
    return same ? Result<NodeTable*>(known->second) : fail(refused(*by.rule, shared));
  }
  CNX_TRY(check_name(shared.label));
  for (const std::string& label : shared.more_labels) CNX_TRY(check_name(label));
  NodeTable& table = nodes_.emplace_back();
  known->second = &table;
  table.rule = &shared_rules_.emplace_back(rule_of(shared));
  table.node = &std::get<NodeRule>(table.rule->form);
  table.index = nodes_.size() - 1;
  table.naming = mapping_->naming;
  table.shared = true;
  table.key_forms = forms;
  table.tenant_property = by.tenant_property;
  table.integer_key = is_single(forms) && forms.front() == KeyForm::integer;
  table.key_property = is_single(forms) ? shared.properties.front() : std::string(kKeyProperty);
  if (is_single(forms)) return &table;
  if (!by.tenant_property.empty()) table.shared_properties.push_back(by.tenant_property);
  table.shared_properties.insert(table.shared_properties.end(), shared.properties.begin(), shared.properties.end());
  return &table;
}

}  // namespace cnx::mapping
