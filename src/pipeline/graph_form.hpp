// What is made of a table's rows in the graph, as far as it is needed to remove it when the mapping, or the copy, no longer
// says so: kept in the graph beside the table's state.
#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>

#include "apply/segments.hpp"
#include "base/result.hpp"
#include "bolt/connection.hpp"
#include "mapping/model.hpp"

namespace cnx::pipeline {

struct GraphForm {
  struct Link {
    std::string type;
    std::string start;  // Labels.
    std::string end;
    friend auto operator<=>(const Link&, const Link&) = default;
  };
  // Of nodes. Empty: there are none to be removed.
  std::string label;
  std::string key_property;
  std::string tenant_property;
  std::set<std::string> properties;  // But key and tenant. Not kept with the form of a table's own node: its state has them.
  std::set<std::string> flattened;   // Properties whose fields are properties too.
  std::set<std::string> more_labels;
  std::set<Link> links;  // Of foreign keys, or of the rows themselves.
  // Names of properties, and how further ones begin.
  struct Properties {
    std::set<std::string> names;
    std::set<std::string> prefixes;
    bool empty() const { return names.empty() && prefixes.empty(); }
  };
  // Of relationships of foreign keys; those of rows that are relationships are in the table's state.
  std::map<Link, Properties> link_properties;
  // Beside the row's node: further ones that it has for itself, and those that rows share. Their relationships are in `links`.
  std::vector<GraphForm> nodes;
  bool fields = false;  // Every property but key and tenant is a field of an object's.
  bool shared = false;  // It goes with its last relationship of ours.
};
// Those that were met when the table was bound, but `left_out`.
GraphForm::Properties properties_of(const mapping::PropertyNames& met, const std::set<std::string>& left_out = {});
// In the place of `properties`, what of them is not in `others`.
void take_out(GraphForm::Properties& properties, const GraphForm::Properties& others);

GraphForm form_of(const mapping::NodeTable& table);
GraphForm form_of(const mapping::RelationshipTable& table);
// Of a table of the model, once it was bound: of all types that its rows choose among, and with their further nodes.
GraphForm form_of(const mapping::Model& model, const mapping::TableName& table);
// Calls `work` with the NodeTable of the table's rows (not those of their further nodes), or with the RelationshipTable of each
// type that its rows choose among, until it fails.
template <typename Work>
Status for_each_form(const mapping::Model& model, const mapping::TableName& table, const Work& work) {
  for (const mapping::NodeTable& node : model.nodes()) {
    if (node.main == nullptr && node.rule->table == table) CNX_TRY(work(node));
  }
  for (const mapping::RelationshipTable& relationship : model.relationships()) {
    if (relationship.rule->table == table) CNX_TRY(work(relationship));
  }
  return {};
}
// The other tables whose rows make nodes of the same label, or relationships of the same type between the same labels: what
// this table's rows do not account for may be theirs. Pure.
std::set<mapping::TableName> tables_beside(const mapping::Model& model, const mapping::TableName& table);

std::string to_text(const GraphForm& form);
// ErrorKind::state for a text that this program did not write.
Result<GraphForm> form_of(std::string_view text);

// All block, by statement, work in transactions of bounded size as the owner, and may be repeated.

// Removes what `form` makes: its relationships, and all that is ours of its nodes. A node on which others' properties or
// relationships hang stays as a stub, with key and tenant.
Status remove_form(bolt::Connection& graph, const apply::CopyOwner& owner, const GraphForm& form);
// The same of relationships alone, of properties of theirs, and of labels beside the one that finds the nodes.
Status remove_links(bolt::Connection& graph, const apply::CopyOwner& owner, const std::set<GraphForm::Link>& links);
Status remove_link_properties(bolt::Connection& graph, const apply::CopyOwner& owner,
                              const std::map<GraphForm::Link, GraphForm::Properties>& properties);
Status remove_labels(bolt::Connection& graph, const apply::CopyOwner& owner, const GraphForm& form,
                     const std::set<std::string>& labels);
// Stubs of the model's labels that nothing needs any more.
Status remove_lonely_stubs(bolt::Connection& graph, const apply::CopyOwner& owner, const mapping::Model& model);

}  // namespace cnx::pipeline
