// What is made of a table's rows in the graph, as far as it is needed to remove it when the mapping no longer says so: kept
// in the graph beside the table's state.
#pragma once

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
  std::string label;  // Empty: the rows are no nodes.
  std::string key_property;
  std::set<Link> links;  // Of foreign keys, or of the rows themselves.
  std::set<std::string> properties;

  bool empty() const { return label.empty() && links.empty(); }
};

GraphForm form_of(const mapping::NodeTable& table);
GraphForm form_of(const mapping::RelationshipTable& table);

std::string to_text(const GraphForm& form);
// ErrorKind::state for a text that this program did not write.
Result<GraphForm> form_of(std::string_view text);

// What `before` makes and `now` does not. Pure. Nodes are in it only where label or key are others.
GraphForm outdated(const GraphForm& before, const GraphForm& now);

// Removes it: relationships, and nodes as clear_table does (others' properties and relationships stay, on a stub). In bounded
// transactions, as the owner. Blocks.
Status remove_form(bolt::Connection& graph, const apply::CopyOwner& owner, const GraphForm& form);

}  // namespace cnx::pipeline
