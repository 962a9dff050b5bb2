// What statement texts are put together from.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "mapping/model.hpp"

namespace cnx::cypher {

// The statement in the language that all texts are in.
std::string text(std::string body);
// Of such a text; nullopt of any other.
std::optional<std::string_view> body_of(std::string_view text);
// "(variable)<-[…]-" or "(variable)-[…]->", from the child's side: what stands left and right of the
// relationship's brackets.
struct Arrow {
  explicit Arrow(const mapping::ForeignKey& key)
      : left(key.rule->incoming ? "<-[" : "-["), right(key.rule->incoming ? "]-" : "]->") {}
  std::string left;
  std::string right;
};
// "(variable:Label {key: value})".
std::string node_pattern(std::string_view variable, const mapping::NodeTable& table,
                         std::string_view value);
// "MATCH (variable:Label {key: value}) USING INDEX SEEK …".
std::string match_node(std::string_view variable, const mapping::NodeTable& table, std::string_view value);
// "MATCH (a)-[r:TYPE {_cnx_key: row.y}]->(b) USING INDEX SEEK …".
std::string match_own_key(const mapping::RelationshipTable& table);
// Continues statements that have bound a and b: binds r to each relationship between them, "-[r:TYPE]->" being its arrow. As
// a MATCH it might become a join of all that each end has.
std::string each_between(const std::string& arrow);
// A condition: the variable has the label ("p:`Label`"), and `condition`; never what a plan starts from.
std::string only_where(const std::string& label, const std::string& condition);
// An expression: the names as a list of strings.
std::string name_list(const std::set<std::string>& names);
// A property whose object's fields are properties beside it, under names that begin with its own; or under their own names:
// then all are fields but `others`.
struct Flattened {
  std::string property;  // That a row tells of them by.
  std::optional<std::set<std::string>> others = {};
};
std::vector<Flattened> flattened(const mapping::AskedForms& forms);
std::vector<Flattened> flattened(const mapping::NodeTable& table);

// Continues a SET of the entries of `row`: fields that a flattened property's object no longer has go in the same write. A row
// that has no entry by the property's own name does not tell of it. `refused`: where this holds, nothing is written.
std::string drop_vanished(std::string_view variable, std::string_view row, const std::vector<Flattened>& flattened,
                          const std::string& refused = {});
// Continues a SET: all of their fields go.
std::string drop_fields(std::string_view variable, const std::vector<Flattened>& flattened);
// A condition that holds for the names of their fields; false where there are none.
std::string is_field(const std::string& name, const std::vector<Flattened>& flattened);

// Continues a SET: the labels of every node of the table, and the one that `row.l` chooses, in place of the others that it might
// have chosen; a row without it does not tell. `refused`: where this holds, nothing is chosen.
std::string set_labels(std::string_view variable, const mapping::NodeTable& table, const std::string& refused = {});
// Continues a SET: all labels but the one that finds the node go.
std::string drop_labels(std::string_view variable, const mapping::NodeTable& table);

// What a stub has, or a node that rows share: a node with no more is nobody's but ours.
std::set<std::string> stub_properties(const mapping::NodeTable& table);

// Continues a statement in which `variable` is bound to nodes that just lost a relationship of ours.
std::string drop_lonely_stubs(std::string_view variable, const std::set<std::string>& ours);
// Continues a statement whose rows are what one piece has done, with the lists `ends` of nodes that lost a relationship: says how
// many; those go that lost their last one and are such that `goes` (a condition on p, as is_for_ends) holds.
std::string count_done(const std::string& goes, const std::set<std::string>& ours);
// Ends a statement with a division by zero where the expression is above $max.
std::string fail_above_max(std::string_view total);
// A condition: the node, or null, is one that goes with its last relationship of ours.
std::string is_for_ends(std::string_view variable, const mapping::NodeTable& table);
// " ON CREATE SET …" of a MERGE that may make a stub; `tenant` is an expression, and the map of its properties where the node
// is one that rows share.
std::string on_create_stub(std::string_view variable, const mapping::NodeTable& table, std::string_view tenant);
}  // namespace cnx::cypher
